// Asks every few seconds how the class stands, and shows it where something has changed.
const PERIOD = 2500;
const root = document.documentElement;
root.classList.toggle("hidden", sessionStorage.getItem("hidden") === "1"); // before any name is seen

addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("now");
  const lost = document.getElementById("lost");
  const names = document.getElementById("names");
  let shown = "";
  let waiting = setTimeout(look, PERIOD);

  async function look() {
    clearTimeout(waiting);
    try {
      const signal = AbortSignal.timeout(8000);
      const answer = await fetch(`/now?lang=${root.lang}`, { signal });
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.text());
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
    const open = place.querySelector("details[open]");
    const scrolled = open?.querySelector(".more").scrollTop;
    const helped = open?.querySelector(".help")?.open;
    const focused = document.activeElement?.closest("details[id]")?.id;
    const wanted = document.activeElement?.closest(".help") ? ".help summary" : "summary";
    place.innerHTML = text;
    const again = open && document.getElementById(open.id);
    again?.setAttribute("open", "");
    if (helped) again?.querySelector(".help")?.setAttribute("open", "");
    again?.querySelector(".more").scrollTo(0, scrolled);
    if (focused) document.getElementById(focused)?.querySelector(wanted)?.focus({ preventScroll: true });
  }

  function close() {
    const open = place.querySelector("details[open]");
    open?.removeAttribute("open");
    open?.querySelector("summary").focus();
  }

  function hide(hidden) {
    root.classList.toggle("hidden", hidden);
    names.setAttribute("aria-pressed", hidden);
    sessionStorage.setItem("hidden", hidden ? "1" : "");
  }

  names.addEventListener("click", () => hide(!root.classList.contains("hidden")));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "n") names.click();
    if (event.key === "Escape") close();
  });
  addEventListener("online", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());
  hide(root.classList.contains("hidden"));
});
