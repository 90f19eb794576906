import { useCallback, useEffect, useRef, useState } from 'react';

import { useApi } from './provider.js';
import { useGenerate } from './use-generate.js';

/**
 * @typedef {object} Turn  One of a conversation.
 * @property {'user' | 'agent'} who
 * @property {string} text
 * @property {string} step  of the wizard
 * @property {number} at  milliseconds since 1970
 */

/**
 * The brand wizard as a conversation: what was asked, and what its model says while it works.
 *
 * @param {string | null | undefined} brandId
 */
export function useAgent(brandId) {
  const api = useApi();
  const job = useGenerate('wizard');
  const [taken, setTaken] = useState(/** @type {unknown} */ (undefined)); // the proposal that became the look
  const [past, setPast] = useState(/** @type {Turn[]} */ ([]));
  const [sessionId, setSessionId] = useState(/** @type {string | null} */ (null));
  const step = useRef('');

  const turns = job.said.map(({ kind, text, toolName, at }) => turn(kind === 'message' ? text : `${toolName}: ${text}`, at));
  /** @param {string} text @param {number} at @returns {Turn} */
  function turn(text, at) {
    return { who: 'agent', text, step: step.current, at };
  }

  const result = job.result;
  useEffect(() => {
    if (result?.sessionId) setSessionId(result.sessionId);
  }, [result]);

  const { generate } = job;
  /** Goes on with a step. `text` is what the conversation shows for it. */
  const ask = useCallback(
    /** @param {string} next @param {Record<string, any>} [input] @param {string} [text] */
    async (next, input = {}, text = next) => {
      setPast((before) => [...before, ...turns, { who: 'user', text, step: next, at: Date.now() }]);
      step.current = next;
      await generate({ brandId, step: next, input, ...(sessionId ? { sessionId } : {}) });
    },
    [brandId, generate, sessionId, turns],
  );
  const proposed = result?.proposed;
  /** Gives the brand the look that the last step has proposed; without it the brand keeps its own. */
  const changeLook = useCallback(async () => {
    if (!proposed) return;
    await api(`/brands/${brandId}`, { method: 'PATCH', body: proposed });
    setTaken(proposed);
  }, [api, brandId, proposed]);
  /** @type {string | null} */
  const proposal = (proposed !== taken && result?.proposal) || null;
  return { ...job, messages: [...past, ...turns], sessionId, step: step.current, ask, proposal, changeLook };
}
