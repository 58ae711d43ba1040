// A page that waits for something looks again every few seconds while it can be seen, and shows how far it is; when
// there is nothing to wait for any more, it is opened anew. Without this script the page reloads itself.
"use strict";

(() => {
  const every = Number(document.currentScript.dataset.every) * 1000;
  const main = document.querySelector("main");
  let timer;

  const look = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.redirected || !page.querySelector("script[data-every]")) return location.reload();
      const next = page.querySelector("main");
      if (next.innerHTML !== main.innerHTML && !main.contains(document.activeElement)) {
        main.replaceChildren(...document.adoptNode(next).childNodes);
      }
    } catch { /* nobody answers for now */ }
    timer = setTimeout(look, every);
  };

  document.addEventListener("visibilitychange", look);
  timer = setTimeout(look, every);
})();
