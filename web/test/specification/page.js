/** A page that follows a job by the specification's hooks, and keeps what they said. */

import { createElement, useEffect } from 'react';
import { createRoot } from 'react-dom/client';

import { useGenerationProgress } from './client/hooks/use-generation-progress.js';
import { useReconnectionRecovery } from './client/hooks/use-reconnection-recovery.js';
import { useSocket } from './client/hooks/use-socket.js';
import { supabase } from './client/lib/supabase-client.js';
import { useAuthStore } from './client/stores/auth-store.js';
import { useWizardStore } from './client/stores/wizard-store.js';

const seen = { states: [], recovered: [], complaints: [] };
let root;

console.error = (...words) => seen.complaints.push(words.map(String).join(' '));

function Progress({ brandId, jobId }) {
  const { reset, ...state } = useGenerationProgress(brandId, jobId);
  const text = JSON.stringify(state);
  useEffect(() => {
    seen.states.push(JSON.parse(text));
  }, [text]);
  return createElement('progress', { max: 100, value: state.progress });
}

function Recovery() {
  const { socket, connected } = useSocket('/wizard');
  useReconnectionRecovery(socket);
  useEffect(() => {
    if (connected) seen.recovered.push(socket.recovered);
  }, [connected, socket]);
  return null;
}

export const page = {
  /** Shows a job, or with a brand alone whatever that brand makes. refreshed: the tokens that a refresh brings. */
  show({ token, brandId, jobId = null, refreshed = [] }) {
    page.clear();
    supabase.refreshed = refreshed;
    useAuthStore.getState().setSession({ access_token: token });
    useWizardStore.setState({ meta: { brandId, activeJobId: jobId }, jobResult: null, jobError: null });
    root = createRoot(document.body.appendChild(document.createElement('main')));
    root.render([
      createElement(Progress, { key: 'progress', brandId, jobId }),
      createElement(Recovery, { key: 'recovery' }),
    ]);
  },
  clear() {
    root?.unmount();
    root = undefined;
    for (const list of Object.values(seen)) list.length = 0;
  },
  seen() {
    const { jobResult, jobError } = useWizardStore.getState();
    return { ...seen, jobResult, jobError };
  },
};
window.page = page;
