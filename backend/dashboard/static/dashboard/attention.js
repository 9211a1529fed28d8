// What a reader may switch on, in this browser alone: the number of waiting alerts in the title, and a sound when there is
// one more. Off until asked for; a browser plays nothing before somebody has touched the page, and is not asked to.
(() => {
  "use strict";
  const on = (what) => { try { return localStorage.getItem(what) === "on"; } catch { return false; } };
  const set = (what, yes) => { try { localStorage.setItem(what, yes ? "on" : "off"); } catch { /* private browsing */ } };
  const waiting = () => Number(document.getElementById("waiting")?.dataset.waiting ?? 0);
  const plain = () => document.title.replace(/^\(\d+\) /, "");
  let before = waiting();
  let audio = null;

  const beep = () => {
    if (!audio || audio.state !== "running") return;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = 660;
    volume.gain.setValueAtTime(0.15, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.6);
  };
  const wake = () => {
    if (!on("sound")) return;
    audio ??= new AudioContext();
    audio.resume();
  };
  const show = () => {
    const now = waiting();
    const title = on("badge") && now ? `(${now}) ${plain()}` : plain();
    if (title !== document.title) document.title = title;
    if (now > before && on("sound")) beep();
    before = now;
    for (const button of document.querySelectorAll("[data-switch]")) {
      const pressed = String(on(button.dataset.switch));
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      button.hidden = false;
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-switch]");
    if (button) {
      set(button.dataset.switch, button.getAttribute("aria-pressed") !== "true");
      show();
    }
    wake();
    if (button?.dataset.switch === "sound" && on("sound")) audio.resume().then(beep);
  });
  document.addEventListener("keydown", wake);
  let fresh = Date.now();
  document.addEventListener("htmx:after:swap", () => { fresh = Date.now(); show(); });
  new MutationObserver(show).observe(document.querySelector("title"), { childList: true });  // htmx sets it after a swap
  show();

  // A list that refreshes itself says so when it no longer can.
  const stale = document.getElementById("stale");
  if (stale) setInterval(() => { stale.hidden = Date.now() - fresh < 150_000; }, 10_000);
})();
