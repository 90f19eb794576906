import { useEffect, useRef } from 'react';

/** @typedef {import('./wire.js').JobStatus} JobStatus  The answer to `job:status`. */

/**
 * For sockets that a component uses by itself: after a break that the server could not bridge, enters the rooms again
 * and asks how the jobs are. `useGenerationProgress` and `useBrandAssets` do that for themselves.
 *
 * @param {import('./follow-job.js').JobSocket | null} socket  of `/wizard`
 * @param {object} watched
 * @param {string | null} [watched.brandId]
 * @param {readonly string[]} [watched.jobIds]
 * @param {(status: JobStatus) => void} [watched.onState]  called for each job after such a break
 */
export function useReconnectionRecovery(socket, watched) {
  const latest = useRef(watched);
  useEffect(() => {
    latest.current = watched;
  });

  useEffect(() => {
    if (!socket) return undefined;
    let before = socket.connected;
    let ended = false;

    const onConnect = () => {
      const again = before;
      before = true;
      if (!again || socket.recovered) return;
      const { brandId, jobIds = [] } = latest.current;
      if (brandId) socket.emit('brand:join', { brandId });
      for (const jobId of jobIds) {
        socket.emit('job:join', { jobId });
        socket.emit('job:status', { jobId }, (/** @type {any} */ answer) => {
          if (!ended && !answer.error) latest.current.onState?.(answer);
        });
      }
    };

    socket.on('connect', onConnect);
    return () => {
      ended = true;
      socket.off('connect', onConnect);
    };
  }, [socket]);
}
