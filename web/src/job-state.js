/**
 * What a job has told so far, as a value that never changes: each event makes the next one.
 *
 * @typedef {import('./wire.js').AssetRow} Asset  A saved picture or film: a row of `brand_assets`.
 * @typedef {import('./wire.js').JobEvents} JobEvents
 *
 * @typedef {object} Picture
 * @property {number} index  from 0
 * @property {number} share  0 to 100; never falls
 * @property {string} status  what is done for it; `done` when it is there
 * @property {string | null} preview  a rough picture of it, where the provider sends one
 * @property {Asset | null} asset
 *
 * @typedef {{ kind: 'message' | 'tool-error', text: string, toolName?: string, at: number }} Said
 *
 * @typedef {object} JobState
 * @property {string} status  `idle`, `queued`, what the job does (`composing`, `generating`, `uploading`, `saving`),
 *                            `waiting`, `retrying`, and at the end `complete`, `failed` or `cancelled`
 * @property {number} progress  0 to 100; never falls
 * @property {string} message
 * @property {Record<string, any> | null} result  at the end, as the server saved it
 * @property {string | null} error  why it failed, or why it is tried again
 * @property {string | null} cause  the same in one word out of a closed set, such as `provider_timeout`
 * @property {number} retriesLeft  attempts still to come
 * @property {number | null} retryAt  milliseconds since 1970: when the next attempt begins
 * @property {boolean} partial  it is complete, but some of what was asked for could not be made
 * @property {Asset[]} assets  what is finished, while it runs and at the end
 * @property {Picture[]} pictures  each picture of the job by itself, as far as it has begun
 * @property {Said[]} said  what the wizard's model said, and which of its tools failed
 * @property {number} seq  the number of the last event
 * @property {boolean} ended  nothing comes after this
 */

/** @type {Readonly<JobState>} */
export const IDLE = Object.freeze({
  status: 'idle',
  progress: 0,
  message: '',
  result: null,
  error: null,
  cause: null,
  retriesLeft: 0,
  retryAt: null,
  partial: false,
  assets: [],
  pictures: [],
  said: [],
  seq: 0,
  ended: false,
});

/** @typedef {(state: JobState, data: any) => Partial<JobState>} Change */

/** @type {{ [E in keyof JobEvents]?: (state: JobState, data: JobEvents[E]) => Partial<JobState> }} */
const CHANGES = {
  'job:progress': (state, data) => ({
    status: data.status,
    progress: data.progress,
    message: data.message,
    assets: data.asset ? withAsset(state.assets, data.asset) : state.assets,
    pictures: withPicture(state.pictures, data),
    ...NO_TROUBLE,
  }),
  'job:complete': (state, data) => ({
    status: 'complete',
    progress: 100,
    message: data.message,
    result: data.result,
    partial: Boolean(data.partial),
    assets: assetsOf(data.result, state.assets),
    pictures: withAssets(state.pictures, assetsOf(data.result, state.assets)),
    ended: true,
    ...NO_TROUBLE,
  }),
  'agent:message': (state, { content, timestamp }) => ({
    said: [...state.said, { kind: 'message', text: content, at: timestamp }],
  }),
  'job:tool-error': (state, { toolName, error, timestamp }) => ({
    said: [...state.said, { kind: 'tool-error', toolName, text: error, at: timestamp }],
  }),
  'job:failed': (_state, data) => ({
    status: data.retriesLeft > 0 ? 'retrying' : 'failed',
    message: data.error,
    error: data.error,
    cause: data.cause ?? null,
    retriesLeft: data.retriesLeft,
    retryAt: data.retryAt ?? null,
    ended: data.retriesLeft === 0,
  }),
  'job:cancelled': (_state, data) => ({ status: 'cancelled', message: data.message, ended: true, ...NO_TROUBLE }),
};

const NO_TROUBLE = { error: null, cause: null, retriesLeft: 0, retryAt: null };

/**
 * Whether an event only repeats a cancel, under the same seq, for clients that know no `job:cancelled`.
 *
 * @param {string} event
 * @param {any} data
 */
export function isEcho(event, data) {
  return event === 'job:failed' && data.cause === 'cancelled';
}

