// apps/web/src/lib/socket-client.js

import { io } from 'socket.io-client';
import { useAuthStore } from '../stores/auth-store.js';

const API_URL = import.meta.env.VITE_API_URL || 'http://localhost:3000';

/**
 * Create a Socket.io client connection to a specific namespace.
 *
 * @param {string} namespace - Namespace to connect to ('/wizard', '/dashboard', '/admin')
 * @returns {import('socket.io-client').Socket}
 */
export function createSocket(namespace) {
  const token = useAuthStore.getState().session?.access_token;

  const socket = io(`${API_URL}${namespace}`, {
    auth: { token },
    transports: ['websocket', 'polling'],
    reconnection: true,
    reconnectionAttempts: 20,
    reconnectionDelay: 1000,          // Start at 1 second
    reconnectionDelayMax: 30_000,     // Max 30 seconds between attempts
    randomizationFactor: 0.5,         // Jitter to prevent thundering herd
    timeout: 10_000,                  // Connection timeout
    autoConnect: true,

    // Connection state recovery — restore rooms and missed events
    // on reconnection within 2 minutes
  });

  // Handle token refresh on reconnection
  socket.on('connect_error', async (err) => {
    if (err.message.includes('Authentication') || err.message.includes('token')) {
      // Token may be expired — refresh and retry
      const newToken = await refreshToken();
      if (newToken) {
        socket.auth = { token: newToken };
        socket.connect();
      }
    }
  });

  socket.on('connect', () => {
    console.log(`[Socket.io] Connected to ${namespace}`, socket.id);
  });

  socket.on('disconnect', (reason) => {
    console.log(`[Socket.io] Disconnected from ${namespace}:`, reason);
    if (reason === 'io server disconnect') {
      // Server forced disconnect — reconnect manually
      socket.connect();
    }
    // Other reasons (transport close, ping timeout) trigger automatic reconnection
  });

  return socket;
}

async function refreshToken() {
  try {
    const { supabase } = await import('./supabase-client.js');
    const { data } = await supabase.auth.refreshSession();
    if (data.session) {
      useAuthStore.getState().setSession(data.session);
      return data.session.access_token;
    }
  } catch {
    return null;
  }
}
