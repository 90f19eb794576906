// @vitest-environment node
/** The page of examples/front before its back end: no user's token in the browser, two tabs, a server that restarts. */

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { executablePath, launch, openSite } from './chromium.js';
import { Bmn, findBmn, until } from './server.js';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const MODULES = join(import.meta.dirname, '../node_modules');
const PORT = 4000 + (process.pid % 1000);
const BACKEND = `http://127.0.0.1:${PORT}`;

describe.skipIf(!executablePath)('the example of a whole app (needs Chromium; name it in CHROMIUM)', () => {
  let site, server, backend, browser, context;

  beforeAll(async () => {
    site = await openSite();
    server = await Bmn.start({ speed: 1, env: { CORS_ORIGINS: site.origin } });
    Object.assign(process.env, { VITE_BMN: server.url, VITE_BACKEND: BACKEND });
    const alias = {
      'bmn-web': join(import.meta.dirname, '../src/index.js'),
      'react-dom': join(MODULES, 'react-dom'),
      react: join(MODULES, 'react'),
    };
    await site.make(join(EXAMPLES, 'front'), { resolve: { alias } });
    const { token } = await server.user();
    backend = spawn(join(dirname(findBmn()), 'python'), [join(EXAMPLES, 'backend.py')], {
      // A token that ends while the page is open: the back end hands another one out.
      env: { ...process.env, BMN_API_URL: server.url, BMN_TOKEN: token, PORT, PAGES: site.origin, TOKEN_SECONDS: '30' },
      stdio: 'inherit',
    });
    await until(() => fetch(`${BACKEND}/heard`).then(({ ok }) => ok, () => false), 'no back end');
    browser = await launch();
    context = await browser.newContext();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    backend?.kill();
    await server?.stop();
    await site?.close();
  });

  it('makes a brand through a restart and an ended token, and shows the same in two tabs', async () => {
    const broken = [];
    const page = await context.newPage();
    page.on('pageerror', (error) => broken.push(error.message));
    await page.goto(site.origin);
    await page.getByLabel('Brand name').fill('Acme Coffee');
    await page.getByRole('button', { name: 'Make four logos' }).click();
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('progressbar').first().waitFor();
    const other = await context.newPage();
    await other.goto(page.url());
    await other.getByLabel('Logo', { exact: true }).waitFor();

    await server.down();
    await page.getByText('live', { exact: true }).waitFor({ state: 'detached' });
    await server.up();
    for (const tab of [page, other]) {
      await tab.bringToFront();
      await tab.getByRole('button', { name: 'Pick logo 4' }).waitFor({ timeout: 90_000 });
    }
    await page.waitForTimeout(31_000); // the first token has ended
    await page.bringToFront();
    await page.getByRole('button', { name: 'Pick logo 2' }).click();
    for (const tab of [page, other]) {
      await tab.bringToFront();
      await tab.locator('[aria-label=Mug] img.done').waitFor({ timeout: 120_000 });
      await tab.locator('[aria-pressed=true]').waitFor();
    }
    expect(broken).toEqual([]);
  }, 400_000);
});
