// @vitest-environment node
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';

import { followJob } from '../src/follow-job.js';
import { createSocket } from '../src/index.js';
import { newUser, until } from './server.js';
import { startWire } from './wire.js';

let user, brandId, wire;
const sockets = new Set();

beforeAll(async () => {
  user = await newUser(inject('bmn'));
  brandId = await user.brand();
});
beforeEach(async () => {
  wire = await startWire(user.url);
});
afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  sockets.clear();
  await wire.close();
});

function open(namespace) {
  const socket = createSocket(namespace, { url: wire.url, getToken: () => user.token });
  sockets.add(socket);
  return socket;
}

/** Follows a job and keeps the number of every event that was passed on. */
function follow(socket, jobId) {
  const job = { state: null, states: [], seqs: [], heard: [] };
  for (const event of ['job:progress', 'job:complete']) {
    socket.on(event, (data) => data.jobId === jobId && job.heard.push(data.seq));
  }
  job.leave = followJob(socket, jobId, (state) => {
    job.state = state;
    job.states.push(state);
    if (job.seqs.at(-1) !== state.seq) job.seqs.push(state.seq);
  });
  return job;
}

const completed = (job) => until(() => job.state?.status === 'complete', () => JSON.stringify(job.state));
const upTo = (number) => Array.from({ length: number }, (_, index) => index + 1);
const joins = () => wire.sent.filter((text) => text.includes('"job:join"')).length;

it('a job tells each step, and each picture as it comes', async () => {
  const job = follow(open('/wizard'), await user.logos(brandId));
  await completed(job);
  expect(job.seqs).toEqual(upTo(job.state.seq));
  const running = job.states.filter(({ ended }) => !ended);
  expect(new Set(running.map(({ assets }) => assets.length))).toEqual(new Set([0, 1, 2, 3, 4]));
  expect(new Set(running.map(({ progress }) => progress)).size).toBeGreaterThan(4);
});

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
