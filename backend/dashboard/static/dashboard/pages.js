// Closes menus as people expect, begins where something is to be put right, and has what happened read out. Every page
// works without it.
(() => {
  "use strict";
  const open = () => document.querySelector("details.menu[open]");
  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && open();
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  // Who fills in a form goes on at the first field that was refused, which says why.
  document.querySelector("[aria-invalid=true]:not([type=hidden])")?.focus();
  // A screen reader tells of what changes in a status, not of what stood there when the page came.
  const said = document.querySelector(".messages");
  if (said) addEventListener("load", () => setTimeout(() => said.append(...said.childNodes), 200));
})();
