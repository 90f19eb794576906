/** What a front end that was written to the specification goes through, in whatever shows its page. */

import { expect, it } from 'vitest';

import { until } from '../server.js';

const NOWHERE = 'http://127.0.0.1:9';
const LONG = 90_000; // this client waits up to 45 s before it tries to connect again
const REFUSED = 5;

/**
 * @param {() => any} stage  see `stage.js`; and its page: `show(what)`, `seen()`, `clear()`
 */
export function scenarios(stage) {
  const seen = () => stage().page.seen();
  const last = async () => (await seen()).states.at(-1);
  const reaches = (status) =>
    until(async () => (await last())?.status === status, `the hook does not say ${status}`, LONG);
  const isOver = (jobId) =>
    until(async () => (await stage().user.api(`/jobs/${jobId}`)).completedAt, `${jobId} does not end`, LONG);

  async function show(more) {
    const { user, page, wire } = stage();
    const brandId = more.brandId ?? (await user.brand(`Brand ${Math.random()}`));
    const jobId = more.count ? await user.logos(brandId, more.count) : more.jobId;
    wire.sent.length = 0;
    await page.show({ token: user.token, ...more, brandId, jobId });
    return { brandId, jobId };
  }

  it('shows a job from its beginning to its pictures, which have times and open', async () => {
    await show({ count: 2 });
    await reaches('complete');
    const { states, complaints } = await seen();
    const { result, progress, error } = states.at(-1);
    expect({ progress, error, complaints }).toEqual({ progress: 100, error: null, complaints: [] });
    expect(result.logos).toHaveLength(2);
    for (const { url, thumbnail_url: small, created_at: at } of result.logos) {
      expect([url, small].filter(Boolean)).not.toHaveLength(0);
      expect((await fetch(url)).headers.get('content-type')).toBe('image/png');
      expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(24 * 3600 * 1000);
    }
    const steps = states.map(({ status }) => WORDS.indexOf(status)).filter((step) => step >= 0);
    expect(steps).toEqual([...steps].sort((one, other) => one - other));
  });

  it("keeps the logos' result while their thumbnails are made, where it shows a brand alone", async () => {
    const { user } = stage();
    const { brandId } = await show({});
    await until(() => joined('brand:join'));
    const jobId = await user.logos(brandId, 2);
    await reaches('complete');
    await isOver(jobId);
    const small = async () => (await user.api(`/brands/${brandId}/assets`)).assets.filter((one) => one.thumbnailUrl);
    await until(async () => (await small()).length === 2, 'no thumbnails', LONG);
    await user.logos(brandId, 1); // what the thumbnails' jobs would have told has come before anything of this one
    await until(async () => (await seen()).states.at(-1).status !== 'complete', 'the next job is not shown');
    const { states } = await seen();
    const done = states.findIndex(({ status }) => status === 'complete');
    expect(states[done].result.logos).toHaveLength(2);
    expect(states[done + 1].status).toBe('queued');
    await reaches('complete');
  });

  it('takes a cancel for an end', async () => {
    const { jobId } = await show({ count: 8 });
    await reaches('generating');
    await stage().user.api(`/jobs/${jobId}/cancel`, { method: 'POST' });
    await reaches('failed');
    expect(await last()).toMatchObject({ error: expect.stringMatching(/^Cancelled/), retriesLeft: 0 });
  });

  it('counts the attempts down, and says the same when it asks', async () => {
    const { user } = stage();
    await user.sandbox('fail', 'bfl', '--op', 'submit', '--status', '503');
    try {
      const { brandId, jobId } = await show({ count: 1 });
      await until(async () => isEnd(await last()), 'no end', LONG);
      const told = (await seen()).states.filter(({ status, error }) => status === 'failed' && error);
      expect(told.map(({ retriesLeft }) => retriesLeft)).toEqual([2, 1, 0]);
      await show({ brandId, jobId });
      await until(async () => (await seen()).states.some(({ error }) => error === told.at(-1).error));
      expect(await statusOf(jobId)).toMatchObject({ state: 'failed', failedReason: told.at(-1).error });
    } finally {
      await user.sandbox('clear');
    }
  });

  it('goes on at another process of the server, with everything it missed', async () => {
    const { two, wire } = stage();
    const { jobId } = await show({ count: 4 });
    await until(async () => (await last())?.progress > 5, 'it does not begin', LONG);
    wire.target = two.url;
    wire.cut();
    await until(async () => (await seen()).recovered.includes(true), 'not recovered', LONG);
    await reaches('complete');
    const { states } = await seen();
    const { result } = states.at(-1);
    expect(result.logos.map(({ job_id: job }) => job)).toEqual([jobId, jobId, jobId, jobId]);
  });

  it('hears of an end that came while it was away', async () => {
    const { user, wire, one } = stage();
    const { jobId } = await show({ count: 1 });
    await isConnected();
    wire.target = NOWHERE;
    wire.cut();
    await isOver(jobId);
    wire.target = one.url;
    await until(async () => (await seen()).jobResult?.logos?.length === 1, 'the store has no result', LONG);
    await reaches('complete');

    await user.sandbox('fail', 'bfl', '--moderate', '1');
    try {
      const failing = await show({ count: 1 });
      await isConnected();
      wire.target = NOWHERE;
      wire.cut();
      await isOver(failing.jobId);
      wire.target = one.url;
      await until(async () => (await seen()).jobError, 'the store has no error', LONG);
      expect((await seen()).jobError).toBe((await statusOf(failing.jobId)).failedReason);
    } finally {
      await user.sandbox('clear');
    }
  }, 3 * LONG);

  it('says in words that a brand or a job is not there', async () => {
    await show({ brandId: 'nope', jobId: 'nope' });
    await until(async () => (await seen()).complaints.length >= 2, 'it does not complain', LONG);
    expect((await seen()).complaints.toSorted().slice(0, 2)).toEqual([
      'Failed to join brand room: Brand not found or not authorized',
      'Failed to join job room: Job not found',
    ]);
  });

  it('comes back with a new token where one is refused', async () => {
    const { user } = stage();
    await show({ token: 'ended long ago', count: 1, refreshed: [user.token] });
    await reaches('complete');
  });

  it('cannot hammer the server with tokens that are refused', async () => {
    const began = Date.now();
    await show({ token: 'a forged one', refreshed: ['another forged one'] });
    await until(() => shown().length > 2 * REFUSED, 'it does not try again', LONG);
    expect((Date.now() - began) / 1000).toBeGreaterThan(REFUSED);
  });

  // Before the first word there is none.
  const isEnd = ({ status, error, retriesLeft } = {}) => status === 'failed' && error && retriesLeft === 0;
  // Both of its sockets: the one that is asked for the job's progress, and the one that recovers, which it does only if it
  // was connected before.
  const isConnected = () => until(async () => joined('job:join') && (await seen()).recovered.length > 0);
  const joined = (event) => stage().wire.received.some((text) => text.startsWith('43/wizard')) && said(event);
  const said = (event) => stage().wire.sent.some((text) => text.includes(event));
  const shown = () => stage().wire.sent.filter((text) => text.startsWith('40/wizard,'));
  const statusOf = (jobId) => stage().ask('job:status', { jobId });
}

const WORDS = ['queued', 'composing', 'generating', 'uploading', 'saving', 'complete'];
