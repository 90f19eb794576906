// @vitest-environment node
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { executablePath, launch, openSite } from './chromium.js';
import { Bmn, until } from './server.js';

describe.skipIf(!executablePath)('the example page in Chromium (needs Chromium; name it in CHROMIUM)', () => {
  let site, server, browser;

  beforeAll(async () => {
    site = await openSite();
    await site.make(join(import.meta.dirname, '../example'));
    server = await Bmn.start({ speed: 1, env: { CORS_ORIGINS: site.origin } });
    browser = await launch();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });

  it('shows the bar moving, loses nothing when the server restarts under it, and ends with four pictures', async () => {
    const user = await server.user();
    const page = await browser.newPage();
    const broken = [];
    page.on('pageerror', (error) => broken.push(error.message));
    await page.goto(`${site.origin}/#url=${server.url}&token=${user.token}`);
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

  it('is a whole wizard: a conversation, four logos, a pick, and that one on a mug', async () => {
    const user = await server.user();
    const page = await browser.newPage();
    const broken = [];
    page.on('pageerror', (error) => broken.push(error.message));
    await page.goto(`${site.origin}/#page=wizard&url=${server.url}&token=${user.token}`);
    await page.getByLabel('Brand name').fill('Acme Coffee');
    await page.getByRole('button', { name: 'Begin' }).click();

    await page.getByRole('button', { name: 'Who are we talking to?' }).click();
    await page.locator('.talk .agent').first().waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Make four logos · 4 credits' }).click();
    await page.getByRole('button', { name: 'Logo 4', exact: true }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Logo 2', exact: true }).click();
    await page.locator('[aria-pressed=true]').waitFor();
    await page.getByRole('button', { name: 'Put it on a mug' }).click();
    const mug = page.getByAltText('Mug with the picked logo');
    const products = page.getByLabel('Products');
    await until(async () => (await mug.count()) > 0, () => products.innerText(), 150_000);
    await until(() => mug.evaluate(({ naturalWidth }) => naturalWidth > 0), 'no mug');
    expect(broken).toEqual([]);
  }, 300_000);
});
