import { useCallback, useState } from 'react';

import { followJob } from './follow-job.js';
import { IDLE } from './job-state.js';
import { useShared } from './use-shared.js';

/**
 * How far a job is, live: what it told before this component was there, what it tells now, and its end.
 *
 * @param {string | null | undefined} brandId  the job's brand
 * @param {string | null | undefined} jobId    null while there is no job
 * @returns {import('./job-state.js').JobState & { reset: () => void }}
 *   reset: back to `idle`, until another job is named
 */
export function useGenerationProgress(brandId, jobId) {
  return useJobState(brandId ? jobId : null);
}

/**
 * The same by the job alone.
 *
 * @param {string | null | undefined} jobId
 * @returns {import('./job-state.js').JobState & { reset: () => void }}
 */
export function useJobState(jobId) {
  const [dismissed, setDismissed] = useState(/** @type {string | null} */ (null));
  const followed = jobId && jobId !== dismissed ? jobId : null;

  const { state } = useShared(followed && `job ${followed}`, IDLE, (connections, { set }) => {
    const { value: socket, release } = connections.socket('/wizard');
    const leave = followJob(socket, /** @type {string} */ (followed), set);
    const stop = () => {
      leave();
      release();
    };
    return { actions: null, stop };
  });

  const reset = useCallback(() => setDismissed(jobId ?? null), [jobId]);
  return { ...state, reset };
}
