import { useMemo, useSyncExternalStore } from 'react';

import { useConnections } from './provider.js';

/**
 * @template S, A
 * @callback Start  Begins to keep a state, for the first component that shows it.
 * @param {import('./connections.js').Connections} connections
 * @param {{ get: () => S, set: (state: S) => void }} store
 * @returns {{ actions: A, stop: () => void }}
 */

/**
 * A state that all components below the provider share by its key, kept as long as one of them is there.
 *
 * @template S, A
 * @param {string | null} key  null: nothing is kept, and the state is `initial`
 * @param {S} initial
 * @param {Start<S, A>} start  has to do the same for the same key
 * @returns {{ state: S, actions: () => A | undefined }}
 */
export function useShared(key, initial, start) {
  const connections = useConnections();
  const store = useMemo(
    () => connect(connections, key, initial, start),
    [connections, key],
  );
  const state = useSyncExternalStore(store.subscribe, store.get, store.get);
  return { state, actions: store.actions };
}

/**
 * @template S, A
 * @param {import('./connections.js').Connections} connections
 * @param {string | null} key
 * @param {S} initial
 * @param {Start<S, A>} start
 */
function connect(connections, key, initial, start) {
  /** @type {ReturnType<typeof keep<S, A>>['value'] | undefined} */
  let kept;
  return {
    get: () => (kept ? kept.get() : initial),
    actions: () => kept?.actions,
    /** @param {() => void} listener */
    subscribe(listener) {
      if (!key) return () => {};
      const { value, release } = connections.take(key, () => keep(connections, initial, start));
      kept = value;
      value.listeners.add(listener);
      return () => {
        value.listeners.delete(listener);
        release();
      };
    },
  };
}

/**
 * @template S, A
 * @param {import('./connections.js').Connections} connections
 * @param {S} initial
 * @param {Start<S, A>} start
 */
function keep(connections, initial, start) {
  let state = initial;
  const listeners = /** @type {Set<() => void>} */ (new Set());
  const get = () => state;
  /** @param {S} next */
  const set = (next) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const { actions, stop } = start(connections, { get, set });
  return { value: { get, listeners, actions }, stop };
}
