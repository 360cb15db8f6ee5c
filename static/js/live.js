// Polling: a page requests its live part again after `data-live` seconds, never on a hidden tab, and
// says when that fails. The server responds with 204 when nothing has changed.

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
    // One outage shows one notice: when the runs API fails, the banner is requested first.
    if (!stale || cause === "server") showStaleNotice(stale);
  }

  function showStaleNotice(wanted) {
    const since = lastUpdate.toLocaleTimeString();
    for (const place of document.querySelectorAll("[data-stale] [data-stale-since]")) {
      // Writing the same text again would make screen readers read it again.
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
    // Not detail.elt: when the requesting element has been replaced, that is its parent.
    if (event.detail.requestConfig.elt.id !== "live") return;
    const { successful, xhr } = event.detail;
    const waiting = region()?.hasAttribute("data-waiting");
    // 204: nothing newer is known, because another request is reading the API.
    if (successful && waiting && xhr.status !== 204) location.reload();
    if (successful) lastUpdate = new Date();
    // With this header the dashboard says that the runs API has failed, not the dashboard.
    const cause = xhr.getResponseHeader("HX-Trigger") === "runs-api-fails" ? "api" : "server";
    showStale(!successful && !(waiting && cause === "api"), cause);
    const seconds = Number(region()?.dataset.live);
    schedule(successful ? seconds : seconds && RETRY_SECONDS);
  });

  // When the session has ended, a poll redirects to sign-in, except while a dialog is open. Sending
  // the dialog leads to sign-in too, and brings back what was typed.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { requestConfig, xhr } = event.detail;
    const asksByItself = requestConfig.elt.matches("#live, #runs-api-banner, #run-info-part, [data-start-notice]");
    if (!asksByItself || !document.querySelector("dialog[open], main [data-dialog-form]")) return;
    if (xhr.getResponseHeader("HX-Redirect")) event.preventDefault();
  });

  // A refresh keeps what the reader has opened, scrolled to or selected. The title gets the new
  // status. Changes are announced once, in #announcer: if the swapped part were a live region,
  // screen readers would read all of it.
  let restoreReading;
  let announced;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, shouldSwap } = event.detail;
    if (target.id !== "live" || !shouldSwap) return;
    restoreReading = keepReading(target);
    announced = target.dataset.announce;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "live") return;
    restoreReading();
    const { title, announce } = region().dataset;
    if (title) document.title = title;
    if (announce && announce !== announced) {
      document.getElementById("announcer").textContent = announce;
    }
  });

  // Remembers open details, scroll positions and the selection in a part of the page. Returns a
  // function that restores them in the part that has replaced it.
  function keepReading(part) {
    const elements = [...part.querySelectorAll("[id]")];
    const open = elements.filter((element) => element.matches("details[open]"));
    const scrolled = elements.filter(({ scrollTop, scrollLeft }) => scrollTop || scrollLeft)
      .map(({ id, scrollTop, scrollLeft }) => ({ id, scrollTop, scrollLeft }));
    const place = { top: scrollY, behavior: "instant" };
    const restoreSelection = keepSelection(part);
    return () => {
      for (const { id } of open) document.getElementById(id)?.setAttribute("open", "");
      for (const { id, scrollTop, scrollLeft } of scrolled) {
        document.getElementById(id)?.scrollTo({ top: scrollTop, left: scrollLeft, behavior: "instant" });
      }
      scrollTo(place); // while the details were closed, the page was too short for this position
      restoreSelection();
    };
  }

  // Each end is remembered as a number of characters from the start of an element with an ID. When
  // the text there has changed, nothing is selected rather than other text.
  function keepSelection(part) {
    const selection = getSelection();
    const text = selection.toString();
    if (!text || !part.contains(selection.anchorNode) || !part.contains(selection.focusNode)) return () => {};
    const ends = [
      endOf(selection.anchorNode, selection.anchorOffset),
      endOf(selection.focusNode, selection.focusOffset),
    ];
    return () => {
      const points = ends.map(pointOf);
      if (!points.every(Boolean)) return;
      selection.setBaseAndExtent(...points[0], ...points[1]);
      if (selection.toString() !== text) selection.removeAllRanges();
    };
  }

  function endOf(node, offset) {
    const { id } = (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement).closest("[id]");
    const range = document.createRange();
    range.setStart(document.getElementById(id), 0);
    range.setEnd(node, offset);
    return { id, length: range.toString().length };
  }

  function pointOf({ id, length }) {
    const element = document.getElementById(id);
    if (!element) return undefined;
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let left = length;
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      if (left <= text.length) return [text, left];
      left -= text.length;
    }
    return undefined;
  }
})();
