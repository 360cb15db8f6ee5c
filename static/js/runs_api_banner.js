// The banner about a runs API that does not answer comes and goes on an open page.
// A page that refreshes itself learns from that when to ask for it; others ask now and then.

(() => {
  const SHOWN_SECONDS = 3;
  let timer;

  const banner = () => document.getElementById("runs-api-banner");
  const isShown = () => Boolean(banner().querySelector(".notice"));

  function look() {
    if (banner()) htmx.trigger(banner(), "look");
  }

  function schedule() {
    clearTimeout(timer);
    if (!banner() || document.hidden) return;
    const refreshes = document.querySelector("#live[data-live]");
    const seconds = isShown() ? SHOWN_SECONDS : !refreshes && Number(banner().dataset.idle);
    if (seconds) timer = setTimeout(look, seconds * 1000);
  }

  document.addEventListener("DOMContentLoaded", schedule);
  document.addEventListener("visibilitychange", schedule);
  // Named by the HX-Trigger header of a refresh that failed for want of the API.
  document.addEventListener("runs-api-fails", look);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.elt === banner()) schedule();
  });
})();
