import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { createSocket, useGenerationProgress, useReconnectionRecovery, useSocket } from '../src/index.js';
import { followJob } from '../src/follow-job.js';
import { render } from './render.js';
import { Bmn, until } from './server.js';
import { startWire } from './wire.js';

let server, user, brandId, wire;
const sockets = new Set();

beforeAll(async () => {
  server = await Bmn.start();
  user = await server.user();
  brandId = await user.brand();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  wire = await startWire(server.url);
});
afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  sockets.clear();
  await wire.close();
});

const provider = () => ({ url: wire.url, getToken: () => user.token });

function open(namespace) {
  const socket = createSocket(namespace, provider());
  sockets.add(socket);
  return socket;
}

/** Follows a job and keeps the number of every event that was passed on. */
function follow(socket, jobId) {
  const job = { state: null, seqs: [], heard: [] };
  for (const event of ['job:progress', 'job:complete']) {
    socket.on(event, (data) => data.jobId === jobId && job.heard.push(data.seq));
  }
  job.leave = followJob(socket, jobId, (state) => {
    job.state = state;
    if (job.seqs.at(-1) !== state.seq) job.seqs.push(state.seq);
  });
  return job;
}

const completed = (job) => until(() => job.state?.status === 'complete', () => JSON.stringify(job.state));
const upTo = (number) => Array.from({ length: number }, (_, index) => index + 1);
const joins = () => wire.sent.filter((text) => text.includes('"job:join"')).length;

describe('a connection that breaks', () => {
  it('goes on where it was: nothing lost, nothing twice, no room asked for again', async () => {
    const socket = open('/wizard');
    const job = follow(socket, await user.logos(brandId));
    await until(() => job.state?.progress > 10);
    const before = socket.id;
    wire.cut();
    await until(() => !socket.connected);
    await completed(job);
    expect({ id: socket.id, recovered: socket.recovered, connections: wire.connections }).toEqual({
      id: before,
      recovered: true,
      connections: 2,
    });
    expect(job.heard).toEqual(upTo(job.state.seq));
    expect(job.state.assets).toHaveLength(4);
    expect(joins()).toBe(1);
  });

  it('catches up where the server has forgotten the session', async () => {
    const socket = open('/wizard');
    const job = follow(socket, await user.logos(brandId));
    await until(() => job.state?.progress > 10);
    wire.toServer = (text) => text.replace(/"pid":"[^"]*"/, '"pid":"forgotten"');
    wire.cut();
    await completed(job);
    expect(socket.recovered).toBe(false);
    expect(job.seqs).toEqual([...job.seqs].sort((one, other) => one - other));
    expect(job.state.seq).toBe((await user.api(`/jobs/${job.state.assets[0].job_id}`)).lastSeq);
    expect(joins()).toBe(2);
  });

  it('closes a gap: an event that got lost on the way is asked for, and comes in its place', async () => {
    let lost = 0;
    wire.toClient = (text) => (/"seq": ?5\b/.test(text) && !lost++ ? null : text);
    const job = follow(open('/wizard'), await user.logos(brandId));
    await completed(job);
    expect(lost).toBeGreaterThan(0);
    expect(job.seqs).toEqual(upTo(job.state.seq));
    expect(joins()).toBe(2);
  });

  it('asks again, recovered or not, where the answer to its first question got lost', async () => {
    let lost = 0;
    wire.toClient = (text) => (text.startsWith('43') && !lost++ ? null : text);
    const socket = open('/wizard');
    const job = follow(socket, await user.logos(brandId, 1));
    await until(() => lost > 0);
    wire.cut();
    await completed(job);
    expect(socket.recovered).toBe(true);
    expect(joins()).toBe(2);
    expect(job.seqs).toEqual(upTo(job.state.seq));
  });
});

describe('a server that restarts', () => {
  for (const kill of [false, true]) {
    it(`${kill ? 'after it was killed' : 'in order'} loses nothing of a job that runs`, async () => {
      const jobId = await user.logos(brandId);
      const { job } = render(provider(), { job: () => useGenerationProgress(brandId, jobId) }).seen;
      await until(() => job.now?.progress > 10);
      await server.down({ kill });
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
    await until(async () => (await user.api(`/jobs/${next}`)).state === 'completed' && heard > 0); // by the brand's room
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
