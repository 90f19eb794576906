import { IDLE, JOB_EVENTS, after, afterStatus, isEcho, renewed } from './job-state.js';
import { keepFresh } from './keep-fresh.js';

const ANSWER_MS = 10_000;
const AGAIN_MS = 2_000;
const NO_SUCH_JOB = /^(Job not found|jobId)/;

/** @typedef {import('socket.io-client').Socket | import('./tab-socket.js').TabSocket} JobSocket */

/**
 * Follows one job over a socket, through any break: joins its room, takes what it has told so far and goes on live;
 * passes each event on once and in order; and where one is missing, asks for it.
 *
 * @param {JobSocket} socket
 * @param {string} jobId
 * @param {(state: import('./job-state.js').JobState) => void} onChange
 * @returns {() => void} ends it and leaves no handler behind
 */
export function followJob(socket, jobId, onChange) {
  let state = IDLE;
  let round = 0; // what an older round still brings is out of date
  let joined = false;
  let joining = false;
  /** @type {Map<number, [string, any]>} events that came before an earlier one */
  const early = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {import('./job-state.js').JobState} next */
  function show(next) {
    if (next === state) return;
    state = next;
    onChange(state);
  }

  /** @param {string} event @param {any} data */
  function take(event, data) {
    if (data.jobId !== jobId || data.seq <= state.seq || isEcho(event, data)) return;
    early.set(data.seq, [event, data]);
    passOn({ gaps: false });
    if (early.size && joined && !joining) join({ anew: true });
  }

  /** @param {{ gaps: boolean }} options  gaps: what is missing now will not come */
  function passOn({ gaps }) {
    const seqs = [...early.keys()].sort((one, other) => one - other);
    for (const seq of seqs) {
      if (seq > state.seq + 1 && !gaps) break;
      const [event, data] = /** @type {[string, any]} */ (early.get(seq));
      early.delete(seq);
      show(after(state, event, data));
    }
  }

  /**
   * Enters the job's room; the server first tells what this socket has not had of the job, then answers.
   *
   * @param {{ anew?: boolean }} [options]  anew: it shall tell everything, since something got lost on the way
   */
  async function join({ anew = false } = {}) {
    const mine = ++round;
    clearTimeout(timer);
    joining = true;
    if (anew) socket.emit('job:leave', { jobId });
    const answer = await ask('job:join');
    if (mine !== round) return;
    joining = false;
    if (answer.error) {
      refused(answer);
      return;
    }
    joined = true;
    passOn({ gaps: anew });
    if (state.seq < answer.seq && !anew) join({ anew: true });
    else if (!state.ended && (state.seq < answer.seq || state.seq === 0)) catchUp(mine);
  }

  /** The job's record, for what its events do not tell any more. @param {number} mine */
  async function catchUp(mine) {
    const answer = await ask('job:status');
    if (mine === round && !answer.error) show(afterStatus(state, answer));
  }

  /** The addresses of its pictures end after a while. */
  async function renew() {
    const answer = socket.connected ? await ask('job:status') : {};
    if (answer.data) show(renewed(state, answer.data));
  }

  /** @param {{ error: string, retryAfter?: number }} answer */
  function refused({ error, retryAfter }) {
    if (NO_SUCH_JOB.test(error)) show({ ...state, status: 'failed', error, message: error, ended: true });
    else timer = setTimeout(join, retryAfter ? retryAfter * 1000 : AGAIN_MS);
  }

  /** @param {string} event @returns {Promise<any>} */
  function ask(event) {
    return socket
      .timeout(ANSWER_MS)
      .emitWithAck(event, { jobId })
      .catch(() => ({ error: 'The server did not answer.' }));
  }

  function onConnect() {
    // A recovered session sits in its rooms, and has had what it missed.
    if (!state.ended && !(socket.recovered && joined && !joining)) join();
  }
  function onDisconnect() {
    round += 1;
    clearTimeout(timer);
    if (joining) joined = joining = false;
  }

  const handlers = new Map(
    JOB_EVENTS.map((event) => [event, (/** @type {any} */ data) => take(event, data)]),
  );
  handlers.set('connect', onConnect).set('disconnect', onDisconnect);
  for (const [event, handler] of handlers) socket.on(event, handler);
  const stopRenewing = keepFresh(renew);
  if (socket.connected) join();

  return () => {
    stopRenewing();
    round += 1;
    clearTimeout(timer);
    for (const [event, handler] of handlers) socket.off(event, handler);
    if (socket.connected) socket.emit('job:leave', { jobId });
  };
}
