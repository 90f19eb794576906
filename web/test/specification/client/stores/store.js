/** A store as the specification's client expects it: a hook with `getState` and `setState`. */

import { useSyncExternalStore } from 'react';

/**
 * @template T
 * @param {(set: (change: Partial<T>) => void) => T} make
 */
export function createStore(make) {
  const listeners = new Set();
  const setState = (change) => {
    state = { ...state, ...change };
    listeners.forEach((listener) => listener());
  };
  let state = make(setState);

  const getState = () => state;
  const subscribe = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return Object.assign(() => useSyncExternalStore(subscribe, getState), { getState, setState });
}
