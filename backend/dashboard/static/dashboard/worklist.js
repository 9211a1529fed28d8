// The list refreshes itself while somebody writes. A note outlives the alert that it is about, which a colleague may have
// settled meanwhile: it is handed back, and who was writing goes on there.
(() => {
  "use strict";
  const back = document.getElementById("handed-back");
  const kept = back.querySelector("textarea");
  let drafts = [];
  document.addEventListener("htmx:before:swap", () => {
    drafts = [...document.querySelectorAll("#worklist textarea")]
      .map((note) => ({ id: note.id, text: note.value, about: note.dataset.about, held: note === document.activeElement }))
      .filter(({ text, held }) => text || held);
  });
  document.addEventListener("htmx:after:swap", () => {
    const gone = drafts.filter(({ id }) => !document.getElementById(id));
    drafts = [];
    if (!gone.length) return;
    back.hidden = false;
    kept.value = [kept.value, ...gone.map(({ about, text }) => `${about}: ${text}`)].filter(Boolean).join("\n");
    if (gone.some(({ held }) => held)) kept.focus();
  });
})();
