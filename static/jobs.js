// The list of jobs: several are chosen with the shift key, the page at once, or all that match; what is chosen is
// counted. Without this script each is ticked by itself. The keys are listed in templates/_keys.html.
"use strict";

(() => {
  const rows = [...document.querySelectorAll(".jobs tbody tr[id^=row-]")];
  const form = document.querySelector(".jobs-form");
  const boxes = form ? rows.map((row) => row.querySelector(".cell-choose input[type=checkbox]")) : [];
  const page = form?.querySelector("[data-choose-page]");
  const all = form?.querySelector("[data-choose-all]");
  const told = form?.querySelector("[data-chosen]");
  let last = -1;
  let at = -1;

  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    const number = all?.checked ? Number(all.value) : chosen;
    told.textContent = number ? `${number.toLocaleString("en")} chosen` : "Ticked jobs";
    page.checked = chosen === boxes.length;
    page.indeterminate = chosen > 0 && chosen < boxes.length;
  };

  const choose = (place, ticked, alsoFrom) => {
    const from = alsoFrom < 0 ? place : alsoFrom;
    for (let each = Math.min(from, place); each <= Math.max(from, place); each++) boxes[each].checked = ticked;
    last = place;
    if (all) all.checked = false;
    count();
  };

  if (form) {
    page.hidden = false;
    boxes.forEach((box, place) => {
      box.addEventListener("click", (event) => choose(place, box.checked, event.shiftKey ? last : -1));
    });
    page.addEventListener("change", () => { choose(boxes.length - 1, page.checked, 0); });
    all?.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); count(); });
    window.addEventListener("pageshow", count); // a browser that goes back remembers what was ticked
    count();
  }

  const go = (place) => {
    if (!rows.length) return;
    rows[at]?.classList.remove("at");
    at = Math.max(0, Math.min(rows.length - 1, place));
    rows[at].classList.add("at");
    rows[at].querySelector(".cell-job a").focus();
  };

  const keys = {
    j: () => go(at + 1),
    k: () => go(at - 1),
    x: (event) => { if (at >= 0 && boxes[at]) choose(at, !boxes[at].checked, event.shiftKey ? last : -1); },
    a: () => form?.querySelector("#bulk-assignee").focus(),
    c: () => form?.querySelector("#bulk-note").focus(),
  };

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
