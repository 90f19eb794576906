// Keeps a page up to date with the jobs it shows. Events say that something happened; what the page shows of it is
// always the server's own HTML: each changed part of a fresh copy takes the place of the old one.

const AT_ONCE = 4; // a browser gives one host six connections
const REST_MS = 1000;
const MOST_MS = 30000;
const TURNS = ["job:failed", "job:complete", "job:cancelled"];
const EVENTS = ["job:progress", ...TURNS, "job:tool-error", "agent:message"];
const WAITING = ["queued", "waiting"];

const followed = new Map(); // job id -> the seq of its last event
const shown = new Map(); // name of a part -> its HTML as the server wrote it
let fetching = null;
let again = false;
let rest = REST_MS;

const byPart = (name) => document.querySelector(`[data-part="${CSS.escape(name)}"]`);
const ofJob = (id, what) => document.querySelectorAll(`[data-job="${CSS.escape(id)}"] ${what}`);
const say = (text) => write([document.getElementById("said")], text);
const write = (nodes, text) => nodes.forEach((node) => { node.textContent = text; });

function connected(yes) {
  document.getElementById("link").hidden = yes;
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
  if (old.querySelector("textarea:focus, input:focus")) return; // somebody is writing
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
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (answer.status === 401) return location.reload();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  page.querySelectorAll("[data-part]").forEach((part) => put(document.adoptNode(part)));
  document.title = page.title;
  followAll();
  if (!followed.size) connected(true);
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

function take(id, name, data, state) {
  if (name === "job:progress" && !data.asset && !WAITING.includes(data.status) && state === "active") {
    ofJob(id, "progress").forEach((bar) => { bar.value = Math.max(bar.value, data.progress); });
    write(ofJob(id, ".far"), `${data.progress} %`);
    write(ofJob(id, ".message"), data.message);
    return;
  }
  refresh().then(() => {
    if (data.asset) say(data.message);
    else if (TURNS.includes(name)) say([...ofJob(id, ".chip, .why")].map((node) => node.textContent).join(". "));
  });
}

function follow(element) {
  const id = element.dataset.job;
  followed.set(id, Number(element.dataset.seq));
  const source = new EventSource(`/api/v1/jobs/${encodeURIComponent(id)}/events?after=${followed.get(id)}`);
  const end = () => { source.close(); followed.delete(id); };
  source.onopen = () => connected(true);
  source.onerror = () => {
    connected(false);
    if (source.readyState !== EventSource.CLOSED) return; // it comes back by itself, with Last-Event-ID
    end();
    later();
  };
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      const now = document.querySelector(`[data-job="${CSS.escape(id)}"]`);
      if (name === "job:complete" || name === "job:cancelled" || (name === "job:failed" && !data.retriesLeft)) end();
      take(id, name, data, now?.dataset.state);
    });
  }
}

function followAll() {
  for (const element of document.querySelectorAll("[data-live]")) {
    if (followed.size < AT_ONCE && !followed.has(element.dataset.job)) follow(element);
  }
}

document.querySelectorAll("[data-copy]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
});

followAll();
