// Subscribes this browser to pushes, by the page's own form. Without it, or where it can't, e-mail remains.
(() => {
  "use strict";
  const form = document.getElementById("subscribe");
  if (!form) return;
  const say = (what) => { for (const each of form.querySelectorAll("[data-say]")) each.hidden = each.dataset.say !== what; };
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  const name = () => {
    const brands = navigator.userAgentData?.brands?.map((each) => each.brand).find((brand) => !/not.*brand/i.test(brand));
    const brand = brands ?? /(Firefox|Edg|Chrome|Safari)\//.exec(navigator.userAgent)?.[1] ?? "";
    return [brand, navigator.userAgentData?.platform ?? navigator.platform].filter(Boolean).join(", ");
  };

  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) { say("unable"); return; }
  say(Notification.permission === "denied" ? "denied" : "able");

  form.addEventListener("submit", async (event) => {
    if (form.elements.subscription.value) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      if (await Notification.requestPermission() !== "granted") { say("denied"); return; }
      await navigator.serviceWorker.register(form.dataset.worker);
      const registration = await navigator.serviceWorker.ready.then(
        () => navigator.serviceWorker.getRegistration(form.dataset.worker));
      const options = { userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) };
      const old = await registration.pushManager.getSubscription();
      if (old) await old.unsubscribe();  // it may be of another key
      const subscription = await registration.pushManager.subscribe(options);
      form.elements.subscription.value = JSON.stringify(subscription.toJSON());
      form.elements.name.value = name();
      form.submit();
    } catch {
      say("failed");
    } finally {
      button.disabled = false;
    }
  });
})();
