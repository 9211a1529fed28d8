// Puts an exercise elsewhere with the mouse, by its grip. The buttons beside it do the same from the keyboard.
(() => {
  "use strict";
  let held = null;
  document.addEventListener("mousedown", (event) => {
    const item = event.target.closest("[data-grip]")?.closest("[data-item]");
    if (item) item.draggable = true;
  });
  document.addEventListener("mouseup", () => document.querySelectorAll("[data-item][draggable=true]").forEach((item) => { item.draggable = false; }));
  document.addEventListener("dragstart", (event) => {
    held = event.target.closest?.("[data-item]");
    if (!held) return;
    held.classList.add("held");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  });
  document.addEventListener("dragover", (event) => {
    const over = held && event.target.closest?.("[data-item]");
    if (!over || over === held) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    over[event.clientY < top + height / 2 ? "before" : "after"](held);
  });
  document.addEventListener("drop", (event) => held && event.preventDefault());
  document.addEventListener("dragend", () => {
    if (!held) return;
    held.classList.remove("held");
    held.draggable = false;
    // Which buttons have nowhere to move an exercise is for its place to say.
    const items = [...document.querySelectorAll("[data-item]")];
    items.forEach((item, place) => {
      item.querySelector("[value^='up:']").ariaDisabled = place === 0 ? "true" : null;
      item.querySelector("[value^='down:']").ariaDisabled = place === items.length - 1 ? "true" : null;
    });
    held = null;
  });

  // Who works from the keyboard stays where they are; once that is taken out, they go on at the search.
  let pressed = "";
  document.addEventListener("click", (event) => { pressed = event.target.closest("#draft button[id]")?.id ?? ""; });
  document.addEventListener("htmx:after:swap", () => {
    if (pressed && document.activeElement === document.body) (document.getElementById(pressed) ?? document.getElementById("find")).focus();
  });
})();
