// Shows timestamps in the operator's time zone, and durations that grow.

(() => {
  const exact = new Intl.DateTimeFormat("en-US", {
    month: "short", day: "numeric", year: "numeric", hour: "numeric", minute: "2-digit",
  });
  const precise = new Intl.DateTimeFormat("en-US", { dateStyle: "full", timeStyle: "long" });

  function formatExact(date) {
    const part = Object.fromEntries(exact.formatToParts(date).map(({ type, value }) => [type, value]));
    return `${part.month} ${part.day}, ${part.year} at ${part.hour}:${part.minute} ${part.dayPeriod}`;
  }

  function formatDuration(seconds, units) {
    const parts = [];
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
      const count = Math.floor(seconds / size);
      seconds -= count * size;
      if (count) parts.push(`${count} ${unit}`);
    }
    return parts.slice(0, units).join(" ") || "0 s";
  }

  // The seconds that the server counted plus the seconds since then. The clock of the operator's
  // machine is not used, because it may be wrong.
  function secondsOf(element, counted) {
    const now = performance.now();
    element.receivedAt ??= now;
    return Number(counted) + (now - element.receivedAt) / 1000;
  }

  function showTimestamps(root, which = "time[data-moment]") {
    for (const element of root.querySelectorAll(which)) {
      const date = new Date(element.dateTime);
      element.title = precise.format(date);
      let text = formatExact(date);
      if (element.dataset.moment === "ago") {
        text = `${formatDuration(secondsOf(element, element.dataset.age), 1)} ago`;
      }
      if (element.hasAttribute("data-exact")) text = element.title;
      // Writing the same text again would make screen readers announce it in a live region.
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // Ages grow together with durations: "started 15 s ago", "Running for 15 s". Ages in toasts stay,
  // because toasts are live regions and screen readers would read every second.
  function showElapsed() {
    showTimestamps(document, "#live time[data-moment=ago]");
    // While the page cannot be refreshed it is not known whether the run is still active.
    if (document.body.hasAttribute("data-stale")) return;
    for (const element of document.querySelectorAll("[data-elapsed]")) {
      element.textContent = formatDuration(secondsOf(element, element.dataset.elapsed), 2);
    }
  }

  // Touch screens have no hover: a tap shows the exact time, and the next tap hides it.
  document.addEventListener("click", (event) => {
    const element = event.target.closest("time[data-moment]");
    if (!element || element.closest("a, button, summary")) return;
    element.toggleAttribute("data-exact");
    showTimestamps(element.parentElement);
  });

  document.addEventListener("DOMContentLoaded", () => {
    showTimestamps(document);
    setInterval(showElapsed, 1000);
    setInterval(() => showTimestamps(document), 30000);
  });
  document.addEventListener("htmx:afterSettle", () => {
    showTimestamps(document);
    showElapsed();
  });
})();
