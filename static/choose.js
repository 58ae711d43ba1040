// A list whose rows are ticked, for what is to be done with several: many at once with the shift key, the page, or
// all that match; how many are chosen is told. Without this script each is ticked by itself.
"use strict";

(() => {
  const form = document.querySelector("form:has([data-chosen])");
  if (!form) return;

  const boxes = [...form.querySelectorAll("tbody .cell-choose input[type=checkbox]")];
  const ofPage = form.querySelector("input[data-choose-page]");
  const button = form.querySelector("button[data-choose-page]");
  const all = form.querySelector("[data-choose-all]");
  const told = form.querySelector("[data-chosen]");
  const nothing = told.textContent;
  let last = -1;

  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    const number = all?.checked ? Number(all.value) : chosen;
    told.textContent = number ? `${number.toLocaleString("en")} chosen` : nothing;
    ofPage.checked = chosen === boxes.length;
    ofPage.indeterminate = chosen > 0 && chosen < boxes.length;
    button.textContent = ofPage.checked ? "Clear selection" : "Select all";
  };

  const choose = (place, ticked, alsoFrom) => {
    const from = alsoFrom < 0 ? place : alsoFrom;
    for (let each = Math.min(from, place); each <= Math.max(from, place); each++) boxes[each].checked = ticked;
    last = place;
    if (all) all.checked = false;
    count();
  };

  ofPage.hidden = button.hidden = false;
  boxes.forEach((box, place) => {
    box.addEventListener("click", (event) => choose(place, box.checked, event.shiftKey ? last : -1));
  });
  ofPage.addEventListener("change", () => choose(boxes.length - 1, ofPage.checked, 0));
  button.addEventListener("click", () => choose(boxes.length - 1, !ofPage.checked, 0));
  all?.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); count(); });
  window.addEventListener("pageshow", count); // a browser that goes back remembers what was ticked
  count();
})();
