import { useCallback, useRef, useState } from 'react';

import { useApi } from './provider.js';
import { useJobState } from './use-generation-progress.js';

/** @typedef {import('./use-records.js').Kind} Kind */

/**
 * Makes something, and follows it: one job, or one for each product of mockups, of which the first is followed here.
 *
 * @param {Kind} kind
 * @param {{ jobId?: string | null }} [begun]  a job to go on with, such as one from before a reload
 */
export function useGenerate(kind, { jobId: first = null } = {}) {
  const api = useApi();
  const [jobIds, setJobIds] = useState(/** @type {string[]} */ (first ? [first] : []));
  const [submitting, setSubmitting] = useState(false);
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const [jobId = null] = jobIds;
  const state = useJobState(jobId);
  const underWay = useRef(/** @type {Promise<string[]> | null} */ (null));

  const ask = useCallback(
    /** @param {() => Promise<string[]>} work */ (work) => {
      underWay.current ??= (async () => {
        setSubmitting(true);
        setProblem(null);
        try {
          const ids = await work();
          setJobIds(ids);
          return ids;
        } catch (error) {
          setProblem(/** @type {Error} */ (error));
          throw error;
        } finally {
          underWay.current = null;
          setSubmitting(false);
        }
      })();
      return underWay.current;
    },
    [],
  );

  /** Submits; resolves to the jobs' ids. Clicking twice makes one job. */
  const generate = useCallback(
    /** @param {Record<string, any>} body */ (body) => {
      const headers = { 'Idempotency-Key': crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
      return ask(async () => idsOf(await api(`/generation/${kind}`, { method: 'POST', body, headers })));
    },
    [api, ask, kind],
  );
  /** Stops what runs. What is finished is kept and charged. */
  const cancel = useCallback(
    () => Promise.all(jobIds.map((id) => api(`/jobs/${id}/cancel`, { method: 'POST' }))),
    [api, jobIds],
  );
  /** Starts what failed or was cancelled again; only what is missing is charged. */
  const retry = useCallback(
    () => ask(async () => idsOf(await api(`/jobs/${jobId}/retry`, { method: 'POST' }))),
    [api, ask, jobId],
  );
  const busy = submitting || (jobId !== null && !state.ended);
  return { ...state, jobId, jobIds, busy, submitting, problem, generate, cancel, retry };
}

/** @param {{ jobId?: string, jobs?: { jobId: string }[] }} answer */
const idsOf = ({ jobId, jobs }) => (jobs ? jobs.map((job) => job.jobId) : [/** @type {string} */ (jobId)]);
