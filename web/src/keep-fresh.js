const RENEW_MS = 45 * 60_000; // signed addresses of pictures are good for an hour at least
const LOOK_MS = 60_000;

/**
 * Calls back before the addresses of pictures end: a page may be open for days, and a laptop sleeps in between.
 *
 * @param {() => void} renew
 * @returns {() => void} ends it
 */
export function keepFresh(renew) {
  let last = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - last < RENEW_MS) return;
    last = Date.now();
    renew();
  }, LOOK_MS);
  return () => clearInterval(timer);
}
