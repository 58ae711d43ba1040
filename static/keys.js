// Keys that work on every page, listed in templates/_keys.html. Other scripts are told of the rest.
"use strict";

(() => {
  const dialog = document.getElementById("keys");
  const search = document.getElementById("find");
  const typing = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const find = () => {
    if (search?.offsetParent) search.select();
    else location.assign(document.querySelector("[data-find]").href);
  };
  const press = (selector) => document.querySelector(selector)?.click();
  const ofJob = {
    j: () => press(".job-ways a[rel=next]"),
    k: () => press(".job-ways a[rel=prev]"),
    a: () => document.getElementById("work")?.elements.assignee.focus(),
    c: () => document.getElementById("work")?.elements.note.focus(),
  };

  // Speech input and slips press single letters: they can be switched off, which this browser remembers if it may.
  const KEPT_AS = "jobauto-single-keys";
  const single = document.getElementById("single-keys");
  try { single.checked = localStorage.getItem(KEPT_AS) !== "off"; } catch { /* it may not */ }
  single.addEventListener("change", () => {
    try { localStorage.setItem(KEPT_AS, single.checked ? "on" : "off"); } catch { /* the same */ }
  });

  document.querySelectorAll("[data-keys]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      find();
      return;
    }
    if (!single.checked || event.ctrlKey || event.metaKey || event.altKey || dialog.open || typing(event.target)) return;
    if (event.key === "/") { event.preventDefault(); find(); }
    else if (event.key === "?") { event.preventDefault(); dialog.showModal(); }
    else if (document.querySelector(".job-ways")) {
      if (ofJob[event.key]) { event.preventDefault(); ofJob[event.key](); }
    } else if (/^[jkxac]$/i.test(event.key)) {
      event.preventDefault();
      document.dispatchEvent(new CustomEvent("jobauto:key", { detail: event }));
    }
  });
})();
