// The keys of the list of jobs, which templates/_keys.html lists. What is ticked is counted by static/choose.js.
"use strict";

(() => {
  const rows = [...document.querySelectorAll(".jobs tbody tr[id^=row-]")];
  let at = -1;

  const go = (place) => {
    if (!rows.length) return;
    rows[at]?.classList.remove("at");
    at = Math.max(0, Math.min(rows.length - 1, place));
    rows[at].classList.add("at");
    rows[at].querySelector(".cell-job a").focus();
  };

  const tick = (shiftKey) => {
    const box = rows[at]?.querySelector(".cell-choose input[type=checkbox]");
    box?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey }));
  };

  const keys = {
    j: () => go(at + 1),
    k: () => go(at - 1),
    x: (event) => tick(event.shiftKey),
    a: () => document.querySelector("#bulk-assignee")?.focus(),
    c: () => document.querySelector("#bulk-note")?.focus(),
  };

  // On a phone the views scroll sideways; the page itself stays where it is.
  const view = document.querySelector(".views [aria-current]");
  if (view) view.offsetParent.scrollLeft = view.offsetLeft + view.offsetWidth - view.offsetParent.clientWidth;

  const here = rows.findIndex((row) => `#${row.id}` === location.hash);
  if (here >= 0) go(here);
  rows.forEach((row, place) => row.addEventListener("focusin", () => {
    if (place === at) return;
    rows[at]?.classList.remove("at");
    at = place;
    row.classList.add("at");
  }));
  document.addEventListener("jobauto:key", (event) => { keys[event.detail.key.toLowerCase()]?.(event.detail); });
})();
