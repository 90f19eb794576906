/** The hooks for a whole page, in jsdom, over real jobs. */

import { beforeAll, describe, expect, inject, it, vi } from 'vitest';

import {
  useAgent,
  useBrandAssets,
  useCredits,
  useEstimate,
  useGenerate,
  useJob,
  useJobs,
  useKit,
  usePictures,
} from '../src/index.js';
import { render } from './render.js';
import { newUser, until } from './server.js';
import { startWire } from './wire.js';

let user, brandId, provider;

beforeAll(async () => {
  user = await newUser(inject('bmn'));
  brandId = await user.brand();
  provider = { url: user.url, getToken: () => user.token };
});

/** One component with one hook; `now()` is what it last answered. */
function use(hook, options) {
  const page = render(provider, { hook }, options);
  return { ...page, now: () => page.seen.hook.now, all: () => page.seen.hook.all };
}
const ready = (page, condition) => until(() => page.now() && condition(page.now()), () => JSON.stringify(page.now()), 60_000);

describe('useGenerate', () => {
  it('submits once however often one clicks, follows, and is followed by what it changed', async () => {
    const page = use(
      () => ({ logos: useGenerate('logos'), credits: useCredits(), jobs: useJobs({ queue: 'logo-generation', limit: 5 }) }),
      { strict: true },
    );
    await ready(page, ({ credits, jobs }) => credits.remaining !== null && !jobs.loading);
    const { remaining } = page.now().credits;
    const known = page.now().jobs.total;
    const { generate } = page.now().logos;
    const clicks = [generate({ brandId, count: 2 }), generate({ brandId, count: 2 })];
    expect(new Set((await Promise.all(clicks)).flat()).size).toBe(1);
    await ready(page, ({ logos, credits }) => logos.status === 'complete' && credits.remaining === remaining - 2);
    expect(page.now().logos).toMatchObject({ busy: false, problem: null });
    await ready(page, ({ jobs }) => jobs.total === known + 1 && jobs.jobs[0].state === 'completed');
  });

  it('cancels, and retries as a new job', async () => {
    const page = use(() => useGenerate('logos'));
    await ready(page, ({ generate }) => generate);
    const [first] = await page.now().generate({ brandId, count: 8 });
    await ready(page, ({ status }) => status === 'generating');
    const [{ collectorJobId }] = await page.now().cancel();
    await ready(page, ({ status, busy }) => status === 'cancelled' && !busy);
    // What had been ordered is collected first, so that nothing is paid twice.
    const collected = async () => !collectorJobId || (await user.api(`/jobs/${collectorJobId}`)).state === 'completed';
    await until(collected, 'what was ordered did not come');
    const [second] = await page.now().retry();
    expect(second).not.toBe(first);
    await ready(page, ({ status, jobId }) => status === 'complete' && jobId === second);
  });

  it('says why it was refused', async () => {
    const page = use(() => useGenerate('logos'));
    await ready(page, ({ generate }) => generate);
    await expect(page.now().generate({ brandId, count: 99 })).rejects.toThrow('Validation failed');
    await ready(page, ({ problem }) => problem?.status === 400);
    expect(page.now().problem.details.details.fieldErrors.count).toHaveLength(1);
    expect(page.now().busy).toBe(false);
  });
});

describe('useJob', () => {
  it('has the record beside the progress', async () => {
    const jobId = await user.logos(brandId, 1);
    const page = use(() => useJob(jobId));
    await ready(page, ({ status, job }) => status === 'complete' && job?.state === 'completed');
    expect(page.now().job.timeline.at(-1).event).toBe('job:complete');
    expect(page.now().position).toBeNull();
  });
});

describe('useJobs', () => {
  it('leaves the room of the user, or of a brand, with the last one that listens there', async () => {
    const jobId = await user.logos(brandId, 1);
    const wire = await startWire(user.url);
    const said = (event) => wire.sent.filter((text) => text.includes(`"${event}"`)).length;
    const follows = { job: () => useJob(jobId) };
    const lists = { all: () => useJobs(), failed: () => useJobs({ state: 'failed' }), mine: () => useJobs({ brand: brandId }) };
    try {
      const page = render({ ...provider, url: wire.url }, { ...follows, ...lists });
      await until(() => said('user:join') && said('brand:join') && page.seen.job.now?.job, 'no room', 60_000);
      page.show({ ...follows, all: lists.all });
      await until(() => said('brand:leave'), 'still in the room of the brand', 60_000);
      expect(said('user:leave')).toBe(0);
      page.show(follows);
      await until(() => said('user:leave'), 'still in the room of the user', 60_000);
      expect([said('user:join'), said('user:leave'), said('brand:leave')]).toEqual([1, 1, 1]);
    } finally {
      await wire.close();
    }
  });
});

