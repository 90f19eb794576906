import { createContext, createElement, useContext, useInsertionEffect, useMemo, useRef } from 'react';

import { Connections } from './connections.js';
import { checkedAddress } from './diagnosis.js';

const Context = createContext(/** @type {Connections | null} */ (null));

/**
 * Says which server the hooks below talk to, and as whom. Give it `key={userId}` where users change without a reload.
 *
 * @param {import('./socket-client.js').ConnectOptions & { children?: import('react').ReactNode }} props
 */
export function BmnProvider({ url, getToken, refreshToken, children }) {
  const callbacks = useRef({ getToken, refreshToken });
  useInsertionEffect(() => {
    callbacks.current = { getToken, refreshToken };
  });
  const address = checkedAddress(url);
  const refreshes = Boolean(refreshToken);
  const connections = useMemo(
    () =>
      new Connections({
        url: address,
        getToken: () => callbacks.current.getToken(),
        refreshToken: refreshes ? () => callbacks.current.refreshToken?.() : undefined,
      }),
    [address, refreshes],
  );
  return createElement(Context.Provider, { value: connections }, children);
}

/** What the components below a provider share. */
export function useConnections() {
  const connections = useContext(Context);
  if (!connections) throw new Error('The hooks of bmn need a <BmnProvider url getToken> above them.');
  return connections;
}

/**
 * The HTTP API with the provider's token: `await api('/brands', { method: 'POST', body: { name } })`.
 *
 * @returns {Connections['api']} the same function at every render
 */
export function useApi() {
  const connections = useConnections();
  return useMemo(() => connections.api.bind(connections), [connections]);
}
