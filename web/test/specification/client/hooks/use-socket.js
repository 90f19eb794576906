import { useState } from 'react';
// apps/web/src/hooks/use-socket.js

import { useEffect, useRef, useCallback } from 'react';
import { createSocket } from '../lib/socket-client.js';

/**
 * React hook for Socket.io connections.
 * Manages lifecycle, reconnection, and cleanup.
 *
 * @param {string} namespace - '/wizard', '/dashboard', or '/admin'
 * @param {Object} options
 * @param {boolean} [options.enabled=true] - Whether to connect
 * @returns {{ socket: import('socket.io-client').Socket | null, connected: boolean, emit: Function }}
 */
export function useSocket(namespace, { enabled = true } = {}) {
  const socketRef = useRef(null);
  const [connected, setConnected] = useState(false);

  useEffect(() => {
    if (!enabled) return;

    const socket = createSocket(namespace);
    socketRef.current = socket;

    socket.on('connect', () => setConnected(true));
    socket.on('disconnect', () => setConnected(false));

    return () => {
      socket.disconnect();
      socketRef.current = null;
      setConnected(false);
    };
  }, [namespace, enabled]);

  const emit = useCallback((event, data, callback) => {
    socketRef.current?.emit(event, data, callback);
  }, []);

  return { socket: socketRef.current, connected, emit };
}
