const ROOM = /^(job|brand|group|user):(join|leave|watch|unwatch)$/;
const ENTERS = ['join', 'watch'];

/**
 * The tab that holds the connection: tells all tabs what comes, sends what they ask, and sits in a room as long as one of
 * them does.
 *
 * @param {object} options
 * @param {string} options.id  of this tab
 * @param {(namespace: string) => import('socket.io-client').Socket} options.open
 * @param {() => Promise<string>} options.explain  why nothing answers
 * @param {(namespace: string, told: import('./tabs.js').Told, to?: string) => void} options.post
 * @param {(tab: string, callback: () => void) => () => void} options.ends  calls back when a tab is gone
 */
export function holdConnection({ id, open, explain, post, ends }) {
  /** @type {Map<string, ReturnType<typeof follow>>} */
  const followed = new Map();
  /** @type {Map<string, () => void>} */
  const known = new Map();

  /** @param {string} tab @param {string} namespace @param {import('./tabs.js').Request} request */
  function take(tab, namespace, request) {
    if (!followed.has(namespace) && request.kind === 'close') return;
    const each = followed.get(namespace) ?? begin(namespace);
    followed.set(namespace, each);
    if (!known.has(tab)) known.set(tab, ends(tab, () => drop(tab)));
    each.take(tab, request);
    if (!each.tabs.size) close(namespace, each);
  }

  /** @param {string} namespace */
  function begin(namespace) {
    return follow(id, namespace, open(namespace), explain, (told, to) => post(namespace, told, to));
  }

  /** @param {string} tab */
  function drop(tab) {
    known.delete(tab);
    for (const [namespace, each] of followed) {
      each.drop(tab);
      if (!each.tabs.size) close(namespace, each);
    }
  }

  /** @param {string} namespace @param {ReturnType<typeof follow>} each */
  function close(namespace, each) {
    followed.delete(namespace);
    each.socket.disconnect();
  }

  function end() {
    for (const stop of known.values()) stop();
    for (const [namespace, each] of followed) close(namespace, each);
  }
  return { take, end };
}

/**
 * One namespace of the connection.
 *
 * @param {string} id
 * @param {string} namespace
 * @param {import('socket.io-client').Socket} socket
 * @param {() => Promise<string>} explain
 * @param {(told: import('./tabs.js').Told, to?: string) => void} post
 */
function follow(id, namespace, socket, explain, post) {
  /** @type {Set<string>} */
  const tabs = new Set();
  /** @type {Map<string, Set<string>>} the tabs in each room, by its name */
  const rooms = new Map();
  /** @type {Set<string>} rooms that a tab wants to hear all of again, and others sit in */
  const again = new Set();
  /** @type {string | undefined} */
  let error;

  /** @param {{ reason?: string, to?: string }} [more] */
  function tell({ reason, to } = {}) {
    const { connected, recovered } = socket;
    post({ kind: 'state', holder: id, connected, recovered, reason, error }, to);
  }

  socket.onAny((event, ...args) => post({ kind: 'event', event, args }));
  socket.on('connect', () => {
    error = undefined;
    if (!socket.recovered) rooms.clear();
    tell();
  });
  socket.on('disconnect', (reason) => {
    error = reason === 'io server disconnect' ? 'The server has ended the connection.' : undefined;
    tell({ reason });
  });
  socket.on('connect_error', async (/** @type {import('./socket-client.js').Refused} */ problem) => {
    // Socket.IO itself tries again where nothing answered; a refusal comes in the server's own words.
    const unanswered = socket.active;
    if (await problem.mended) return; // a token that has ended is no problem of who looks at the page
    const words = unanswered ? await explain() : problem.message;
    if (socket.connected) return;
    error = words;
    tell();
  });

  /** @param {string} tab @param {import('./tabs.js').Request} request */
  function take(tab, request) {
    if (request.kind === 'close') drop(tab);
    else tabs.add(tab);
    if (request.kind === 'open') tell({ to: tab });
    else if (request.kind === 'connect' && !socket.connected) socket.connect();
    else if (request.kind === 'emit') emit(tab, request);
  }

  /** @param {string} tab @param {Extract<import('./tabs.js').Request, { kind: 'emit' }>} request */
  function emit(tab, { event, args, ask }) {
    const answer = (/** @type {any[]} */ ...given) => ask && post({ kind: 'answer', ask, args: given }, tab);
    const [, what, how] = ROOM.exec(event) ?? [];
    if (what && !(ENTERS.includes(how) ? enter : exit)(tab, what, args[0])) answer({ ok: true });
    else if (ask) socket.emit(event, ...args, answer);
    else socket.emit(event, ...args);
  }

  /** @param {string} what @param {any} data */
  const roomOf = (what, data) => `${what} ${data?.jobId ?? data?.brandId ?? ''}`;

  /** @param {string} tab @param {string} what @param {any} data @returns {boolean} whether the server is asked */
  function enter(tab, what, data) {
    const room = roomOf(what, data);
    if (again.delete(room)) socket.emit(`${what}:leave`, data);
    rooms.set(room, (rooms.get(room) ?? new Set()).add(tab));
    return true;
  }

  /** @param {string} tab @param {string} what @param {any} data @returns {boolean} whether the server is asked */
  function exit(tab, what, data) {
    const room = roomOf(what, data);
    const inside = rooms.get(room);
    inside?.delete(tab);
    if (inside?.size) again.add(room);
    else rooms.delete(room);
    return !inside?.size;
  }

  /** @param {string} tab */
  function drop(tab) {
    tabs.delete(tab);
    for (const [room, inside] of rooms) {
      if (!inside.delete(tab) || inside.size) continue;
      rooms.delete(room);
      const [what, name] = room.split(' ');
      const leave = namespace === '/dashboard' ? 'unwatch' : 'leave';
      if (socket.connected) socket.emit(`${what}:${leave}`, name ? { [`${what}Id`]: name } : {});
    }
  }

  return { take, drop, tabs, socket };
}
