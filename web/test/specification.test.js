/** The specification's own client, unchanged, in jsdom: against two processes of one server. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, vi } from 'vitest';

import { scenarios } from './specification/scenarios.js';
import { openStage } from './specification/stage.js';

describe("the specification's client in jsdom", () => {
  let stage;

  beforeAll(async () => {
    stage = await openStage();
    vi.stubEnv('VITE_API_URL', stage.wire.url);
    stage.page = (await import('./specification/page.js')).page;
  });
  afterAll(() => stage?.close());
  beforeEach(() => stage.reset());
  afterEach(() => stage.page.clear());

  scenarios(() => stage);
});
