// Says once a minute that the page stands open, and leaves it as a whole once the server has locked. Typing counts as
// somebody; what was typed goes along into the lock, and waits there for its writer.
(() => {
  "use strict";
  let form = null, typed = false;
  const token = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (!token) return;
  document.addEventListener("input", (event) => {
    typed = true;
    const here = event.target.form;
    if (here && here.method === "post") form = here;
  });
  document.addEventListener("submit", () => { form = null; });
  const written = () => {
    if (!form || !form.isConnected) return [];
    const button = form.querySelector("button:not([type=button])"), fields = [...new FormData(form)];
    const check = button && button.name && button.formNoValidate;  // such a button only shows the form again
    if (check) fields.push([button.name, button.value]);
    if (!button || !button.name || check) fields.push(["idle.ready", "1"]);
    return [...fields, ["idle.to", form.getAttribute("action") || location.pathname + location.search]];
  };
  const ask = async () => {
    const body = typed ? [["idle.typed", "1"]] : written().filter(([, value]) => typeof value === "string");
    typed = false;
    const headers = { "X-CSRFToken": token.value, "HX-Request": "true", "HX-Current-URL": location.href };
    try {
      const answer = await fetch("/me/idle", { method: "POST", headers, body: new URLSearchParams(body) });
      const away = answer.headers.get("HX-Redirect");
      if (away) location.replace(away);
      else if (answer.redirected) location.reload();  // signed out elsewhere
    } catch { typed = typed || body.some(([name]) => name === "idle.typed"); }
  };
  setInterval(ask, 60000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
})();
