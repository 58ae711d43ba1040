// The page of an import: how far it is, without reloading. What changes is asked for every few seconds while the page
// can be seen; where the rest of the page would be another one, it is put in place of the old. Without this script the
// page reloads itself. What is read aloud is each quarter of the file, and the end.
"use strict";

(() => {
  const told = document.querySelector("[data-told]");
  let part = document.querySelector("[data-progress]");
  let quarter = 0;
  let timer;

  const bar = () => part.querySelector("progress");

  const show = ({ done, size, texts }) => {
    for (const place of part.querySelectorAll("[data-text]")) place.textContent = texts[place.dataset.text];
    if (!bar()) return;
    bar().max = size;
    bar().value = done;
    const reached = Math.floor((4 * done) / size);
    if (reached > quarter && reached < 4) told.textContent = texts.read;
    quarter = reached;
  };

  const renew = async () => {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.querySelector("[data-state]");
    const hadFocus = part.contains(document.activeElement);
    part.replaceWith(document.adoptNode(next));
    part = next;
    quarter = 0;
    told.textContent = part.querySelector(".notice-title").textContent;
    if (hadFocus) document.getElementById("content").focus({ preventScroll: true });
  };

  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden || !part.dataset.progress) return;
    let every = Number(part.dataset.every);
    try {
      const answer = await fetch(part.dataset.progress);
      if (answer.redirected) return location.reload(); // the session has ended
      if (answer.ok) {
        const progress = await answer.json();
        every = progress.every;
        if (progress.state === part.dataset.state) show(progress);
        else await renew();
      }
    } catch { every *= 5; } // nobody answers for now
    timer = setTimeout(ask, every * 1000);
  };

  document.addEventListener("visibilitychange", ask);
  timer = setTimeout(ask, 500); // most files are small
})();