describe('a page with a token for one kit', () => {
  it('sees each step begin, waits for the pick, and follows the jobs, through a break', async () => {
    const mine = await user.brand('Acme Kit');
    const body = { brandId: mine, count: 1, products: ['mug'], without: ['bundle', 'video'] };
    const { groupId } = await user.api('/generation/kits', { method: 'POST', body });
    const { token } = await user.api('/tokens', { method: 'POST', body: { groupId } });
    const wire = await startWire(user.url);
    const hook = () => {
      const { jobs, error } = useJobs({ groupId });
      const { kit } = useKit(groupId);
      return { jobs, error, kit, newest: useJob(jobs[0]?.jobId) };
    };
    try {
      const page = render({ url: wire.url, getToken: () => token }, { hook }, { strict: true });
      const seen = { now: () => page.seen.hook.now };
      await ready(seen, ({ kit, newest }) => kit?.state === 'picking' && newest.status === 'complete');
      wire.cut();
      const { assets } = seen.now().newest;
      await user.api(`/kits/${groupId}/pick`, { method: 'POST', body: { assetId: assets[0].id } });
      await ready(seen, ({ kit, newest, jobs }) => kit.state === 'done' && jobs.length === 2 && newest.ended);
      expect(seen.now().newest.assets.map((each) => each.asset_type)).toEqual(['mockup']);
      expect((await fetch(seen.now().newest.assets[0].url)).status).toBe(200);
      expect(seen.now().error).toBeNull();
      expect(wire.sent.some((text) => /"(user|brand):/.test(text))).toBe(false);
    } finally {
      await wire.close();
    }
  });
});

describe('useEstimate', () => {
  it('says what it would cost, and asks again when the body has changed', async () => {
    let count = 2;
    const page = use(() => useEstimate('logos', { brandId, count }));
    await ready(page, ({ estimate }) => estimate?.credits === 2);
    count = 3;
    page.show({ hook: () => useEstimate('logos', { brandId, count: 3 }) });
    await ready(page, ({ estimate }) => estimate?.credits === 3);
  });
});

describe('usePictures', () => {
  it('shows each picture with a share of its own, which never falls', async () => {
    const jobId = await user.logos(brandId, 3);
    const page = use(() => usePictures(jobId, 3));
    await ready(page, ({ status }) => status === 'complete');
    const { pictures } = page.now();
    expect(pictures.map(({ index, share, status }) => [index, share, status])).toEqual([
      [0, 100, 'done'],
      [1, 100, 'done'],
      [2, 100, 'done'],
    ]);
    expect(new Set(pictures.map(({ asset }) => asset.id)).size).toBe(3);
    for (const index of [0, 1, 2]) {
      const shares = page.all().map((state) => state.pictures[index].share);
      expect(shares).toEqual([...shares].sort((one, other) => one - other));
    }
  });
});

describe('addresses of pictures', () => {
  it('are asked for again while a page is kept', async () => {
    const jobId = await user.logos(brandId, 1);
    const wire = await startWire(user.url);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    const asked = vi.spyOn(globalThis, 'fetch');
    const lists = () => asked.mock.calls.filter(([url]) => String(url).includes(`/brands/${brandId}/assets`)).length;
    const states = () => wire.sent.filter((text) => text.includes('job:status')).length;
    try {
      const hooks = { hook: () => ({ job: usePictures(jobId), all: useBrandAssets(brandId) }) };
      const page = render({ ...provider, url: wire.url }, hooks);
      await until(() => page.seen.hook.now?.job.ended && page.seen.hook.now.all.assets.length, 'no pictures', 60_000);
      const before = { lists: lists(), states: states(), job: page.seen.hook.now.job };
      vi.advanceTimersByTime(46 * 60_000);
      await until(() => lists() > before.lists && states() > before.states && page.seen.hook.now.job !== before.job);
      expect(page.seen.hook.now.job.assets.map(({ id }) => id)).toEqual(before.job.assets.map(({ id }) => id));
      expect((await fetch(page.seen.hook.now.job.assets[0].url)).status).toBe(200);
    } finally {
      asked.mockRestore();
      vi.useRealTimers();
      await wire.close();
    }
  });
});

describe('an address that leads nowhere', () => {
  it('is told as that', async () => {
    const page = render({ ...provider, url: 'http://127.0.0.1:9' }, { hook: () => useCredits() });
    await until(() => page.seen.hook.now?.error);
    expect(page.seen.hook.now.error.message).toBe(
      'Nothing answers at http://127.0.0.1:9. Is the address right, and does the server run?',
    );
  });
});

describe('useAgent', () => {
  it('is a conversation', async () => {
    const page = use(() => useAgent(brandId));
    await ready(page, ({ ask }) => ask);
    await page.now().ask('brand-identity', {}, 'Who are we?');
    await ready(page, ({ status }) => status === 'complete');
    const { messages, sessionId } = page.now();
    expect(messages[0]).toMatchObject({ who: 'user', text: 'Who are we?', step: 'brand-identity' });
    expect(messages.length).toBeGreaterThan(1);
    expect(messages.slice(1).every(({ who, text }) => who === 'agent' && text)).toBe(true);
    expect(sessionId).toBeTruthy();

    await page.now().ask('customization', { wishes: 'make it green' });
    await ready(page, ({ proposal }) => proposal);
    expect(page.now().proposal).toMatch(/^green \(#2D6A4F .*\) instead of /);
    await page.now().changeLook();
    await ready(page, ({ proposal }) => proposal === null);
  });
});
