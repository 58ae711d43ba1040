// The form of imports: what the chosen file contains is told at once, by its first lines. Without this script it is
// told when the file has been sent, also before anything is done.
"use strict";

(() => {
  const form = document.querySelector("form[data-kind]");
  if (!form) return;
  const { csrf_token: token, file, kind, profile } = form.elements;
  const told = form.querySelector("[data-told]");
  const usual = told.textContent;
  const FIRST = 65536; // bytes: the header is in them

  const ask = async () => {
    const [chosen] = file.files;
    told.textContent = usual;
    if (!chosen || profile.value) return;
    const body = new FormData();
    body.append("csrf_token", token.value);
    body.append("kind", kind.value);
    body.append("file", chosen.slice(0, FIRST), chosen.name);
    try {
      const answer = await fetch(form.dataset.kind, { method: "POST", body });
      if (answer.ok && !answer.redirected && file.files[0] === chosen) told.textContent = (await answer.json()).said;
    } catch { /* then it is told when the file was sent */ }
  };

  for (const field of [file, kind, profile]) field.addEventListener("change", ask);
  if (file.files.length) ask(); // a browser that goes back remembers it
})();
