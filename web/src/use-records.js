import { useEffect, useMemo, useState } from 'react';

import { useJobState } from './use-generation-progress.js';
import { onEvents, useLoaded } from './use-loaded.js';
import { useApi } from './provider.js';

/**
 * @typedef {import('./wire.js').Job} Job
 * @typedef {import('./wire.js').JobRecord} JobRecord
 * @typedef {import('./wire.js').JobPage} JobPage
 * @typedef {import('./wire.js').Credits} Credits
 * @typedef {import('./wire.js').Kit} Kit
 * @typedef {'logos' | 'mockups' | 'bundles' | 'videos' | 'wizard'} Kind
 * @typedef {{ queue?: string | string[], state?: string | string[], brand?: string, groupId?: string, text?: string, limit?: number }} JobFilter
 */

const LOOK_MS = 5000;
const TYPING_MS = 300;

/**
 * A job: how far it is, live, and its record: place in line, usual duration, units, timeline.
 *
 * @param {string | null | undefined} jobId
 */
export function useJob(jobId) {
  const api = useApi();
  const progress = useJobState(jobId);
  const path = jobId && `/jobs/${encodeURIComponent(jobId)}`;
  const { data, error, loading, refresh } = useLoaded(
    path ? `record ${path}` : null,
    (connections) => /** @type {Promise<JobRecord>} */ (connections.api(/** @type {string} */ (path))),
  );
  const { status, ended } = progress;
  useEffect(() => {
    if (!path) return undefined;
    refresh();
    if (ended || !['queued', 'waiting', 'retrying'].includes(status)) return undefined;
    const timer = setInterval(refresh, LOOK_MS); // the place in line changes without an event of this job
    return () => clearInterval(timer);
  }, [path, status, ended, refresh]);

  const actions = useMemo(
    () => ({
      /** Stops it. What is finished is kept and charged. @returns {Promise<import('./wire.js').Cancellation>} */
      cancel: () => api(`${path}/cancel`, { method: 'POST' }),
      /** Starts what failed again, as a new job. @returns {Promise<import('./wire.js').Retried>} */
      retry: () => api(`${path}/retry`, { method: 'POST' }),
    }),
    [api, path],
  );
  return { ...progress, job: data, loading, problem: error, position: data?.position ?? null, ...actions, refresh };
}

/**
 * The user's jobs, newest first. The list is asked for again when jobs begin or end, at any of the user's pages.
 *
 * @param {JobFilter} [filter]
 */
export function useJobs(filter = {}) {
  const query = queryOf(filter);
  const loaded = useLoaded(
    `jobs ${query}`,
    (connections) => /** @type {Promise<JobPage>} */ (connections.api(`/jobs?${query}`)),
    (connections, again) => onJobs(connections, filter, again),
  );
  const { data, ...rest } = loaded;
  return { jobs: data?.jobs ?? [], total: data?.total ?? null, nextCursor: data?.nextCursor ?? null, ...rest };
}

const TURNS = ['job:complete', 'job:failed', 'job:cancelled'];

/**
 * Calls back when a job of the user's, of a group's or of a brand's has begun or ended. A page with a token for one group or
 * brand may join that room alone.
 *
 * @param {import('./connections.js').Connections} connections
 * @param {JobFilter} filter
 * @param {() => void} again
 */
function onJobs(connections, { groupId, brand: brandId }, again) {
  const { value: socket, release } = connections.socket('/wizard');
  const room = groupId
    ? connections.room('group', { groupId })
    : brandId
      ? connections.room('brand', { brandId })
      : connections.room('user', {});
  /** @type {Set<string>} */
  const known = new Set();
  /** @param {{ jobId: string }} data */
  function onProgress({ jobId }) {
    if (known.has(jobId)) return;
    known.add(jobId);
    again();
  }
  const turns = ['connect', ...TURNS];
  socket.on('job:progress', onProgress);
  for (const event of turns) socket.on(event, again);
  return () => {
    socket.off('job:progress', onProgress);
    for (const event of turns) socket.off(event, again);
    room.release();
    release();
  };
}

/** @param {JobFilter} filter */
function queryOf(filter) {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null);
  return String(new URLSearchParams(given.flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]))));
}

/**
 * A kit: where it stands, its steps and their jobs; live, also for a page with a token for this group alone.
 *
 * @param {string | null | undefined} groupId
 */
export function useKit(groupId) {
  const { data, ...rest } = useLoaded(
    groupId ? `kit ${groupId}` : null,
    (connections) => /** @type {Promise<Kit>} */ (connections.api(`/kits/${groupId}`)),
    (connections, again) => onKit(connections, /** @type {string} */ (groupId), again),
  );
  return { kit: data, ...rest };
}

/** @param {import('./connections.js').Connections} connections @param {string} groupId @param {() => void} again */
function onKit(connections, groupId, again) {
  const ends = [
    onEvents(connections, '/dashboard', ['kit:updated'], again),
    connections.room('group', { groupId }, '/dashboard').release,
    onJobs(connections, { groupId }, again),
  ];
  return () => ends.forEach((end) => end());
}

/** What the user has, what is reserved for running jobs, and the newest movements; live. */
export function useCredits() {
  const { data, ...rest } = useLoaded(
    'credits',
    (connections) => /** @type {Promise<Credits>} */ (connections.api('/credits')),
    (connections, again) => onEvents(connections, '/dashboard', ['credits:updated'], again),
  );
  const remaining = data?.creditsRemaining ?? null;
  return { remaining, reserved: data?.creditsReserved ?? null, used: data?.creditsUsed ?? null, ledger: data?.ledger ?? [], ...rest };
}

/**
 * What a submission would cost and how long it would take, before anybody pays: asked again a moment after the body has
 * changed.
 *
 * @param {Kind} kind
 * @param {Record<string, any> | null | undefined} body  null: nothing is asked
 */
export function useEstimate(kind, body) {
  const text = useSettled(body ? JSON.stringify(body) : null);
  const { data, ...rest } = useLoaded(
    text && `estimate ${kind} ${text}`,
    (connections) => /** @type {Promise<import('./wire.js').Estimate>} */ (
      connections.api(`/generation/${kind}/estimate`, { method: 'POST', body: JSON.parse(/** @type {string} */ (text)) })
    ),
  );
  return { estimate: data, ...rest };
}

/**
 * A value once it has not changed for a moment.
 *
 * @template T
 * @param {T} value
 */
function useSettled(value) {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
