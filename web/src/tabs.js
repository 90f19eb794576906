import { holdConnection } from './holder.js';
import { TabSocket } from './tab-socket.js';

/**
 * @typedef {{ kind: 'open' } | { kind: 'close' } | { kind: 'connect' }
 *   | { kind: 'emit', event: string, args: any[], ask?: number }} Request  of a tab, to the one that holds the connection
 * @typedef {{ kind: 'event', event: string, args: any[] } | { kind: 'answer', ask: number, args: any[] }
 *   | { kind: 'state', holder: string, connected: boolean, recovered: boolean, reason?: string, error?: string }} Told
 *   what that one tells
 * @typedef {{ from: string, namespace: string, to?: string, request?: Request, told?: Told, holder?: 'new' | 'gone' }} Message
 */

const HIDDEN_MS = 30_000;

/** What browsers share between tabs; a page without it, such as one over plain http, has a connection of its own. */
const LOCKS = globalThis.navigator?.locks;

/**
 * All tabs of a browser that show the same user share one connection. One tab holds it: the one that has the lock of its
 * name. It tells the others what comes, and sends what they ask. When it is closed, or hidden while another waits, the
 * next one takes over; when all are hidden, nobody holds it, and a tab that is shown again catches up.
 *
 * @param {() => Promise<string | null>} name  of what is shared; null: nothing is
 * @param {(namespace: string) => import('socket.io-client').Socket} open
 * @param {() => Promise<string>} explain  why nothing answers
 */
export function shareBetweenTabs(name, open, explain) {
  const id = Math.random().toString(36).slice(2);
  /** @type {Map<string, TabSocket>} */
  const sockets = new Map();
  /** @type {ReturnType<typeof holdConnection> | null} */
  let holding = null;
  /** @type {BroadcastChannel | null} */
  let channel = null;
  /** @type {string | null} */
  let shared = null;
  /** @type {AbortController | null} */
  let waiting = null;
  /** @type {() => void} */
  let letGo = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let hiding;
  let running = false;

  /** @param {Message} message  to all tabs, this one included */
  function post(message) {
    channel?.postMessage(message);
    take(message);
  }

  /** @param {Message} message */
  function take(message) {
    const { namespace, to, request, told, holder } = message;
    if (request) holding?.take(message.from, namespace, request);
    else if (told && (!to || to === id)) sockets.get(namespace)?.take(told);
    else if (holder === 'new') for (const [each, socket] of sockets) if (socket.active) ask(each, { kind: 'open' });
    if (holder === 'gone') for (const socket of sockets.values()) socket.lost('transport close');
  }

  /** @param {string} namespace @param {Request} request */
  const ask = (namespace, request) => post({ from: id, namespace, request });

  /** Holds the connection until it is let go. */
  function hold() {
    const gone = new Promise((done) => (letGo = () => done(undefined)));
    const tell = (/** @type {string} */ namespace, /** @type {Told} */ told, /** @type {string | undefined} */ to) =>
      post({ from: id, namespace, told, to });
    holding = holdConnection({ id, open, explain, post: tell, ends });
    post({ from: id, namespace: '', holder: 'new' });
    return gone.then(() => {
      holding?.end();
      holding = null;
      post({ from: id, namespace: '', holder: 'gone' });
    });
  }

  /** Calls back when a tab is gone. @param {string} tab @param {() => void} callback */
  function ends(tab, callback) {
    const stop = new AbortController();
    if (tab !== id && shared) LOCKS.request(presence(tab), { signal: stop.signal }, callback).catch(() => {});
    return () => stop.abort();
  }
  const presence = (/** @type {string} */ tab) => `${shared} tab ${tab}`;

  function wait() {
    if (holding || waiting || !running) return;
    if (!shared) {
      hold();
      return;
    }
    waiting = new AbortController();
    LOCKS.request(shared, { signal: waiting.signal }, () => {
      waiting = null;
      return hold();
    }).catch(() => {});
  }

  async function onVisibility() {
    clearTimeout(hiding);
    if (document.visibilityState === 'visible') {
      wait();
      return;
    }
    waiting?.abort();
    waiting = null;
    if (!holding) return;
    const { pending = [] } = shared ? await LOCKS.query() : {};
    if (pending.some((lock) => lock.name === shared)) letGo();
    else hiding = setTimeout(letGo, HIDDEN_MS);
  }

  async function start() {
    if (running) return;
    running = true;
    shared = LOCKS && globalThis.BroadcastChannel ? await name() : null;
    if (!running) return;
    if (shared) {
      channel = new BroadcastChannel(shared);
      channel.onmessage = ({ data }) => take(data);
      LOCKS.request(presence(id), () => new Promise((done) => (leave = () => done(undefined))));
    }
    document.addEventListener('visibilitychange', onVisibility);
    for (const [namespace, socket] of sockets) if (socket.active) ask(namespace, { kind: 'open' });
    if (document.visibilityState === 'visible') wait();
  }
  /** @type {() => void} */
  let leave = () => {};

  function stop() {
    running = false;
    clearTimeout(hiding);
    waiting?.abort();
    waiting = null;
    letGo();
    leave();
    document.removeEventListener('visibilitychange', onVisibility);
    queueMicrotask(() => {
      channel?.close();
      channel = null;
    });
  }

  return {
    /** @param {string} namespace */
    socket(namespace) {
      const socket = new TabSocket((request) => ask(namespace, request));
      sockets.set(namespace, socket);
      start();
      return {
        value: socket,
        stop: () => {
          socket.disconnect();
          sockets.delete(namespace);
          if (!sockets.size) stop();
        },
      };
    },
  };
}
