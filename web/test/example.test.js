// @vitest-environment node
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';

import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Bmn, until } from './server.js';

const PATHS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = PATHS.find((path) => path && existsSync(path));
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

describe.skipIf(!executablePath)('the example page in Chromium (needs Chromium; name it in CHROMIUM)', () => {
  let folder, site, origin, server, browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bmn-page-'));
    const root = join(import.meta.dirname, '../example');
    await build({ root, logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } });
    site = http.createServer(serve);
    await new Promise((done) => site.listen(0, '127.0.0.1', done));
    origin = `http://127.0.0.1:${site.address().port}`;
    server = await Bmn.start({ speed: 1, env: { CORS_ORIGINS: origin } });
    browser = await chromium.launch({ executablePath, headless: true, args });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    site?.closeAllConnections();
    await new Promise((done) => (site ? site.close(done) : done()));
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(request, answer) {
    const path = new URL(request.url, origin).pathname;
    const file = join(folder, normalize(path === '/' ? '/index.html' : path));
    const data = await readFile(file).catch(() => null);
    answer.writeHead(data ? 200 : 404, { 'Content-Type': TYPES[extname(file)] ?? 'text/plain' });
    answer.end(data);
  }

  it('shows the bar moving, loses nothing when the server restarts under it, and ends with four pictures', async () => {
    const user = await server.user();
    const page = await browser.newPage();
    const broken = [];
    page.on('pageerror', (error) => broken.push(error.message));
    await page.goto(`${origin}/#url=${server.url}&token=${user.token}`);
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByLabel('Brand name').fill('Acme Coffee');
    await page.getByRole('button').click();

    const bar = page.getByRole('progressbar');
    await bar.waitFor();
    await bar.evaluate((element) => {
      window.shown = [element.value];
      new MutationObserver(() => window.shown.push(element.value)).observe(element, { attributes: true });
    });
    await until(async () => (await bar.evaluate(({ value }) => value)) > 10);
    await server.down();
    await page.getByText('reconnecting…').waitFor();
    expect(await bar.getAttribute('data-status')).not.toBe('complete');
    await server.up();
    await page.getByText('live', { exact: true }).waitFor({ timeout: 60_000 });

    const pictures = page.locator('.pictures img');
    const loaded = () => pictures.evaluateAll((all) => all.filter((img) => img.naturalWidth > 0).length);
    await until(async () => (await bar.getAttribute('data-status')) === 'complete', 'not complete', 60_000);
    await until(async () => (await loaded()) === 4, 'not four pictures');
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });

    const shown = await page.evaluate(() => window.shown);
    expect(shown.at(-1)).toBe(100);
    expect(shown).toEqual([...shown].sort((one, other) => one - other));
    expect(new Set(shown).size).toBeGreaterThan(4);
    const { jobs } = await user.api('/jobs?queue=logo-generation');
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({ state: 'completed', creditsCharged: 4 });
    expect(broken).toEqual([]);

    await page.reload();
    await until(async () => (await loaded()) === 4, 'the reload lost the pictures');
  }, 180_000);
});
