// Shows the HTML that a view of dockerlab sends, changes only what changed, and sends back what
// the learner does:
//   <button data-do="NAME" value="…">        a click
//   <input|select data-on-input="NAME">      each change, at once
//   <form data-do="NAME">                    submitted; all fields by their names
//   <details data-on-open="NAME" data-value> opened for the first time
//   <… data-every="NAME" data-seconds="2">   again and again, while it can be seen
//   <button data-copy="TEXT" data-copied="…"> copies TEXT, without the kernel
//   <… data-whisper="NAME">                  filled by a message that is kept nowhere
//   <a href="….ipynb#…">                     opens in JupyterLab, beside this notebook
// data-key tells which elements are the same ones, so that focus and scrolling stay.

const DEAF = "data-lm-suppress-shortcuts"; // JupyterLab then leaves the keys to the element
const OURS = new Set(["open", DEAF]); // attributes that no template has to know
const PATIENCE = 4000; // milliseconds without an answer before the learner is told

const applied = new WeakMap(); // what the HTML said of each input when it was last obeyed
const typed = new WeakSet(); // the input that she is typing into
let settled = true; // whether the HTML that is drawn knows of all that was done on the page

function keyed(node) {
  return node.nodeType === 1 ? node.dataset.key || "" : "";
}

function matches(one, other) {
  return one.nodeName === other.nodeName && keyed(one) === keyed(other);
}

function attributes(from, to) {
  for (const { name, value } of to.attributes) {
    if (name === "open" || from.getAttribute(name) === value) continue;
    from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!OURS.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
}

// What the HTML says of an input, beside what she has typed or ticked since.
function said(input) {
  if (input.type === "checkbox" || input.type === "radio") return input.hasAttribute("checked");
  return input.getAttribute("value") ?? "";
}

function control(from, to) {
  const wanted = said(to);
  if (applied.get(from) === wanted) return;
  const busy = typed.has(from) && from.type !== "radio"; // a radio has siblings
  if (!settled || (busy && !to.hasAttribute("data-set"))) {
    applied.set(from, null); // she is ahead of what this HTML knows: later
    return;
  }
  applied.set(from, wanted);
  if (typeof wanted === "boolean") from.checked = wanted;
  else if (from.type !== "password") from.value = wanted;
}

function morph(from, to) {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.nodeName === "INPUT" && !applied.has(from)) applied.set(from, said(from));
  attributes(from, to);
  if (from.nodeName === "INPUT") return control(from, to);
  if (from.hasAttribute("data-whisper")) return;
  children(from, to);
  if (from.nodeName === "SELECT" || from.nodeName === "TEXTAREA")
    if (from !== document.activeElement) from.value = to.value;
}

// The children of both that stay, in order (a longest common subsequence): none is ever moved.
function common(ours, theirs) {
  const lengths = Array.from({ length: ours.length + 1 }, () => new Uint16Array(theirs.length + 1));
  for (let i = ours.length - 1; i >= 0; i--)
    for (let j = theirs.length - 1; j >= 0; j--)
      lengths[i][j] = matches(ours[i], theirs[j])
        ? lengths[i + 1][j + 1] + 1
        : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
  const pairs = new Map();
  for (let i = 0, j = 0; i < ours.length && j < theirs.length; )
    if (matches(ours[i], theirs[j])) pairs.set(theirs[j++], ours[i++]);
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  return pairs;
}

function children(from, to) {
  const theirs = [...to.childNodes];
  const stay = common([...from.childNodes], theirs);
  const kept = new Set(stay.values());
  for (const node of [...from.childNodes]) if (!kept.has(node)) node.remove();
  let here = from.firstChild;
  for (const wanted of theirs) {
    const found = stay.get(wanted);
    if (!found) {
      from.insertBefore(document.importNode(wanted, true), here);
      continue;
    }
    here = found.nextSibling;
    morph(found, wanted);
  }
}

function fields(form) {
  const found = {};
  for (const [name, value] of new FormData(form)) {
    if (name in found) found[name] = [].concat(found[name], value);
    else found[name] = value;
  }
  return found;
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea"); // where a page may not use the clipboard
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = button.textContent;
  if (label === button.dataset.copied) return;
  button.textContent = button.dataset.copied;
  setTimeout(() => (button.textContent = label), 1500);
}

// JupyterLab follows a link by itself if it is told so; else the whole page would load again.
function toNotebook(link) {
  const path = /\/(?:lab|doc|workspaces\/[^/]+)\/tree\/(.+)/.exec(decodeURI(link.pathname));
  if (!path) return;
  link.dataset.commandlinkerCommand = "rendermime:handle-local-link";
  link.dataset.commandlinkerArgs = JSON.stringify({ path: path[1], id: link.hash });
  if (link.hash) toSection(link.hash.slice(1));
}

// The same help for the links in a lesson's prose.
function toWord(event) {
  const link = event.target.closest?.('.jp-RenderedMarkdown a[href*=".ipynb"]');
  if (link?.hash) toSection(decodeURIComponent(link.hash).slice(1));
}
document.removeEventListener("click", globalThis.dockerlabToWord); // of the widget before
document.addEventListener("click", (globalThis.dockerlabToWord = toWord));

