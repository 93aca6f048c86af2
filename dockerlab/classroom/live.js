// Asks every few seconds how the class stands, and shows it where something has changed.
const place = document.getElementById("now");
const lost = document.getElementById("lost");
const names = document.getElementById("names");
const PERIOD = 2500;
let shown = place.innerHTML.trim();
let waiting = 0;

async function look() {
  clearTimeout(waiting);
  try {
    const answer = await fetch(`/now?lang=${document.documentElement.lang}`, { signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error(answer.status);
    show((await answer.text()).trim());
    lost.textContent = "";
  } catch {
    lost.textContent = document.body.dataset.lost;
  }
  clearTimeout(waiting);
  waiting = setTimeout(look, PERIOD);
}

function show(text) {
  if (text === shown) return;
  shown = text;
  const open = place.querySelector("details[open]")?.id;
  const focused = document.activeElement?.closest("details")?.id;
  const scrolled = place.querySelector("details[open] .more")?.scrollTop ?? 0;
  place.innerHTML = text;
  if (open) {
    const one = document.getElementById(open);
    one?.setAttribute("open", "");
    one?.querySelector(".more").scrollTo(0, scrolled);
  }
  if (focused) document.getElementById(focused)?.querySelector("summary").focus({ preventScroll: true });
}

function hide(hidden) {
  document.body.classList.toggle("hidden", hidden);
  names.setAttribute("aria-pressed", hidden);
  sessionStorage.setItem("hidden", hidden ? "1" : "");
}

names.addEventListener("click", () => hide(!document.body.classList.contains("hidden")));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.toLowerCase() === "n") names.click();
  if (event.key === "Escape") place.querySelector("details[open]")?.removeAttribute("open");
});
document.addEventListener("visibilitychange", () => document.hidden || look());
addEventListener("online", look);
hide(sessionStorage.getItem("hidden") === "1");
waiting = setTimeout(look, PERIOD);
