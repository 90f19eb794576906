import { useCallback, useEffect, useState } from 'react';

import { useConnections } from './provider.js';

/**
 * @typedef {object} SocketState
 * @property {import('./tab-socket.js').TabSocket | null} socket
 * @property {boolean} connected
 * @property {boolean} recovered  The last connection went on where the one before broke off: rooms are joined still,
 *                                and what was missed has come.
 * @property {Error | null} error Why there is no connection. The client tries again by itself, unless the server has
 *                                refused for good or 20 attempts were in vain; `socket.connect()` begins anew.
 */

/** @type {SocketState} */
const NOTHING = Object.freeze({ socket: null, connected: false, recovered: false, error: null });

/**
 * A namespace's connection, shared by all components below the provider that use it.
 *
 * @param {string} namespace  `/wizard`, `/dashboard` or `/admin`
 * @param {{ enabled?: boolean }} [options]
 */
export function useSocket(namespace, { enabled = true } = {}) {
  const connections = useConnections();
  const [state, setState] = useState(NOTHING);

  useEffect(() => {
    if (!enabled) return undefined;
    const { value: socket, release } = connections.socket(namespace);
    const stopWatching = watch(socket, setState);
    return () => {
      stopWatching();
      release();
      setState(NOTHING);
    };
  }, [connections, namespace, enabled]);

  const { socket } = state;
  const emit = useCallback(
    /** @param {string} event @param {unknown} data @param {(answer: any) => void} [callback] */
    (event, data, callback) => {
      if (callback) socket?.emit(event, data, callback);
      else socket?.emit(event, data);
    },
    [socket],
  );
  return { ...state, emit };
}

/**
 * @param {import('./tab-socket.js').TabSocket} socket
 * @param {(state: SocketState) => void} show
 */
function watch(socket, show) {
  /** @param {Error | null} error */
  const tell = (error) => show({ socket, connected: socket.connected, recovered: socket.recovered, error });

  const handlers = {
    connect: () => tell(null),
    connect_error: tell,
    disconnect: (/** @type {string} */ reason) =>
      tell(reason === 'io server disconnect' ? new Error('The server has ended the connection.') : null),
  };

  for (const [event, handler] of Object.entries(handlers)) socket.on(event, handler);
  tell(null);
  return () => {
    for (const [event, handler] of Object.entries(handlers)) socket.off(event, handler);
  };
}
