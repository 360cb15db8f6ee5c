// Pages that stay true: ask again after `data-live` seconds, never on a hidden tab,
// and say so when asking fails. The server answers 204 when nothing has changed.

(() => {
  const RETRY_SECONDS = 2;
  let timer;
  let lastUpdate = new Date();

  const region = () => document.getElementById("live");

  function schedule(seconds) {
    clearTimeout(timer);
    if (seconds && !document.hidden) timer = setTimeout(refresh, seconds * 1000);
  }

  function refresh() {
    if (region()) htmx.trigger(region(), "refresh");
  }

  function showStale(stale, cause) {
    document.body.toggleAttribute("data-stale", stale);
    const words = document.querySelector("#stale [data-stale-cause]");
    if (stale) words.textContent = words.dataset[cause];
    // One outage has one notice: while the runs API fails, the banner is asked for first.
    if (!stale || cause === "server") showStaleNotice(stale);
  }

  function showStaleNotice(wanted) {
    const since = lastUpdate.toLocaleTimeString();
    for (const place of document.querySelectorAll("[data-stale] [data-stale-since]")) {
      // Written again, the same words would be read out again.
      if (place.textContent !== since) place.textContent = since;
    }
    document.getElementById("stale").hidden = !wanted;
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    const banner = document.getElementById("runs-api-banner");
    if (!banner || event.detail.requestConfig.elt !== banner) return;
    const fails = document.body.hasAttribute("data-stale");
    showStaleNotice(fails && !banner.querySelector(".notice"));
  });

  document.addEventListener("DOMContentLoaded", () => schedule(Number(region()?.dataset.live)));

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden && region()?.dataset.live) refresh();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    // Not detail.elt: the element that asked has been replaced, and then that is its parent.
    if (event.detail.requestConfig.elt.id !== "live") return;
    const { successful, xhr } = event.detail;
    const waiting = region()?.hasAttribute("data-waiting");
    // 204: nothing newer is known, somebody else is asking.
    if (successful && waiting && xhr.status !== 204) location.reload();
    if (successful) lastUpdate = new Date();
    // The dashboard answers, and says that it is the runs API that does not.
    const cause = xhr.getResponseHeader("HX-Trigger") === "runs-api-fails" ? "api" : "server";
    showStale(!successful && !(waiting && cause === "api"), cause);
    const seconds = Number(region()?.dataset.live);
    schedule(successful ? seconds : seconds && RETRY_SECONDS);
  });

  // The session has ended: the page leads to sign-in, but not while somebody types in a dialog,
  // which comes back as it was when it is sent.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { requestConfig, xhr } = event.detail;
    const asksByItself = requestConfig.elt.matches("#live, #runs-api-banner, #run-info-part, [data-start-notice]");
    if (!asksByItself || !document.querySelector("dialog[open], main [data-dialog-form]")) return;
    if (xhr.getResponseHeader("HX-Redirect")) event.preventDefault();
  });

  // Opened details stay open, and the title says the new status. What has changed is announced
  // once, and politely: the part that was swapped is no live region, it would be read whole.
  let open = [];
  let announced;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "live") return;
    open = [...event.detail.target.querySelectorAll("details[open]")].map(({ id }) => id);
    announced = event.detail.target.dataset.announce;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "live") return;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    const { title, announce } = region().dataset;
    if (title) document.title = title;
    if (announce && announce !== announced) {
      document.getElementById("announcer").textContent = announce;
    }
  });
})();
