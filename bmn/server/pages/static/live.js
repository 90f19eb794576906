// Keeps a page up to date with the jobs it shows. Events say that something happened; what the page shows of it is
// always the server's own HTML: each changed part of a fresh copy takes the place of the old one.
//
// All tabs of a browser share one stream of events, since a browser gives one host six connections. The tab that has the
// lock holds it, and tells the others what comes; a tab that is hidden gives it up.

const MOST = 12; // jobs in one stream
const REST_MS = 1000;
const MOST_MS = 30000;
const TICK_MS = 2000;
const SLEPT_MS = 15000; // a tick that took this long was spent asleep
const MUTE_MS = 30000; // the server gives a sign of life every ten seconds
const POLL_MS = 5000;
const HIDDEN_MS = 30000;
const TURNS = ["job:failed", "job:complete", "job:cancelled"];
const EVENTS = ["job:progress", ...TURNS, "job:tool-error", "agent:message"];
const WAITING = ["queued", "waiting"];
const PERCENT = /: (\d+) ?%$/;
const SHARED = "bmn live";

const me = Math.random().toString(36).slice(2);
const followed = new Map(); // job id -> the seq of its last event
const shown = new Map(); // name of a part -> its HTML as the server wrote it
const channel = navigator.locks && window.BroadcastChannel ? new BroadcastChannel(SHARED) : null;
let fetching = null;
let again = false;
let rest = REST_MS;
let polling = false;

const byPart = (name) => document.querySelector(`[data-part="${CSS.escape(name)}"]`);
const ofJob = (id, what) => document.querySelectorAll(`[data-job="${CSS.escape(id)}"] ${what}`);
const say = (text) => write([document.getElementById("said")], text);
const write = (nodes, text) => nodes.forEach((node) => { node.textContent = text; });

const lift = (bars, value) => bars.forEach((bar) => { bar.value = Math.max(bar.value, value); });
// How far one picture is: "Logo 3: 82%". Nothing yet where the words name no share.
const shareOf = (text) => Number(PERCENT.exec(text)?.[1] ?? 0);

function connected(yes) {
  const link = document.getElementById("link");
  link.hidden = yes && !polling;
  link.textContent = yes && polling ? "Live updates do not get through: looking every few seconds" : "Reconnecting…";
  if (yes) rest = REST_MS;
}

function later() {
  setTimeout(refresh, rest);
  rest = Math.min(2 * rest, MOST_MS);
}

// A form's key is another one each time, which is no change to look at.
const written = (part) => part.outerHTML.replace(/name="key" value="[^"]*"/g, "");

function put(part) {
  const old = byPart(part.dataset.part);
  const html = written(part);
  if (!old || (shown.get(part.dataset.part) ?? written(old)) === html) return;
  if (old.querySelector("textarea:focus, input:focus, select:focus, .act[open], .tick :checked")) return; // somebody is at it
  const had = old.contains(document.activeElement);
  const known = new Set([...old.querySelectorAll("img")].map((image) => image.src));
  old.replaceWith(part);
  shown.set(part.dataset.part, html);
  part.querySelectorAll("img").forEach((image) => image.classList.toggle("new", !known.has(image.src)));
  if (had) {
    part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }
}

async function load() {
  if (!document.querySelector("[data-part]")) return;
  const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
  if (answer.status === 401 || (answer.status === 404 && document.querySelector("[data-shared]"))) return location.reload();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  page.querySelectorAll("[data-part]").forEach((part) => put(document.adoptNode(part)));
  document.title = page.title;
  followAll();
  if (!followed.size || polling) connected(true);
}

async function refresh() {
  if (fetching) {
    again = true;
    return fetching;
  }
  fetching = load().catch(() => {
    connected(false);
    later();
  });
  await fetching;
  fetching = null;
  if (again) {
    again = false;
    await refresh();
  }
}

// A rough picture stands behind the words of its frame until the picture itself takes the frame's place.
function rough(frames, { preview, logoIndex }) {
  const frame = frames[logoIndex ?? 0];
  if (frame) frame.style.backgroundImage = `url("${encodeURI(decodeURI(preview))}")`;
}

