// The form of imports: what the chosen file contains, or which profile reads it, is told at once, by its first lines;
// that profile is chosen. Without this script it is told when the file has been sent, also before anything is done.
"use strict";

(() => {
  const form = document.querySelector("form[data-kind]");
  if (!form) return;
  const { csrf_token: token, file, kind, profile } = form.elements;
  const told = form.querySelector("[data-told]");
  const usual = told.textContent;
  const FIRST = 65536; // bytes: the header is in them
  const WHOLE = 200_000; // bytes: so much of a workbook is sent, which has no beginning that can be read

  let proposed = ""; // the profile that was chosen here

  const propose = (name) => {
    if (profile.value === proposed) profile.value = proposed = name; // what somebody chose stays
  };

  const another = () => { // what was wrong with the file before is none of this one's
    document.getElementById("file-error")?.remove();
    file.classList.remove("is-invalid");
    for (const name of ["aria-invalid", "aria-describedby"]) file.removeAttribute(name);
    propose("");
    ask();
  };

  const ask = async () => {
    const [chosen] = file.files;
    told.textContent = usual;
    if (!chosen || profile.value) return;
    const body = new FormData();
    body.append("csrf_token", token.value);
    body.append("kind", kind.value);
    const isWhole = /\.(xlsx|zip)$/i.test(chosen.name) && chosen.size <= WHOLE;
    body.append("file", isWhole ? chosen : chosen.slice(0, FIRST), chosen.name);
    try {
      const answer = await fetch(form.dataset.kind, { method: "POST", body });
      if (!answer.ok || answer.redirected) return;
      const found = await answer.json();
      if (file.files[0] !== chosen) return;
      told.textContent = found.said;
      propose(found.profile);
    } catch { /* then it is told when the file was sent */ }
  };

  file.addEventListener("change", another);
  for (const field of [kind, profile]) field.addEventListener("change", ask);
  if (file.files.length) another(); // chosen before this script was there, or remembered by a browser that goes back
})();
