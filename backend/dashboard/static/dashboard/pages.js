// Closes menus as people expect. Every page works without it.
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
})();
