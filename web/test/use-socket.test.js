import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';

import { RECONNECTION, waitBefore } from '../src/socket-client.js';
import { useBrandAssets, useGenerationProgress, useReconnectionRecovery, useSocket } from '../src/index.js';
import { render } from './render.js';
import { newUser, until } from './server.js';
import { startWire } from './wire.js';

let user, wire, provider;

beforeAll(async () => {
  user = await newUser(inject('bmn'));
});
beforeEach(async () => {
  wire = await startWire(user.url);
  provider = { url: wire.url, getToken: () => user.token };
});
afterEach(() => wire.close());

const CONNECTION = ['connect', 'disconnect', 'connect_error'];
const JOB = ['job:progress', 'job:complete', 'job:failed', 'job:cancelled', 'job:tool-error', 'agent:message'];
const EVENTS = [...CONNECTION, ...JOB, 'asset:new', 'brand:updated'];
const handlers = (socket) => EVENTS.reduce((sum, event) => sum + socket.listeners(event).length, 0);
const wizard = () => useSocket('/wizard');

describe('useSocket', () => {
  it('shows the socket once there is one, and that it is connected', async () => {
    const page = render(provider, { socket: wizard });
    const { socket } = page.seen;
    await until(() => socket.now?.connected);
    expect(socket.all[0]).toMatchObject({ socket: null, connected: false, error: null });
    expect(socket.now).toMatchObject({ recovered: false, error: null });
  });

  it('connects once for all components of a provider, in StrictMode too', async () => {
    const page = render(provider, { one: wizard, two: wizard, other: () => useSocket('/dashboard') }, { strict: true });
    const { one, two, other } = page.seen;
    await until(() => one.now?.connected && two.now?.connected && other.now?.connected);
    expect(one.now.socket).toBe(two.now.socket);
    expect(wire.connections).toBe(1);
    expect(wire.sent.filter((text) => text.startsWith('40/wizard'))).toHaveLength(1);
  });

  it('stays for those who are left, and ends with the last', async () => {
    const page = render(provider, { one: wizard, two: wizard });
    await until(() => page.seen.one.now?.connected);
    const { socket } = page.seen.one.now;
    page.show({ two: wizard });
    expect(await socket.emitWithAck('job:status', {})).toEqual({ error: 'jobId required' });
    page.unmount();
    await until(() => !socket.connected);
    expect(socket.active).toBe(false);
  });

  it('does not connect while it is not enabled', async () => {
    const off = () => useSocket('/wizard', { enabled: false });
    const page = render(provider, { socket: off, other: () => useSocket('/dashboard') });
    await until(() => page.seen.other.now?.connected);
    expect(page.seen.socket.now).toMatchObject({ socket: null, connected: false });
    page.show({ socket: wizard });
    await until(() => page.seen.socket.now.connected);
    page.show({ socket: off });
    await until(() => page.seen.socket.now.socket === null);
  });

  it('emits, and hands on the answer', async () => {
    const page = render(provider, { socket: wizard });
    await until(() => page.seen.socket.now?.connected);
    const brandId = await user.brand();
    const answer = await new Promise((done) => page.seen.socket.now.emit('brand:join', { brandId }, done));
    expect(answer).toEqual({ ok: true });
  });

  it('leaves no handler behind when components go, however many connections there were', async () => {
    const brandId = await user.brand();
    const jobId = await user.logos(brandId, 1);
    const all = {
      socket: () => {
        const state = useSocket('/wizard');
        useReconnectionRecovery(state.socket, { brandId, jobIds: [jobId] });
        return state;
      },
      job: () => useGenerationProgress(brandId, jobId),
      assets: () => useBrandAssets(brandId),
      dashboard: () => useSocket('/dashboard'),
      // These keep the connections while the others go.
      keepWizard: wizard,
      keepDashboard: () => useSocket('/dashboard'),
    };
    const { keepWizard, keepDashboard } = all;
    const page = render(provider, { keepWizard, keepDashboard });
    await until(() => page.seen.keepWizard.now?.connected && page.seen.keepDashboard.now?.connected);
    const sockets = [page.seen.keepWizard.now.socket, page.seen.keepDashboard.now.socket];
    const before = sockets.map(handlers);
    const waiting = () => sockets.map((socket) => socket.listeners('connect').length);
    const [wizards, dashboards] = waiting();
    for (let round = 0; round < 2; round += 1) {
      page.show(all);
      // On one: useSocket, its recovery, the job. On the other: the pictures, useSocket.
      await until(() => String(waiting()) === String([wizards + 3, dashboards + 2]));
      const during = sockets.map(handlers);
      const { connections } = wire;
      wire.cut();
      await until(() => wire.connections > connections && sockets.every(({ connected }) => connected));
      expect(sockets.map(handlers)).toEqual(during);
      page.show({ keepWizard, keepDashboard });
      await until(() => String(sockets.map(handlers)) === String(before));
    }
    page.unmount();
    await until(() => sockets.every((socket) => !socket.active));
    expect(sockets.map(handlers).every((count, index) => count <= before[index])).toBe(true);
  });

  it('needs a provider, and says so', async () => {
    const { createElement } = await import('react');
    const { renderToString } = await import('react-dom/server');
    const Lonely = () => wizard().connected;
    expect(() => renderToString(createElement(Lonely))).toThrow('need a <BmnProvider');
  });
});

describe('the waits between attempts', () => {
  it('begin at a second, double, never pass thirty, and spread by half', () => {
    const figures = { reconnectionAttempts: 20, reconnectionDelay: 1000, reconnectionDelayMax: 30_000 };
    expect(RECONNECTION).toMatchObject({ ...figures, randomizationFactor: 0.5 });
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const middle = 1000 * 2 ** attempt;
      const waits = Array.from({ length: 50 }, () => waitBefore(attempt));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(Math.min(30_000, middle / 2));
      expect(Math.max(...waits)).toBeLessThanOrEqual(Math.min(30_000, middle * 1.5));
      if (attempt < 4) expect(new Set(waits).size).toBeGreaterThan(1);
    }
  });
});
