import { useCallback } from 'react';

import { useShared } from './use-shared.js';

/**
 * @template T
 * @typedef {object} Loaded
 * @property {T | null} data
 * @property {boolean} loading
 * @property {Error | null} error
 */

/** @type {Loaded<any>} */
const NOTHING = Object.freeze({ data: null, loading: true, error: null });

/**
 * An answer of the HTTP API, shared by its key, and asked for again when something may have changed it.
 *
 * @template T
 * @param {string | null} key  null: nothing is asked
 * @param {(connections: import('./connections.js').Connections, before: T | null) => Promise<T>} ask
 * @param {(connections: import('./connections.js').Connections, again: () => void) => () => void} [watch]
 *   calls `again` when the answer may be another one; returns what ends that
 * @returns {Loaded<T> & { refresh: () => Promise<void> }}
 */
export function useLoaded(key, ask, watch = () => () => {}) {
  const { state, actions } = useShared(key, /** @type {Loaded<T>} */ (NOTHING), (connections, { get, set }) => {
    let stopped = false;
    let round = 0;
    async function refresh() {
      const mine = (round += 1);
      /** @type {Loaded<T>} */
      let next;
      try {
        next = { data: await ask(connections, get().data), loading: false, error: null };
      } catch (error) {
        next = { ...get(), loading: false, error: /** @type {Error} */ (error) };
      }
      if (!stopped && mine === round) set(next);
    }
    const end = watch(connections, refresh);
    refresh();
    const stop = () => {
      stopped = true;
      end();
    };
    return { actions: { refresh }, stop };
  });
  const refresh = useCallback(() => actions()?.refresh() ?? Promise.resolve(), [actions]);
  return { ...state, loading: Boolean(key) && state.loading, refresh };
}

/**
 * Calls back at an event of a namespace, and after each break of its connection.
 *
 * @param {import('./connections.js').Connections} connections
 * @param {string} namespace
 * @param {string[]} events
 * @param {() => void} again
 */
export function onEvents(connections, namespace, events, again) {
  const { value: socket, release } = connections.socket(namespace);
  const names = ['connect', ...events];
  for (const name of names) socket.on(name, again);
  return () => {
    for (const name of names) socket.off(name, again);
    release();
  };
}
