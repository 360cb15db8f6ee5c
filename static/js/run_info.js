// The dialog describes the run that it would create. This script requests the description again
// after typing and every few seconds, because the work order may change. No run is started by that.

(() => {
  const POLL_SECONDS = 5;
  const TYPING_SECONDS = 0.4;
  let timer;
  let announced = "";

  const runInfo = () => document.getElementById("run-info-part");
  const isShown = () => Boolean(runInfo()?.closest("dialog[open], .dialog-page"));
  const isBusy = () => Boolean(runInfo().closest("form").querySelector("[type=submit][aria-busy=true]"));

  function pollIn(seconds) {
    clearTimeout(timer);
    if (runInfo()) timer = setTimeout(poll, seconds * 1000);
  }

  function poll() {
    if (isShown() && !document.hidden && !isBusy()) htmx.trigger(runInfo(), "look");
    pollIn(POLL_SECONDS);
  }

  document.addEventListener("DOMContentLoaded", () => pollIn(POLL_SECONDS));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) pollIn(0); });
  document.addEventListener("start:known", () => pollIn(0));
  document.addEventListener("input", (event) => {
    if (event.target.closest("[data-dialog-form] .field")) pollIn(TYPING_SECONDS);
  });

  // The page behind an open dialog is inert, so the dialog has its own announcer for news.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target === runInfo()) announced = runInfo().dataset.announce;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.matches(".dialog-body, .dialog-page")) pollIn(POLL_SECONDS);
    if (event.detail.requestConfig.elt.id !== "run-info-part") return;
    const { announce } = runInfo().dataset;
    if (!announce || announce === announced) return;
    runInfo().closest("form").querySelector("[data-busy-words]").textContent = announce;
  });
})();
