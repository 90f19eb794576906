import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { useGenerationProgress, useReconnectionRecovery, useSocket } from '../src/index.js';
import { render } from './render.js';
import { Bmn, until } from './server.js';
import { startWire } from './wire.js';

let server, user, brandId, wire;

beforeAll(async () => {
  server = await Bmn.start({ speed: 1 });
  user = await server.user();
  brandId = await user.brand();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  wire = await startWire(server.url);
});
afterEach(() => wire.close());

const provider = () => ({ url: wire.url, getToken: () => user.token });

describe('a server that restarts', () => {
  for (const kill of [false, true]) {
    it(`${kill ? 'after it was killed' : 'in order'} loses nothing of a job that runs`, async () => {
      const jobId = await user.logos(brandId);
      const { job } = render(provider(), { job: () => useGenerationProgress(brandId, jobId) }).seen;
      await until(() => job.now?.progress > 10);
      await server.down({ kill });
      expect(job.now.ended).toBe(false);
      await server.up();
      await until(() => job.now.status === 'complete', () => JSON.stringify(job.now), 50_000);
      const progress = job.all.map((state) => state.progress);
      expect(job.now.assets).toHaveLength(4);
      expect(new Set(job.now.assets.map(({ id }) => id)).size).toBe(4);
      expect(progress).toEqual([...progress].sort((one, other) => one - other));
      expect((await user.api(`/jobs/${jobId}`)).creditsCharged).toBe(4);
    });
  }
});

describe('useReconnectionRecovery', () => {
  function watching(jobIds, told) {
    return render(provider(), {
      socket: () => {
        const { socket, connected, recovered } = useSocket('/wizard');
        useReconnectionRecovery(socket, { brandId, jobIds, onState: (status) => told.push(status) });
        return { socket, connected, recovered };
      },
    });
  }
  const asked = () => wire.sent.filter((text) => /brand:join|job:join|job:status/.test(text)).length;

  it('enters the rooms again and asks how the jobs are, where the session is lost', async () => {
    const told = [];
    const jobId = await user.logos(brandId, 1);
    const page = watching([jobId], told);
    await until(() => page.seen.socket.now?.connected);
    expect(asked()).toBe(0);
    wire.toServer = (text) => text.replace(/"pid":"[^"]*"/, '"pid":"forgotten"');
    wire.cut();
    await until(() => told.length > 0);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ jobId, seq: expect.any(Number), state: expect.any(String) });
    expect(asked()).toBe(3);
    const { socket } = page.seen.socket.now;
    let heard = 0;
    socket.on('job:complete', () => (heard += 1));
    const next = await user.logos(brandId, 1);
    const isDone = async () => (await user.api(`/jobs/${next}`)).state === 'completed';
    await until(async () => heard > 0 && (await isDone())); // heard in the brand's room
  });

  it('asks nothing where the session went on', async () => {
    const told = [];
    const page = watching(['logo-generation-00000000-0000-4000-8000-000000000000'], told);
    await until(() => page.seen.socket.now?.connected);
    wire.cut();
    await until(() => page.seen.socket.now.recovered);
    await page.seen.socket.now.socket.emitWithAck('brand:leave', { brandId });
    expect(asked()).toBe(0);
    expect(told).toEqual([]);
  });
});
