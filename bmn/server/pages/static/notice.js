// Tells somebody who has left the page that a job is done, where they want it: the browser asks, once, at their click.

const ask = document.getElementById("notify");
const may = () => window.Notification?.permission ?? "denied";
const running = () => document.querySelector("[data-live]") !== null;

// A page that is left gives its stream up; one that is to tell something keeps it (live.js).
function show() {
  ask.hidden = may() !== "default" || !running();
  document.documentElement.toggleAttribute("data-tells", may() === "granted" && running());
}

ask.querySelector("button").addEventListener("click", async () => {
  await Notification.requestPermission();
  show();
});

document.addEventListener("bmn:ended", ({ detail: { id, text, title } }) => {
  if (may() !== "granted" || document.visibilityState !== "hidden") return;
  // Several tabs may show one job: what has the same tag is shown once.
  const notice = new Notification(title, { body: text, tag: id, icon: "/static/icon.svg" });
  notice.onclick = () => {
    window.focus();
    notice.close();
  };
});

document.addEventListener("visibilitychange", show, true);
new MutationObserver(show).observe(document.getElementById("main"), { childList: true, subtree: true });
show();
