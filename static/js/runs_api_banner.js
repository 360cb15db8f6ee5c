// The banner about a runs API that does not respond appears and disappears on an open page.
// A page that refreshes itself requests the banner when a refresh fails; other pages poll it.

(() => {
  const SHOWN_SECONDS = 3;
  let timer;

  const banner = () => document.getElementById("runs-api-banner");
  const isShown = () => Boolean(banner().querySelector(".notice"));

  function refresh() {
    if (banner()) htmx.trigger(banner(), "look");
  }

  function schedule() {
    clearTimeout(timer);
    if (!banner() || document.hidden) return;
    const refreshes = document.querySelector("#live[data-live]");
    const seconds = isShown() ? SHOWN_SECONDS : !refreshes && Number(banner().dataset.idle);
    if (seconds) timer = setTimeout(refresh, seconds * 1000);
  }

  document.addEventListener("DOMContentLoaded", schedule);
  document.addEventListener("visibilitychange", schedule);
  // The HX-Trigger header of a refresh sends this event when the runs API has failed.
  document.addEventListener("runs-api-fails", refresh);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig.elt === banner()) schedule();
  });
})();
