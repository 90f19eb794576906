const TICK_MS = 2000;
const SLEPT_MS = 15_000;

/**
 * Calls back when the machine or the tab was asleep, or the network has come back: a connection that died meanwhile says
 * nothing, and a timer would find it out late.
 *
 * @param {() => void} callback
 * @returns {() => void} ends it
 */
export function onWake(callback) {
  let before = Date.now();
  const look = () => {
    const slept = Date.now() - before > SLEPT_MS;
    before = Date.now();
    if (slept && globalThis.document?.visibilityState !== 'hidden') callback(); // hidden tabs tick once a minute
  };
  const timer = setInterval(look, TICK_MS);
  globalThis.document?.addEventListener('visibilitychange', look);
  globalThis.addEventListener?.('online', callback);
  return () => {
    clearInterval(timer);
    globalThis.document?.removeEventListener('visibilitychange', look);
    globalThis.removeEventListener?.('online', callback);
  };
}
