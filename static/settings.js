// The settings: sections as tabs, what is not saved yet, what another threshold would flag. Without this script the
// sections stand below one another, the tabs lead to them, and what thresholds flag is a page.
"use strict";

(() => {
  const form = document.querySelector("[data-settings]");
  if (!form) return;

  // ---- Tabs --------------------------------------------------------------------------------------------

  const list = document.querySelector("[data-tabs]");
  const tabs = [...list.querySelectorAll("a")];
  const panelOf = (tab) => document.getElementById(tab.hash.slice(1));

  const ofPage = document.title;
  const select = (chosen) => {
    document.title = ofPage.replace(" – ", `: ${chosen.firstChild.data} – `);
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      panelOf(tab).hidden = tab !== chosen;
    }
  };

  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const panel = panelOf(tab);
    const wrong = panel.querySelectorAll("[aria-invalid]").length;
    tab.parentElement.setAttribute("role", "presentation");
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    tab.id = `${panel.id}-tab`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    if (wrong) tab.append(` (${wrong} wrong)`);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      select(tab);
      history.replaceState(null, "", tab.hash);
    });
  }

  list.addEventListener("keydown", (event) => {
    const place = tabs.indexOf(document.activeElement);
    const to = {
      ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1,
    }[event.key];
    if (to === undefined || place < 0) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    tab.focus();
    tab.click();
  });

  // A link to a field, or to a section, opens its tab.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const tab = target && tabs.find((each) => panelOf(each).contains(target));
    if (!tab) return false;
    select(tab);
    if (target.matches("input, select, textarea")) target.focus();
    return true;
  };
  window.addEventListener("hashchange", follow);
  const firstWrong = tabs.find((tab) => panelOf(tab).querySelector("[aria-invalid]"));
  const KEPT = "settings-tab"; // the one that was saved; not in the address, which would take the focus
  const saved = tabs.find((tab) => tab.hash === sessionStorage.getItem(KEPT));
  sessionStorage.removeItem(KEPT);
  if (!follow()) select(firstWrong ?? saved ?? tabs[0]);

  // ---- What is not saved -------------------------------------------------------------------------------

  const fields = [...form.elements].filter((field) => field.name && field.type !== "hidden");
  const isChanged = (field) => {
    if (field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
    return field.value !== field.defaultValue;
  };
  const note = form.querySelector(".save-note");
  const count = (number, noun) => `${number.toLocaleString("en-GB")} ${noun}${number === 1 ? "" : "s"}`;

  const flagged = {}; // by field: [{value, flagged, checked}]
  const wouldFlag = (field) => {
    const row = flagged[field.name]?.find(({ value }) => String(value) === field.value.trim());
    return row && `${count(row.value, "day")} would flag ${row.flagged.toLocaleString("en-GB")} of ${count(row.checked, "site")} now`;
  };

  const tell = () => {
    if (!note) return;
    const changed = fields.filter(isChanged);
    const parts = [changed.length ? `${count(changed.length, "change")} not saved` : ""];
    parts.push(...changed.map(wouldFlag));
    note.textContent = parts.filter(Boolean).map((part) => `${part}.`).join(" ");
  };
  form.addEventListener("input", tell);

  let leaves = false;
  form.addEventListener("submit", () => {
    leaves = true;
    sessionStorage.setItem(KEPT, tabs.find((tab) => tab.tabIndex === 0).hash);
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaves && ("unsaved" in form.dataset || fields.some(isChanged))) event.preventDefault();
  });

  // ---- What another threshold would flag ---------------------------------------------------------------

  const take = (page) => {
    for (const box of page.querySelectorAll("[data-flagged-by]")) {
      const rows = JSON.parse(box.querySelector("script").textContent);
      if (!rows.length) continue;
      flagged[box.dataset.flaggedBy] = rows;
      const here = form.querySelector(`[data-flagged-by="${box.dataset.flaggedBy}"]`);
      if (page !== document) here.querySelector("p").replaceWith(document.importNode(box.querySelector("p"), true));
    }
    tell();
  };

  const ask = async () => {
    const answer = await fetch(form.dataset.flagged);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.querySelector("progress")) setTimeout(ask, 2000);
    else take(page);
  };

  take(document);
  if (form.dataset.flagged && !Object.keys(flagged).length) ask();
})();
