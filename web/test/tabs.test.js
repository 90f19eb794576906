// @vitest-environment node
/** The hooks in the tabs of a real browser: one connection for all of them, with or without WebSockets. */

import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { executablePath, launch, openSite } from './chromium.js';
import { Bmn, until } from './server.js';
import { startWire } from './wire.js';

const LONG = 90_000;

describe.skipIf(!executablePath)('tabs in Chromium (name it in CHROMIUM)', () => {
  let site, server, browser, user, wire, context, brandId;

  beforeAll(async () => {
    site = await openSite();
    await site.make(join(import.meta.dirname, 'tabs'));
    server = await Bmn.start({ speed: 1, env: { CORS_ORIGINS: site.origin } });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });
  beforeEach(async () => {
    user = await server.user();
    brandId = await user.brand();
    wire = await startWire(server.url);
    context = await browser.newContext();
  });
  afterEach(async () => {
    await context.close();
    await wire.close();
  });

  async function tab(jobIds, { origin = site.origin, url = wire.url } = {}) {
    const page = await context.newPage();
    await page.goto(`${origin}/#url=${url}&token=${user.token}&brand=${brandId}&jobs=${jobIds}`);
    return page;
  }
  const statuses = (page) => page.locator('progress').evaluateAll((bars) => bars.map((bar) => bar.dataset.status));
  const all = async (page, status) => {
    const now = await statuses(page);
    return now.length > 0 && now.every((each) => each === status);
  };
  const complete = (page) => until(() => all(page, 'complete'), 'not complete', LONG);
  const live = (page) => page.getByText('live', { exact: true }).waitFor({ timeout: LONG });
  const jobs = (many) => Promise.all(Array.from({ length: many }, () => user.logos(brandId, 1)));

  /** As when the user looks at another tab. */
  const look = (page, away) =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, away ? 'hidden' : 'visible');

  it('share one connection, however many jobs they follow', async () => {
    const jobIds = await jobs(4);
    const pages = [await tab(jobIds), await tab(jobIds), await tab(jobIds)];
    for (const page of pages) await live(page);
    for (const page of pages) await complete(page);
    expect(wire.connections).toBe(1);
    const assets = await pages[2].locator('progress').evaluateAll((bars) => bars.map((bar) => bar.dataset.assets));
    expect(assets).toEqual(['1', '1', '1', '1']);
  });

  it('go on when the one that held the connection is closed', async () => {
    const [jobId] = [await user.logos(brandId, 4)];
    const first = await tab([jobId]);
    await live(first);
    const second = await tab([jobId]);
    await live(second);
    expect(wire.connections).toBe(1);
    await first.close();
    await until(() => wire.connections === 2, 'nobody took over', LONG);
    await complete(second);
  });

  it('give the connection up when they are hidden, to one that is seen', async () => {
    const first = await tab([]);
    await live(first);
    const jobId = await user.logos(brandId, 4);
    const second = await tab([jobId]);
    await live(second);
    await look(first, true);
    await until(() => wire.connections === 2 && wire.open === 1, 'it was not handed over', LONG);
    await complete(second);
    await live(first);
    await look(first, false);
    await second.close();
    await until(() => wire.connections === 3 && wire.open === 1, 'it was not handed back', LONG);
    await live(first);
  });

  it('all hidden hold none, and catch up when one is seen again', async () => {
    const page = await tab([await user.logos(brandId, 1)]);
    await live(page);
    await look(page, true);
    await until(() => wire.open === 0, 'a hidden tab holds on', LONG);
    await look(page, false);
    await complete(page);
  });

  for (const [how, block] of [
    ['refused', () => (wire.refusesWebSockets = true)],
    ['swallowed', () => (wire.toClient = wire.toServer = () => null)],
  ]) {
    it(`work where WebSockets are ${how}`, async () => {
      block();
      const page = await tab([await user.logos(brandId, 2)]);
      await live(page);
      await complete(page);
      expect(wire.received).toEqual([]);
    });
  }

  it('of an origin that the server does not know are told so', async () => {
    const page = await tab([], { origin: site.origin.replace('127.0.0.1', 'localhost'), url: server.url });
    const told = () => page.locator('p').innerText();
    await until(async () => /does not let pages from http:\/\/localhost/.test(await told()), told, LONG);
  });
});