// In a notebook that is only being opened, JupyterLab looks for a heading too early, and the cells
// above it go on growing for a while. It stays in sight until somebody moves.
function toSection(id) {
  const moved = new AbortController();
  for (const kind of ["wheel", "pointerdown", "keydown"])
    document.addEventListener(kind, () => moved.abort(), { capture: true, signal: moved.signal });
  let still = 0; // how often it was where it was left
  let top = NaN;
  function look(tries) {
    const heading = document.querySelector(`[data-jupyter-id="${CSS.escape(id)}"]`);
    if (moved.signal.aborted || !tries || still > 12) return moved.abort();
    const place = () => Math.round(heading?.getBoundingClientRect().top ?? NaN);
    still = place() === top ? still + 1 : 0;
    heading?.scrollIntoView();
    top = place();
    setTimeout(look, 250, tries - 1);
  }
  setTimeout(look, 250, 240);
}

function render({ model, el }) {
  const root = document.createElement("div");
  const lost = document.createElement("p");
  root.className = "dockerlab";
  root.tabIndex = -1;
  root.lang = model.get("lang");
  root.setAttribute(DEAF, "true"); // or JupyterLab takes Enter and the arrow keys
  lost.setAttribute("role", "alert");
  lost.className = "dockerlab-lost";
  lost.lang = model.get("lang");
  el.append(root, lost);

  let sent = 0;
  let heard = 0;
  let timer = 0;

  function draw() {
    const page = new DOMParser().parseFromString(model.get("html"), "text/html");
    settled = heard >= sent;
    const inside = root.contains(document.activeElement) && document.activeElement !== root;
    children(root, page.body);
    if (inside && !root.contains(document.activeElement))
      (root.querySelector("[data-focus]") || root).focus({ preventScroll: true });
  }

  function unheard() {
    lost.textContent = model.get("lost");
  }

  function send(name, value) {
    sent += 1;
    root.setAttribute("aria-busy", "true");
    clearTimeout(timer);
    timer = setTimeout(unheard, PATIENCE);
    try {
      model.send({ do: name, value, number: sent });
    } catch {
      unheard(); // the kernel that knew this view is gone
    }
  }

  function message(content) {
    if ("done" in content) {
      heard = Math.max(heard, content.done || 0);
      if (heard >= sent) {
        clearTimeout(timer);
        lost.textContent = "";
        root.removeAttribute("aria-busy");
        draw();
      }
    }
    for (const [name, text] of Object.entries(content.whisper || {}))
      for (const place of root.querySelectorAll(`[data-whisper="${CSS.escape(name)}"]`))
        place.textContent = text;
  }

  root.addEventListener("click", (event) => {
    const link = event.target.closest('a[href*=".ipynb"]');
    if (link) return toNotebook(link);
    const button = event.target.closest("[data-do], [data-copy]");
    if (!button || button.nodeName === "FORM" || button.disabled) return;
    if (button.getAttribute("aria-disabled") === "true") return;
    if (button.dataset.copy !== undefined) return copy(button);
    send(button.dataset.do, button.value ?? null);
  });
  root.addEventListener("focusin", (event) => event.target.setAttribute(DEAF, "true"));
  root.addEventListener("focusout", (event) => typed.delete(event.target));
  root.addEventListener("input", (event) => {
    typed.add(event.target);
    const name = event.target.dataset.onInput;
    if (name) send(name, event.target.type === "checkbox" ? event.target.checked : event.target.value);
  });
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    if (form.dataset.do) send(form.dataset.do, fields(form));
    for (const field of form.querySelectorAll('input[type="password"]')) field.value = "";
  });
  root.addEventListener("keydown", (event) => {
    const form = event.target.nodeName === "INPUT" && event.target.form;
    if (event.key !== "Enter" || !form || event.isComposing) return;
    event.preventDefault(); // JupyterLab keeps browsers from submitting by themselves
    form.requestSubmit();
  });
  root.addEventListener(
    "toggle",
    (event) => {
      const name = event.target.dataset.onOpen;
      if (name && event.target.open) send(name, event.target.dataset.value ?? null);
    },
    true,
  );

  const next = new WeakMap(); // when each element with data-every wants to ask again
  const beat = setInterval(() => {
    if (heard < sent || document.hidden || !root.offsetParent) return;
    for (const place of root.querySelectorAll("[data-every]")) {
      const now = Date.now();
      if (next.has(place) && now >= next.get(place))
        send(place.dataset.every, place.dataset.value ?? null);
      else if (next.has(place)) continue;
      next.set(place, now + 1000 * Number(place.dataset.seconds || 2));
    }
  }, 250);

  draw();
  model.on("change:html", draw);
  model.on("msg:custom", message);
  return () => {
    clearInterval(beat);
    clearTimeout(timer);
    model.off("change:html", draw);
    model.off("msg:custom", message);
  };
}

export default { render };
