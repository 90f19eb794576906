import { useMemo } from 'react';

import { useJobState } from './use-generation-progress.js';

/**
 * A job's pictures, each with its own share, its rough preview where there is one, and itself when it is there.
 *
 * @param {string | null | undefined} jobId
 * @param {number} [count]  how many there will be: those that have not begun are in the list, too
 */
export function usePictures(jobId, count = 0) {
  const state = useJobState(jobId);
  const pictures = useMemo(() => {
    const length = Math.max(count, ...state.pictures.map(({ index }) => index + 1));
    const waiting = Array.from({ length }, (_, index) => ({ ...WAITING, index }));
    return waiting.map((empty) => state.pictures.find(({ index }) => index === empty.index) ?? empty);
  }, [state.pictures, count]);
  return { ...state, pictures };
}

/** @type {import('./job-state.js').Picture} */
const WAITING = { index: 0, share: 0, status: 'queued', preview: null, asset: null };
