import { io } from 'socket.io-client';

import { singleFlight } from './single-flight.js';
import { onWake } from './waking.js';

/**
 * @typedef {string | null | undefined} Token
 * @typedef {() => Token | Promise<Token>} GetToken
 *   The access token as it is now. Asked again at every connection, so that none is made with a stale one.
 * @typedef {() => Token | Promise<Token>} RefreshToken
 *   Obtains a new access token, and resolves to it; to null where the user has to sign in again.
 *
 * @typedef {object} ConnectOptions
 * @property {string} url        The server, such as `https://api.example.com`.
 * @property {GetToken} getToken
 * @property {RefreshToken} [refreshToken]
 *
 * @typedef {Error & { mended?: Promise<boolean> }} Refused  mended: whether there is another token now, and another try
 */

export const RECONNECTION = Object.freeze({
  reconnection: true,
  reconnectionAttempts: 20,
  reconnectionDelay: 1000,
  reconnectionDelayMax: 30_000,
  randomizationFactor: 0.5,
});

/** Polling first where a WebSocket opened and brought nothing: some networks let one through and then forget it. */
const TRANSPORTS = [
  ['websocket', 'polling'],
  ['polling', 'websocket'],
];

const REFRESHES = 3;
const HELD = 60_000; // a connection that lasted this long was a good one
const SIGN_IN = /^Authentication (required|failed)/;
const FOR_GOOD = /^(Admin access required|Invalid namespace)/;

/**
 * A Socket.IO client for one namespace that looks after itself: it comes back after a break of any kind, waits longer
 * each time (1 s to 30 s, with jitter), gives up after 20 attempts in a row, and gets a new token where the old one is
 * refused or has ended. `socket.disconnect()` ends all of that, `socket.connect()` begins it anew.
 *
 * @param {string} namespace  `/wizard`, `/dashboard` or `/admin`
 * @param {ConnectOptions} options
 * @returns {import('socket.io-client').Socket}
 */
export function createSocket(namespace, { url, getToken, refreshToken }) {
  const socket = io(url.replace(/\/+$/, '') + namespace, {
    ...RECONNECTION,
    transports: TRANSPORTS[0],
    tryAllTransports: true,
    timeout: 10_000,
    autoConnect: false,
    auth: (send) => {
      const engine = socket.io.engine;
      tokens.read().then((token) => {
        // A connection that broke meanwhile asks anew; two CONNECTs on one would be refused.
        if (socket.io.engine === engine) send(token ? { token } : {});
      });
    },
  });
  const tries = countTries(socket);
  const tokens = keepTokens(getToken, refreshToken, tries);

  changeTransports(socket);
  socket.io.on('reconnect_failed', () => told(socket, new Error('The server cannot be reached.')));

  socket.on('connect_error', (/** @type {Refused} */ error) => {
    if (socket.active || FOR_GOOD.test(error.message)) return; // Socket.IO itself tries again to reach a server
    if (!SIGN_IN.test(error.message)) {
      tries.connectLater();
      return;
    }
    error.message = tokens.problem() ?? error.message; // says more than that there was no token
    error.mended = renew(error);
  });

  /** @param {Refused} error */
  async function renew(error) {
    const { wanted } = tries;
    const isNew = await tokens.refresh();
    if (isNew && wanted === tries.wanted) tries.connectNow();
    if (!isNew) error.message = tokens.problem() ?? error.message;
    return isNew;
  }

  socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect') tries.connectLater();
  });

  // The server takes an ended token for a little longer, so there is time. Ending the transport, and not the session,
  // keeps the rooms, and brings what happens meanwhile.
  socket.on('token_expired', async () => {
    const { wanted } = tries;
    if ((await tokens.refresh()) && wanted === tries.wanted && socket.connected) socket.io.engine.close();
  });

  const stop = onWake(() => {
    if (socket.connected) socket.io.engine.close(); // it comes back at once, with its rooms and what it missed
    else if (!socket.active) tries.connectLater();
  });
  tries.onEnd = stop;

  socket.connect();
  return socket;
}

/** @param {import('socket.io-client').Socket} socket @param {Error} error */
function told(socket, error) {
  for (const handler of socket.listeners('connect_error')) handler(error);
}

