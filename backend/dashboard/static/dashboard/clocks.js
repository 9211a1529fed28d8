// Clocks of alerts go on from second to second. The server has written the time that was left when the page was made;
// it stays readable for those who listen, and without script. A page's clock is the server's, whatever the browser's says.
(() => {
  "use strict";
  const LONGEST = 48 * 3600;  // beyond it the server says days, which don't tick
  const ahead = Number(document.querySelector("meta[name=now]")?.content) * 1000 - Date.now() || 0;
  const two = (number) => String(number).padStart(2, "0");
  const tick = () => {
    for (const clock of document.querySelectorAll("[data-due]")) {
      const seconds = Math.round((Date.parse(clock.dataset.due) - Date.now() - ahead) / 1000);
      const away = Math.abs(seconds);
      if (!(away < LONGEST)) continue;
      const time = `${Math.floor(away / 3600)}:${two(Math.floor(away / 60) % 60)}:${two(away % 60)}`;
      const said = (seconds < 0 ? clock.dataset.over : clock.dataset.left).replace("{}", time);
      if (clock.textContent !== said) clock.textContent = said;
    }
  };
  if (!document.querySelector("#worklist, #panel, #alerts")) return;
  tick();
  setInterval(tick, 1000);
  document.addEventListener("htmx:after:swap", tick);
})();
