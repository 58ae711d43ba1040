// Ticks all rows of a list at once, or none. Without this script each is ticked by itself.
"use strict";

(() => {
  const button = document.querySelector("[data-tick-all]");
  if (!button) return;

  const boxes = [...button.form.querySelectorAll(".cell-choose input[type=checkbox]")];
  const all = () => boxes.every((box) => box.checked);
  const name = () => { button.textContent = all() ? "Clear selection" : "Select all"; };

  button.hidden = false;
  button.form.addEventListener("change", name);
  button.addEventListener("click", () => {
    const ticked = !all();
    for (const box of boxes) box.checked = ticked;
    name();
  });
  name();
})();