function take(id, name, data, state) {
  if (name === "job:progress" && !data.asset && !WAITING.includes(data.status) && state === "active") {
    lift(ofJob(id, "progress:not([data-piece])"), data.progress);
    lift(document.querySelectorAll(`[data-of="${CSS.escape(id)}"] [data-piece="${data.logoIndex ?? 0}"]`), shareOf(data.message));
    if (data.preview) rough(document.querySelectorAll(`[data-of="${CSS.escape(id)}"] .frame.empty`), data);
    write(ofJob(id, ".far"), `${data.progress} %`);
    write(ofJob(id, ".message"), PERCENT.test(data.message) ? "Drawing" : data.message);
    return;
  }
  refresh().then(() => {
    if (data.asset) say(data.message);
    else if (TURNS.includes(name)) say([...ofJob(id, ".chip, .why")].map((node) => node.textContent).join(". "));
  });
}

function followAll() {
  const live = new Map([...document.querySelectorAll("[data-live]")].map(({ dataset }) => [dataset.job, Number(dataset.seq)]));
  const ids = [...followed.keys()].join();
  for (const id of followed.keys()) if (!live.has(id)) followed.delete(id);
  for (const [id, seq] of live) if (followed.size < MOST && !followed.has(id)) followed.set(id, seq);
  if ([...followed.keys()].join() !== ids) tell({ jobs: Object.fromEntries(followed) });
}

// --- one stream for all tabs -------------------------------------------------------------------------------------------

const wanted = new Map(); // tab -> the jobs it follows, each with the seq of its last event
const streamed = new Map(); // the same of the stream that is open
let source = null;
let heard = 0;
let breaks = 0;
let reopening = 0;
let letGo = null; // ends our holding the stream; null where another tab holds it
let asking = null;
let hiding = 0;

function tell(message) {
  const sent = { from: me, ...message };
  if (channel) channel.postMessage(sent);
  receive(sent);
}

function receive({ from, jobs, who, name, data, up, mute }) {
  if (jobs && letGo) {
    if (Object.keys(jobs).length) wanted.set(from, jobs);
    else wanted.delete(from);
    if (isMissing(jobs)) open();
  }
  if (who) tell({ jobs: Object.fromEntries(followed) });
  if (name) arrived(name, data);
  if (mute !== undefined) polling = mute;
  if (up !== undefined) connected(up);
}

function arrived(name, data) {
  const id = data.jobId;
  if (!followed.has(id) || data.seq <= followed.get(id)) return;
  followed.set(id, data.seq);
  const now = document.querySelector(`[data-job="${CSS.escape(id)}"]`);
  if (isEnd(name, data)) {
    followed.delete(id);
    const detail = { id, title: document.title.split(" · ")[0], text: data.message ?? data.error };
    document.dispatchEvent(new CustomEvent("bmn:ended", { detail }));
  }
  take(id, name, data, now?.dataset.state);
}

const isEnd = (name, data) => name === "job:complete" || name === "job:cancelled" || (name === "job:failed" && !data.retriesLeft);
const isMissing = (jobs) => Object.entries(jobs).some(([id, seq]) => !streamed.has(id) || streamed.get(id) > seq);

function open() {
  shut();
  for (const jobs of wanted.values()) {
    for (const [id, seq] of Object.entries(jobs)) {
      if (streamed.has(id) || streamed.size < MOST) streamed.set(id, Math.min(seq, streamed.get(id) ?? seq));
    }
  }
  if (!streamed.size) {
    lives();
    return;
  }
  const query = [...streamed].map(([id, seq]) => `job=${encodeURIComponent(`${id}:${seq}`)}`).join("&");
  source = new EventSource(`/api/v1/events?${query}`);
  heard = Date.now();
  source.onopen = () => {
    heard = Date.now();
    if (!polling) tell({ up: true });
  };
  source.onerror = broke;
  source.addEventListener("alive", lives);
  for (const name of EVENTS) source.addEventListener(name, (event) => passOn(name, JSON.parse(event.data)));
}

function shut() {
  clearTimeout(reopening);
  if (source) source.close();
  source = null;
  streamed.clear();
}

