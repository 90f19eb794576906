// apps/web/src/hooks/use-reconnection-recovery.js

import { useEffect } from 'react';
import { useWizardStore } from '../stores/wizard-store.js';

/**
 * Hook that recovers generation state after Socket.io reconnection.
 * When the socket reconnects, it:
 * 1. Re-joins the brand and job rooms
 * 2. Queries current job status via the job:status event
 * 3. Updates the local progress state to match server state
 *
 * @param {import('socket.io-client').Socket} socket
 */
export function useReconnectionRecovery(socket) {
  const { meta, setActiveJob } = useWizardStore();

  useEffect(() => {
    if (!socket) return;

    const handleReconnect = () => {
      const { brandId, activeJobId } = meta;

      // Re-join rooms
      if (brandId) {
        socket.emit('brand:join', { brandId });
      }

      if (activeJobId) {
        socket.emit('job:join', { jobId: activeJobId });

        // Query current status to catch up on missed events
        socket.emit('job:status', {
          jobId: activeJobId,
          queueName: guessQueueFromJobId(activeJobId),
        }, (response) => {
          if (response?.error) return;

          // If job completed while we were disconnected, update state
          if (response.state === 'completed' && response.data) {
            // Trigger the same state update as job:complete event would
            useWizardStore.getState().setJobResult(response.data);
          }

          // If job failed while we were disconnected
          if (response.state === 'failed') {
            useWizardStore.getState().setJobError(response.failedReason);
          }
        });
      }
    };

    socket.on('connect', handleReconnect);

    return () => {
      socket.off('connect', handleReconnect);
    };
  }, [socket, meta.brandId, meta.activeJobId]);
}

function guessQueueFromJobId(jobId) {
  if (jobId.startsWith('logo-generation')) return 'logo-generation';
  if (jobId.startsWith('mockup-generation')) return 'mockup-generation';
  if (jobId.startsWith('bundle-composition')) return 'bundle-composition';
  if (jobId.startsWith('video-generation')) return 'video-generation';
  return 'brand-wizard';
}
