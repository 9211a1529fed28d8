// Shows what the server pushes: that something waits, never whose or what. The same message twice is shown once.
self.addEventListener("push", (event) => {
  let said = {};
  try { said = event.data.json(); } catch { /* a push service may drop what it carries */ }
  event.waitUntil(self.registration.showNotification(said.title ?? "Steadyback", {
    body: said.body ?? "",
    tag: said.tag ?? "steadyback",
    requireInteraction: true,
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow("/"));
});
