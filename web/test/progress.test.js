import { beforeAll, describe, expect, inject, it } from 'vitest';

import { useGenerationProgress, useSocket } from '../src/index.js';
import { render } from './render.js';
import { newUser, until } from './server.js';

let user, brandId, provider;

beforeAll(async () => {
  user = await newUser(inject('bmn'));
  brandId = await user.brand();
  provider = { url: user.url, getToken: () => user.token };
});

function follow(jobId, options) {
  return render(provider, { job: () => useGenerationProgress(brandId, jobId) }, options);
}

const now = (page) => page.seen.job.now;
const is = (page, status) =>
  until(
    () => now(page)?.status === status,
    () => `not ${status}: ${JSON.stringify(now(page))}`,
  );

describe('useGenerationProgress', () => {
  it('shows a real job from the beginning to four pictures', async () => {
    const page = follow(await user.logos(brandId));
    await is(page, 'complete');
    const { progress, result, assets, error, partial } = now(page);
    expect({ progress, error, partial }).toEqual({ progress: 100, error: null, partial: false });
    expect(assets).toHaveLength(4);
    expect(assets.map(({ id }) => id)).toEqual(result.logos.map(({ id }) => id));
    for (const { url } of assets) {
      const answer = await fetch(url);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
    }
  });

  it('moves, and never goes back', async () => {
    const page = follow(await user.logos(brandId));
    await is(page, 'complete');
    const states = page.seen.job.all;
    const seqs = states.map(({ seq }) => seq);
    const progress = states.map(({ progress }) => progress);
    expect(seqs).toEqual([...seqs].sort((one, other) => one - other));
    expect(progress).toEqual([...progress].sort((one, other) => one - other));
    expect(new Set(progress).size).toBeGreaterThan(2);
    expect(now(page).seq).toBe((await user.api(`/jobs/${(await latest()).jobId}`)).lastSeq);
  });

  it('tells a component that comes after the end all of it', async () => {
    const first = follow(await user.logos(brandId, 1));
    await is(first, 'complete');
    first.unmount();
    const page = follow((await latest()).jobId);
    await is(page, 'complete');
    expect(now(page).assets).toHaveLength(1);
  });

  it('works in StrictMode, on one connection', async () => {
    const page = follow(await user.logos(brandId, 2), { strict: true });
    await is(page, 'complete');
    expect(now(page).assets).toHaveLength(2);
  });

  it('shares one follower, which goes on when one of two components is gone', async () => {
    const jobId = await user.logos(brandId, 2);
    const hook = () => useGenerationProgress(brandId, jobId);
    const socket = () => useSocket('/wizard');
    const page = render(provider, { job: hook, other: hook, socket });
    await until(() => page.seen.job.now?.seq > 0 && page.seen.other.now?.seq > 0);
    expect(page.seen.job.now.seq).toBe(page.seen.other.now.seq);
    expect(page.seen.socket.now.socket.listeners('job:progress')).toHaveLength(1);
    page.show({ job: hook, socket });
    await is(page, 'complete');
    expect(page.seen.other.now.status).not.toBe('complete');
  });

  it('knows a cancelled job, which is no failure', async () => {
    const jobId = await user.logos(brandId, 8);
    const page = follow(jobId);
    await is(page, 'generating');
    await user.api(`/jobs/${jobId}/cancel`, { method: 'POST' });
    await is(page, 'cancelled');
    expect(now(page)).toMatchObject({ error: null, ended: true });
    expect(now(page).message).toMatch(/^Cancelled/);
  });

  it('tells a retry from an end, and says why', async () => {
    await user.sandbox('fail', 'bfl', '--op', 'submit', '--status', '503');
    try {
      const page = follow(await user.logos(brandId, 1));
      await is(page, 'retrying');
      expect(now(page)).toMatchObject({ cause: 'provider_overloaded', ended: false });
      expect(now(page).retriesLeft).toBeGreaterThan(0);
      expect(now(page).retryAt).toBeGreaterThan(0);
      await is(page, 'failed');
      const failures = page.seen.job.all.filter(({ error }) => error);
      const told = failures.map(({ status, retriesLeft }) => [status, retriesLeft]);
      expect(told).toEqual([
        ['retrying', 2],
        ['retrying', 1],
        ['failed', 0],
      ]);
    } finally {
      await user.sandbox('clear');
    }
  });

  it("says that somebody else's job is not there", async () => {
    const stranger = await newUser(inject('bmn'));
    const jobId = await stranger.logos(await stranger.brand(), 1);
    const page = follow(jobId);
    await is(page, 'failed');
    expect(now(page)).toMatchObject({ error: 'Job not found', ended: true });
  });

  it('is idle without a job, after reset, and follows the next one', async () => {
    let jobId = null;
    const hook = () => useGenerationProgress(brandId, jobId);
    const page = render(provider, { job: hook });
    await is(page, 'idle');

    jobId = await user.logos(brandId, 1);
    page.show({ job: hook });
    await is(page, 'complete');
    now(page).reset();
    await is(page, 'idle');

    jobId = await user.logos(brandId, 1);
    page.show({ job: hook });
    await is(page, 'complete');
  });
});

async function latest() {
  return (await user.api('/jobs?limit=1&queue=logo-generation')).jobs[0];
}
