// Keeps the page that is open as the server would show it now. Without it, the page is the
// same until it is loaded again.
"use strict";
(() => {
  const sign = document.getElementById("live");
  const say = (state, words) => {
    if (sign.dataset.state === state) return;
    sign.dataset.state = state;
    sign.querySelector(".words").textContent = words;
  };

  // What the server sent last for each part: the DOM differs, once somebody opened a form.
  const sent = new Map();
  for (const part of document.querySelectorAll("[data-live]")) sent.set(part.id, part.innerHTML);

  // Nobody wants the form that they are filling in, or the text that they have marked, to
  // disappear.
  const inUse = (part) => {
    const marked = getSelection();
    return part.querySelector("details[open]") ||
      (marked && !marked.isCollapsed && part.contains(marked.anchorNode)) ||
      (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"));
  };

  const put = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    let held = false;
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(part.id);
      if (!now || now.innerHTML === sent.get(part.id)) continue;
      if (inUse(part)) {
        held = true;
        continue;
      }
      const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
      sent.set(part.id, now.innerHTML);
      part.replaceChildren(...now.childNodes);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    }
    if (document.title !== fresh.title) {
      document.title = fresh.title;
      document.getElementById("news").textContent = fresh.title; // for a screen reader
    }
    if (held) say("held", "There is news. It is shown when you close the form.");
    else say("on", "Live");
  };

  let busy = false, again = false;
  const refresh = async () => {
    again = busy;
    if (busy) return;
    busy = true;
    const began = performance.now();
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.status === 403) say("off", "ringback was started anew: open the address that it printed.");
      else if (answer.ok) put(await answer.text());
      else say("off", "The page cannot be made just now. What you see may be old.");
    } catch {
      say("off", "ringback does not answer. What you see may be old.");
    }
    // What takes the server long is asked for less often.
    await new Promise((done) => setTimeout(done, 4 * (performance.now() - began)));
    busy = false;
    if (again) refresh();
  };

  // A browser has few connections to one server, for all of its tabs.
  let source;
  const follow = () => {
    source?.close();
    source = undefined;
    if (document.hidden) return;
    source = new EventSource("/live");
    source.addEventListener("change", refresh);
    source.addEventListener("error", () => {
      refresh(); // which says what is wrong
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 5000);
    });
  };
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) follow(); });
  document.addEventListener("toggle", () => { if (sign.dataset.state === "held") refresh(); }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details[open]")) if (!open.contains(event.target)) open.open = false;
  });
  follow();
})();
