// Times as the reader's own clock shows them, the time a job may still take, and how long until the next attempt. The
// server writes all of them in words; this only keeps them true while one looks, in whole seconds.

const SECOND_MS = 1000;
const FORMATS = {
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  full: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" },
};
const seen = new WeakMap(); // a part with a time -> when it came onto the page

const since = (node) => {
  if (!seen.has(node)) seen.set(node, performance.now());
  return (performance.now() - seen.get(node)) / SECOND_MS;
};

function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  return whole % 60 ? `${Math.floor(whole / 60)} m ${whole % 60} s` : `${whole / 60} m`;
}

function localize(node) {
  const at = new Date(node.dateTime);
  const full = at.toLocaleString(undefined, FORMATS.full);
  node.title = full;
  const format = FORMATS[node.dataset.local];
  if (format) node.textContent = node.dataset.local === "full" ? full : at.toLocaleTimeString(undefined, format);
  delete node.dataset.local;
}

function left(node) {
  const { passed, usual } = node.dataset;
  const now = Number(passed) + since(node);
  return usual - now >= 1 ? `about ${span(usual - now)} left` : "longer than usual";
}

function next(node) {
  const rest = node.dataset.in - since(node);
  return rest >= 1 ? `Next try in ${span(rest)}.` : "Next try now.";
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function tick() {
  document.querySelectorAll("time[data-local]").forEach(localize);
  document.querySelectorAll("[data-usual]").forEach((node) => write(node, left(node)));
  document.querySelectorAll("[data-in]").forEach((node) => write(node, next(node)));
}

tick();
setInterval(tick, SECOND_MS);
