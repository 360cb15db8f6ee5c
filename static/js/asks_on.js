// A start whose outcome could not be found out: the dialog and the notice that say so ask again
// every five seconds until the run turns up, and never on a hidden tab. The server responds with 204
// while nothing has changed.

(() => {
  const ASK_SECONDS = 5;

  function ask() {
    if (document.hidden) return;
    for (const part of document.querySelectorAll("[data-asks-on]")) htmx.trigger(part, "ask");
  }

  setInterval(ask, ASK_SECONDS * 1000);
  document.addEventListener("visibilitychange", ask);
})();
