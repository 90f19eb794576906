// Looking at pictures: one large with the arrow keys, logos on another ground, and what a choice comes to. Without this a
// picture opens by itself, and every form says what one costs.

const GROUNDS = [["light", "On light"], ["dark", "On dark"], ["placed", "On a T-shirt"]];
const shown = { links: [], at: 0 };

const make = (name, values = {}, ...children) => {
  const node = Object.assign(document.createElement(name), values);
  node.append(...children);
  return node;
};
const press = (text, act, name = "light") => {
  const button = make("button", { type: "button", className: name, textContent: text });
  button.addEventListener("click", act);
  return button;
};

const picture = make("img", { alt: "" });
const frame = make("div", { className: "frame" }, picture);
const caption = make("p", { className: "caption" });
const origin = make("p", { className: "small" });
const grounds = make("div", { className: "presses" }, ...GROUNDS.map(([name, text]) => press(text, () => ground(name))));
grounds.setAttribute("role", "group");
grounds.setAttribute("aria-label", "Show it");
const dialog = make("dialog", { className: "large" },
  make("div", { className: "row" }, caption, press("Close", () => dialog.close(), "light end")), frame, origin,
  make("div", { className: "row" }, press("Previous", () => go(-1)), press("Next", () => go(1)), grounds));
dialog.setAttribute("aria-label", "Picture");

function ground(name) {
  const logo = shown.links[shown.at].classList.contains("logo");
  frame.className = `frame${logo ? ` logo ${name}` : ""}`;
  grounds.hidden = !logo;
  [...grounds.children].forEach((button, at) => button.setAttribute("aria-pressed", String(GROUNDS[at][0] === name)));
}

function go(step) {
  const { links } = shown;
  shown.at = (shown.at + step + links.length) % links.length;
  const link = links[shown.at];
  picture.src = link.href;
  picture.alt = link.dataset.big;
  caption.textContent = links.length > 1 ? `${link.dataset.big} (${shown.at + 1} of ${links.length})` : link.dataset.big;
  origin.textContent = link.dataset.origin;
  ground("light");
}

function enlarge(link) {
  shown.links = [...document.querySelectorAll("a[data-big]")];
  shown.at = shown.links.indexOf(link);
  document.body.append(dialog);
  go(0);
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-big]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  enlarge(link);
});
dialog.addEventListener("keydown", ({ key }) => {
  if (key === "ArrowRight" || key === "ArrowLeft") go(key === "ArrowRight" ? 1 : -1);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("close", () => {
  dialog.remove();
  const link = document.querySelector(`a[data-big="${CSS.escape(picture.alt)}"]`);
  if (link) link.focus();
});

// --- what a choice comes to --------------------------------------------------------------------------------------------

function count(form) {
  const button = form.querySelector("[data-press]");
  const number = form.querySelectorAll("input:checked").length;
  if (!button || !form.dataset.each) return;
  const credits = number * form.dataset.each;
  const words = button.dataset.press.replace("#", number).replace(/s$/, number === 1 ? "" : "s");
  const price = `${credits} credit${credits === 1 ? "" : "s"}`;
  button.disabled = !number;
  button.textContent = number ? [words, price, form.dataset.time].filter(Boolean).join(" · ") : "Choose a product";
}

function choose() {
  const number = document.querySelectorAll('input[form="chosen"]:checked').length;
  const form = document.getElementById("chosen");
  if (!form) return;
  form.querySelector("span").textContent = number ? `${number} chosen:` : "Choose some to";
  form.querySelectorAll("button").forEach((button) => { button.disabled = !number; });
}

document.querySelectorAll("form.make").forEach(count);
choose();
document.addEventListener("change", ({ target }) => {
  if (target.form?.classList.contains("make")) count(target.form);
  if (target.name === "of") choose();
});
addEventListener("pageshow", choose);
