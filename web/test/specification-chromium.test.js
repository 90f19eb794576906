// @vitest-environment node
/** The specification's own client, unchanged, in Chromium: against two processes of one server. */

import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';

import { executablePath, launch, openSite } from './chromium.js';
import { scenarios } from './specification/scenarios.js';
import { openStage } from './specification/stage.js';

describe.skipIf(!executablePath)("the specification's client in Chromium (name it in CHROMIUM)", () => {
  let stage, site, browser;

  beforeAll(async () => {
    site = await openSite();
    stage = await openStage({ CORS_ORIGINS: site.origin });
    const define = { 'import.meta.env.VITE_API_URL': JSON.stringify(stage.wire.url) };
    await site.make(join(import.meta.dirname, 'specification'), { define });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await stage?.close();
    await site?.close();
  });
  beforeEach(async () => {
    await stage.reset();
    const tab = await browser.newPage();
    await tab.goto(site.origin);
    stage.page = {
      show: (what) => tab.evaluate((given) => window.page.show(given), what),
      seen: () => tab.evaluate(() => window.page.seen()),
      close: () => tab.close(),
    };
  });
  afterEach(() => stage.page.close());

  scenarios(() => stage);
});