function lives() {
  heard = Date.now();
  if (breaks || polling) tell({ up: true, mute: false });
  breaks = 0;
}

function passOn(name, data) {
  lives();
  streamed.set(data.jobId, data.seq);
  for (const jobs of wanted.values()) if (data.jobId in jobs) jobs[data.jobId] = Math.max(jobs[data.jobId], data.seq);
  tell({ name, data, up: true });
  if (!isEnd(name, data)) return;
  streamed.delete(data.jobId);
  for (const jobs of wanted.values()) delete jobs[data.jobId];
  if (!streamed.size) shut();
}

// The stream broke, or stays mute: the page itself says how things are, and whether anybody answers at all.
function broke() {
  shut();
  breaks += 1;
  if (!polling) tell({ up: false });
  reopening = setTimeout(open, Math.min(REST_MS * 2 ** (breaks - 1), MOST_MS));
  refresh();
}

function hold() {
  return new Promise((done) => {
    letGo = () => {
      letGo = null;
      shut();
      wanted.clear();
      done();
    };
    tell({ who: true });
  });
}

function wait() {
  if (letGo || asking || document.visibilityState === "hidden") return;
  if (!channel) {
    hold();
    return;
  }
  asking = new AbortController();
  navigator.locks.request(SHARED, { signal: asking.signal }, () => { asking = null; return hold(); }).catch(() => {});
}

async function onVisibility() {
  clearTimeout(hiding);
  look();
  if (document.visibilityState !== "hidden") {
    wait();
    return;
  }
  if (asking) asking.abort();
  asking = null;
  const others = channel ? (await navigator.locks.query()).pending : [];
  if (letGo && others.some(({ name }) => name === SHARED)) letGo();
  else hiding = setTimeout(leave, HIDDEN_MS);
}

// A page that is to tell of an end keeps its stream until then (notice.js).
function leave() {
  if (document.documentElement.hasAttribute("data-tells")) hiding = setTimeout(leave, HIDDEN_MS);
  else if (letGo) letGo();
}

let before = Date.now();
function look() {
  const slept = Date.now() - before > SLEPT_MS;
  before = Date.now();
  if (document.visibilityState === "hidden") return;
  if (slept) {
    if (letGo && streamed.size) open();
    refresh();
  } else if (source && Date.now() - heard > MUTE_MS) {
    tell({ mute: true });
    broke();
  }
}

// --- operators' pages follow everything at once, or one job: the server says that something has moved ------------------

let moves = null;
const MOVING = document.querySelector("[data-moves]");

function followMoves() {
  if (!MOVING) return;
  const seen = document.visibilityState !== "hidden";
  if (seen && !moves) {
    const job = MOVING.dataset.moves;
    moves = new EventSource(`/admin/events${job ? `?job=${encodeURIComponent(job)}` : ""}`);
    moves.onopen = () => connected(true);
    moves.onerror = () => connected(false);
    moves.addEventListener("moved", () => refresh());
    refresh();
  } else if (!seen && moves) {
    moves.close();
    moves = null;
  }
}

document.addEventListener("visibilitychange", followMoves);
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector(".act[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
followMoves();

if (channel) channel.onmessage = ({ data }) => receive(data);
document.addEventListener("visibilitychange", onVisibility);
addEventListener("online", () => refresh());
addEventListener("pagehide", () => tell({ jobs: {} }));
setInterval(look, TICK_MS);
// Between two steps of a kit no job is there that could be followed.
const between = () => !followed.size && document.querySelector("[data-between]");
setInterval(() => { if ((polling || between()) && document.visibilityState !== "hidden") refresh(); }, POLL_MS);

// A shared page has no account: its link has a stream of its own, which says that something has changed.
const link = document.querySelector("[data-shared]")?.dataset.shared;
if (link) {
  const changes = new EventSource(`/api/v1/shared/${encodeURIComponent(link)}/events`);
  const look = async () => {
    await refresh();
    if (!document.querySelector("[data-shared]")) changes.close();
  };
  changes.addEventListener("shared", look);
  changes.onerror = look; // it ended with the job, was withdrawn, or the server is away
}

document.querySelectorAll("[data-copy]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
});

wait();
followAll();