/**
 * After each connection that broke before anybody was let in, the other transport is tried first.
 *
 * @param {import('socket.io-client').Socket} socket
 */
function changeTransports(socket) {
  const { io: manager } = socket;
  let tries = 0;
  let reached = false;
  const onReached = () => {
    reached = true;
  };
  const onFailed = () => {
    if (!reached) manager.opts.transports = TRANSPORTS[(tries += 1) % 2];
    reached = false;
  };
  socket.on('connect', onReached);
  socket.on('connect_error', () => {
    if (!socket.active) onReached(); // the server has answered, if only to refuse
  });
  manager.on('error', onFailed);
  manager.on('close', (reason) => {
    if (reason !== 'forced close') onFailed(); // that is what we did ourselves, after a refusal
  });
}

/**
 * Brings back a socket that the server has refused or let go, which Socket.IO leaves to us, and counts how often, so
 * that it ends. What the application asks for itself, and a connection that held, begin the count anew.
 *
 * @param {import('socket.io-client').Socket} socket
 */
function countTries(socket) {
  const { connect, disconnect } = socket;
  let connected = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const tries = {
    connects: 0,
    refreshes: 0,
    /** Another one whenever the application connects or disconnects: what was begun before is out of date then. */
    wanted: {},
    /** @param {'connects' | 'refreshes'} kind @param {number} most */
    spend(kind, most) {
      settle();
      if (tries[kind] >= most) return false;
      tries[kind] += 1;
      return true;
    },
    onEnd: () => {},
    connectNow: () => connect.call(socket),
    connectLater() {
      if (!tries.spend('connects', RECONNECTION.reconnectionAttempts)) return;
      clearTimeout(timer);
      timer = setTimeout(tries.connectNow, waitBefore(tries.connects - 1));
    },
  };

  function settle() {
    if (connected && Date.now() - connected >= HELD) tries.connects = tries.refreshes = 0;
  }
  function begin() {
    clearTimeout(timer);
    Object.assign(tries, { connects: 0, refreshes: 0, wanted: {} });
  }
  socket.connect = socket.open = () => {
    begin();
    return connect.call(socket);
  };
  socket.disconnect = socket.close = () => {
    begin();
    tries.onEnd();
    return disconnect.call(socket);
  };
  socket.on('connect', () => {
    connected = Date.now();
  });
  socket.on('disconnect', () => {
    settle();
    connected = 0;
  });
  return tries;
}

/**
 * @param {GetToken} getToken
 * @param {RefreshToken | undefined} refreshToken
 * @param {ReturnType<typeof countTries>} tries
 */
function keepTokens(getToken, refreshToken, tries) {
  /** @type {Token} */
  let shown;
  /** @type {Token} what a refresh brought, for the connection that follows it */
  let fresh;
  /** @type {string | null} why the application could not say a token */
  let problem = null;

  /** @param {GetToken} question @returns {Promise<Token>} null where the application could not say */
  async function ask(question) {
    problem = null;
    try {
      return await question();
    } catch (error) {
      console.warn('bmn: no access token:', error);
      problem = error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  return {
    problem: () => problem,
    /** Without a token the server refuses in words, and that refusal is dealt with as any other. */
    async read() {
      shown = fresh ?? (await ask(getToken));
      fresh = undefined;
      return shown;
    },
    /** @returns {Promise<boolean>} whether there is another token now */
    async refresh() {
      if (!refreshToken || !tries.spend('refreshes', REFRESHES)) return false;
      const token = await ask(() => singleFlight(refreshToken));
      if (!token || token === shown) return false;
      fresh = token;
      return true;
    },
  };
}

/**
 * @param {number} attempt  from 0
 * @returns {number} milliseconds, with jitter, so that a crowd does not come back at once
 */
export function waitBefore(attempt) {
  const { reconnectionDelay, reconnectionDelayMax, randomizationFactor } = RECONNECTION;
  const jitter = 1 + randomizationFactor * (2 * Math.random() - 1);
  return Math.min(reconnectionDelayMax, reconnectionDelay * 2 ** attempt * jitter);
}
