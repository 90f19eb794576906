/** @type {WeakMap<Function, Promise<any>>} */
const underWay = new WeakMap();

/**
 * Calls an asynchronous function, or joins the call of it that is under way: ten sockets and requests that find their
 * token refused at once ask for one new token, not for ten.
 *
 * @template T
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export function singleFlight(work) {
  let flight = underWay.get(work);
  if (!flight) {
    flight = Promise.resolve()
      .then(work)
      .finally(() => underWay.delete(work));
    underWay.set(work, flight);
  }
  return flight;
}