/** The events that a job's state is made of. */
export const JOB_EVENTS = Object.keys(CHANGES);

/**
 * The state after an event. What was told before, and what comes after the end, changes nothing.
 *
 * @param {JobState} state
 * @param {string} event
 * @param {any} data
 * @returns {JobState}
 */
export function after(state, event, data) {
  if (data.seq <= state.seq || state.ended) return state;
  const change = /** @type {Record<string, Change>} */ (CHANGES)[event]?.(state, data) ?? {};
  const progress = Math.max(state.progress, change.progress ?? 0);
  return { ...state, ...change, progress, seq: data.seq };
}

/** @type {Record<string, string>} BullMQ's words in those of the events */
const STATUS = { waiting: 'queued', delayed: 'waiting', completed: 'complete' };
const ENDS = ['completed', 'failed', 'cancelled'];

/**
 * The state after an answer to `job:status`: for a job whose events are not there any more.
 *
 * @param {JobState} state
 * @param {{ state: string, progress: number, data: Record<string, any> | null, failedReason: string | null }} answer
 * @returns {JobState}
 */
export function afterStatus(state, answer) {
  if (state.ended) return state;
  const ended = ENDS.includes(answer.state);
  return {
    ...state,
    status: !ended && state.seq > 0 ? state.status : (STATUS[answer.state] ?? answer.state),
    progress: Math.max(state.progress, answer.progress ?? 0),
    result: answer.data ?? state.result,
    partial: Boolean(answer.data?.partial),
    assets: assetsOf(answer.data, state.assets),
    pictures: withAssets(state.pictures, assetsOf(answer.data, state.assets)),
    error: answer.state === 'failed' ? answer.failedReason : null,
    ended,
  };
}

/**
 * The state with the same pictures at new addresses.
 *
 * @param {JobState} state
 * @param {Record<string, any>} result
 * @returns {JobState}
 */
export function renewed(state, result) {
  const assets = assetsOf(result, state.assets);
  return { ...state, result, assets, pictures: withAssets(state.pictures, assets) };
}

/**
 * @param {Asset[]} assets
 * @param {Asset} asset
 */
function withAsset(assets, asset) {
  return assets.some(({ id }) => id === asset.id) ? assets : [...assets, asset];
}

/**
 * The rows of a result, whichever generator made it: `logos`, `asset`, ...
 *
 * @param {Record<string, any> | null | undefined} result
 * @param {Asset[]} known
 */
function assetsOf(result, known) {
  const rows = Object.values(result ?? {})
    .flat()
    .filter((value) => value?.id && value?.asset_type);
  return rows.length ? rows : known;
}

const GENERATED = 80; // of a picture's share, in percent, is the provider's work
/** @type {Record<string, number>} how far a picture is at least */
const LEAST = { composing: 5, generating: 5, uploading: 90, saving: 95 };

/**
 * @param {Picture[]} pictures
 * @param {JobEvents['job:progress']} data
 */
function withPicture(pictures, { logoIndex, status, message, asset, preview }) {
  if (asset) return withAssets(pictures, [asset]);
  const index = logoIndex ?? (preview ? 0 : null); // a job of one picture does not number it
  if (index === null) return pictures;
  const told = /(\d+) ?%$/.exec(message);
  const reached = told ? (Number(told[1]) * GENERATED) / 100 : 0;
  return changed(pictures, index, (old) => ({
    ...old,
    share: Math.max(old.share, LEAST[status] ?? 0, reached),
    status: old.asset ? old.status : status,
    preview: preview ?? old.preview,
  }));
}

/** @param {Picture[]} pictures @param {Asset[]} assets */
function withAssets(pictures, assets) {
  return assets.reduce((known, asset, place) => {
    const index = asset.metadata?.index ?? place;
    return changed(known, index, (old) => ({ ...old, share: 100, status: 'done', asset }));
  }, pictures);
}

/** @param {Picture[]} pictures @param {number} index @param {(old: Picture) => Picture} change */
function changed(pictures, index, change) {
  const old = pictures.find((picture) => picture.index === index);
  const next = change(old ?? { index, share: 0, status: 'queued', preview: null, asset: null });
  return [...pictures.filter((picture) => picture !== old), next].sort((one, other) => one.index - other.index);
}
