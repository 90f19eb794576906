import { afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';

import { createSocket, useApi, useGenerationProgress, useJobs, useSocket } from '../src/index.js';
import { render } from './render.js';
import { newUser, until } from './server.js';
import { startWire } from './wire.js';

let user, wire;
const sockets = new Set();

beforeAll(async () => {
  user = await newUser(inject('bmn'));
});
beforeEach(async () => {
  wire = await startWire(user.url);
});
afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  sockets.clear();
  await wire.close();
});

function open(namespace, options) {
  const socket = createSocket(namespace, { url: wire.url, ...options });
  sockets.add(socket);
  return socket;
}

/** The tokens that were shown to a namespace, in order. */
const shown = (namespace = '/wizard') =>
  wire.sent
    .filter((text) => text.startsWith(`40${namespace},`))
    .map((text) => JSON.parse(text.slice(text.indexOf('{'))).token);

describe('tokens', () => {
  it('are asked for at each connection, so that a stale one is never shown', async () => {
    let token = user.token;
    const socket = open('/wizard', { getToken: async () => token });
    await until(() => socket.connected);
    token = await user.tokenFor(600);
    wire.cut();
    await until(() => wire.connections === 2 && socket.connected);
    expect(shown()).toEqual([user.token, token]);
  });

  it('are refreshed once when they are refused', async () => {
    const refreshToken = vi.fn(async () => user.token);
    const socket = open('/wizard', { getToken: () => 'ended long ago', refreshToken });
    await until(() => socket.connected);
    expect(refreshToken).toHaveBeenCalledTimes(1);
    expect(shown()).toEqual(['ended long ago', user.token]);
  });

  it('that end are told, refreshed once for all, and the session goes on', async () => {
    let token = await user.tokenFor(-20); // taken for ten seconds more
    const refreshToken = vi.fn(async () => (token = await user.tokenFor(600)));
    const brandId = await user.brand();
    const jobId = await user.logos(brandId);
    const page = render(
      { url: wire.url, getToken: () => token, refreshToken },
      {
        job: () => useGenerationProgress(brandId, jobId),
        wizard: () => useSocket('/wizard'),
        dashboard: () => useSocket('/dashboard'),
      },
    );
    const { job, wizard, dashboard } = page.seen;
    await until(() => job.now?.status === 'complete');
    await until(() => wizard.now.recovered && dashboard.now.recovered);
    expect(refreshToken).toHaveBeenCalledTimes(1);
    expect(wizard.all.filter(({ error }) => error)).toEqual([]);
    expect(job.now.assets).toHaveLength(4);
    expect([shown('/wizard').at(-1), shown('/dashboard').at(-1)]).toEqual([token, token]);
  });

  it('that stay refused end the attempts after three', async () => {
    let made = 0;
    const refreshToken = vi.fn(async () => `no good ${(made += 1)}`);
    const socket = open('/wizard', { getToken: () => 'no good', refreshToken });
    const refusals = [];
    socket.on('connect_error', (error) => refusals.push(error.message));
    await until(() => refusals.length === 4);
    expect(new Set(refusals)).toEqual(new Set(['Authentication failed: invalid token']));
    expect(refreshToken).toHaveBeenCalledTimes(3);
    expect(shown()).toEqual(['no good', 'no good 1', 'no good 2', 'no good 3']);
    expect(socket.active).toBe(false);
  });

  it('that a refresh brings unchanged are not tried again', async () => {
    const refreshToken = vi.fn(async () => 'no good');
    const socket = open('/wizard', { getToken: () => 'no good', refreshToken });
    const refused = vi.fn();
    socket.on('connect_error', refused);
    await until(() => refreshToken.mock.calls.length > 0 && refused.mock.calls.length > 0);
    expect(shown()).toEqual(['no good']);
  });

  it('that nobody has are said to be missing, and the next sign-in connects', async () => {
    let token = null;
    const page = render({ url: wire.url, getToken: () => token }, { socket: () => useSocket('/wizard') });
    const { socket } = page.seen;
    await until(() => socket.now?.error?.message === 'Authentication required: no token provided');
    token = user.token;
    socket.now.socket.connect();
    await until(() => socket.now.connected);
    expect(socket.now.error).toBeNull();
  });

  it('that the application cannot get are told in its own words, to a page and to a socket', async () => {
    const getToken = async () => {
      throw new Error('Brand not found');
    };
    const page = render(
      { url: wire.url, getToken, refreshToken: getToken },
      { socket: () => useSocket('/wizard'), jobs: () => useJobs() },
    );
    const said = (hook) => page.seen[hook].now?.error?.message;
    await until(() => said('socket') === 'Brand not found' && said('jobs') === 'Brand not found', () => said('socket'));
  });

  it('are refreshed for the HTTP API too', async () => {
    const refreshToken = vi.fn(async () => user.token);
    const page = render({ url: wire.url, getToken: () => 'ended', refreshToken }, { api: () => useApi() });
    await until(() => page.seen.api.now);
    const answers = await Promise.all(['/brands', '/credits'].map((path) => page.seen.api.now(path)));
    expect(answers).toMatchObject([{ brands: expect.any(Array) }, { userId: user.id }]);
    expect(refreshToken.mock.calls.length).toBeLessThanOrEqual(2);
    await expect(page.seen.api.now('/jobs/nothing')).rejects.toMatchObject({ name: 'ApiError' });
  });
});

describe('a refusal', () => {
  it('of a token that can be renewed is not shown', async () => {
    const page = render(
      { url: wire.url, getToken: () => 'ended while the tab slept', refreshToken: async () => user.token },
      { socket: () => useSocket('/wizard') },
    );
    await until(() => page.seen.socket.now?.connected);
    expect(page.seen.socket.all.filter(({ error }) => error)).toEqual([]);
    expect(shown()).toHaveLength(2);
  });

  it('for good is not argued with', async () => {
    const refreshToken = vi.fn();
    const socket = open('/admin', { getToken: () => user.token, refreshToken });
    const refused = vi.fn();
    socket.on('connect_error', refused);
    await until(() => refused.mock.calls.length > 0);
    expect(refused.mock.calls[0][0].message).toBe('Admin access required');
    expect(socket.active).toBe(false);
    expect(refreshToken).not.toHaveBeenCalled();
  });

  it('by a server that ends the connection is followed by another try, after a wait', async () => {
    const page = render({ url: wire.url, getToken: () => user.token }, { socket: () => useSocket('/wizard') });
    const { socket } = page.seen;
    await until(() => socket.now?.connected);
    wire.say('41/wizard,');
    await until(() => socket.now.error?.message === 'The server has ended the connection.');
    await until(() => socket.now.connected && socket.now.error === null);
    expect(shown()).toHaveLength(2);
  });

  it('is not followed by another try once the application has disconnected', async () => {
    const socket = open('/wizard', { getToken: () => user.token });
    await until(() => socket.connected);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      wire.say('41/wizard,');
      await vi.waitUntil(() => !socket.connected);
      socket.disconnect();
      await vi.advanceTimersByTimeAsync(60_000);
    } finally {
      vi.useRealTimers();
    }
    expect(socket.active).toBe(false);
    expect(shown()).toHaveLength(1);
  });
});
