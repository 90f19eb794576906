import { singleFlight } from './single-flight.js';
import { explain } from './diagnosis.js';
import { createSocket } from './socket-client.js';
import { shareBetweenTabs } from './tabs.js';

/** What entering and leaving a room is called. */
const DOORS = { '/wizard': ['join', 'leave'], '/dashboard': ['watch', 'unwatch'] };

/**
 * @template T
 * @typedef {object} Shared
 * @property {T} value
 * @property {number} users
 * @property {() => void} stop
 * @property {ReturnType<typeof setTimeout>} [stopping]
 */

/**
 * What all components below one provider share: one socket a namespace, one follower a job. Each is made for the first
 * who asks, and ends after the last has gone. The connection behind them is shared with the browser's other tabs.
 */
export class Connections {
  /** @param {import('./socket-client.js').ConnectOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<string, Shared<any>>} */
    this.shared = new Map();
    this.tabs = shareBetweenTabs(
      () => sharedName(options),
      (namespace) => createSocket(namespace, options),
      () => explain(options.url),
    );
  }

  /**
   * Takes part in something shared. Its end waits for a moment, since React takes effects down and up again, in
   * StrictMode and when a page changes.
   *
   * @template T
   * @param {string} key
   * @param {() => { value: T, stop: () => void }} make
   * @returns {{ value: T, release: () => void }}
   */
  take(key, make) {
    /** @type {Shared<T>} */
    const entry = this.shared.get(key) ?? { ...make(), users: 0 };
    this.shared.set(key, entry);
    clearTimeout(entry.stopping);
    entry.users += 1;
    let held = true;

    const release = () => {
      if (!held) return;
      held = false;
      entry.users -= 1;
      if (entry.users) return;
      entry.stopping = setTimeout(() => {
        this.shared.delete(key);
        entry.stop();
      }, 0);
    };
    return { value: entry.value, release };
  }

  /**
   * The socket of a namespace.
   *
   * @param {string} namespace
   */
  socket(namespace) {
    return this.take(`socket ${namespace}`, () => this.tabs.socket(namespace));
  }

  /**
   * Sits in a room, also after each break, until the last of those who want to has gone.
   *
   * @param {'user' | 'brand' | 'group'} what
   * @param {{ brandId?: string, groupId?: string }} body
   * @param {keyof typeof DOORS} [namespace]
   */
  room(what, body, namespace = '/wizard') {
    return this.take(`room ${namespace} ${what} ${Object.values(body).join()}`, () => {
      const [enter, leave] = DOORS[namespace];
      const { value: socket, release } = this.socket(namespace);
      const join = () => {
        if (!socket.recovered) socket.emit(`${what}:${enter}`, body);
      };
      socket.on('connect', join);
      if (socket.connected) socket.emit(`${what}:${enter}`, body);
      const stop = () => {
        socket.off('connect', join);
        if (socket.connected) socket.emit(`${what}:${leave}`, body);
        release();
      };
      return { value: undefined, stop };
    });
  }

  /**
   * Asks the HTTP API. A refused token is refreshed once.
   *
   * @param {string} path  below `/api/v1`, such as `/brands`
   * @param {{ method?: string, body?: unknown, headers?: Record<string, string> }} [request]
   * @returns {Promise<any>} the JSON of the answer
   * @throws {ApiError} where the server refuses
   */
  async api(path, request = {}) {
    const { getToken, refreshToken } = this.options;
    const answer = await this.ask(path, request, await getToken());
    if (answer.status !== 401 || !refreshToken) return readAnswer(answer);
    const token = await singleFlight(refreshToken);
    return readAnswer(token ? await this.ask(path, request, token) : answer);
  }

  /**
   * @param {string} path
   * @param {{ method?: string, body?: unknown, headers?: Record<string, string> }} request
   * @param {import('./socket-client.js').Token} token
   */
  async ask(path, { method = 'GET', body, headers = {} }, token) {
    const { url } = this.options;
    try {
      return await fetch(`${url.replace(/\/+$/, '')}/api/v1${path}`, {
        method,
        headers: {
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw new ApiError(0, { error: await explain(url), code: 'unreachable' });
    }
  }
}

/**
 * What tabs that may share a connection call it: they show the same server to the same user.
 *
 * @param {import('./socket-client.js').ConnectOptions} options
 * @returns {Promise<string | null>} null where the token does not say whose it is
 */
async function sharedName({ url, getToken }) {
  try {
    const [, claims] = ((await getToken()) ?? '').split('.');
    const { sub } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')));
    return sub ? `bmn ${url} ${sub}` : null;
  } catch {
    return null;
  }
}

/** What the server said instead of doing what it was asked. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} details  the body: `error`, `hint`, `code`, and what else belongs to it
   */
  constructor(status, details) {
    super(details.error ?? `The server answered with ${status}.`);
    this.name = 'ApiError';
    this.status = status;
    this.details = details;
  }
}

/** @param {Response} answer */
async function readAnswer(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiError(answer.status, body);
  return body;
}
