// Times in the operator's zone, and durations that count on.

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

  // Seconds that the server counted, and those since: this machine's idea of the time of day
  // may be wrong.
  function secondsOf(element, counted) {
    const now = performance.now();
    element.toldAt ??= now;
    return Number(counted) + (now - element.toldAt) / 1000;
  }

  function showMoments(root, which = "time[data-moment]") {
    for (const element of root.querySelectorAll(which)) {
      const date = new Date(element.dateTime);
      element.title = precise.format(date);
      let text = formatExact(date);
      if (element.dataset.moment === "ago") {
        text = `${formatDuration(secondsOf(element, element.dataset.age), 1)} ago`;
      }
      if (element.hasAttribute("data-exact")) text = element.title;
      // Written again, the same text would be announced again where it stands in a live region.
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // An age beside a duration grows with it: "started 15 s ago", "Running for 15 s". Not in a
  // toast, which is a live region: every second would be read out.
  function showElapsed() {
    showMoments(document, "#live time[data-moment=ago]");
    // While the page cannot be refreshed nobody knows whether the run still goes on.
    if (document.body.hasAttribute("data-stale")) return;
    for (const element of document.querySelectorAll("[data-elapsed]")) {
      element.textContent = formatDuration(secondsOf(element, element.dataset.elapsed), 2);
    }
  }

  // A finger cannot hover: a tap shows the exact time, and the next one takes it back.
  document.addEventListener("click", (event) => {
    const element = event.target.closest("time[data-moment]");
    if (!element || element.closest("a, button, summary")) return;
    element.toggleAttribute("data-exact");
    showMoments(element.parentElement);
  });

  document.addEventListener("DOMContentLoaded", () => {
    showMoments(document);
    setInterval(showElapsed, 1000);
    setInterval(() => showMoments(document), 30000);
  });
  document.addEventListener("htmx:afterSettle", () => {
    showMoments(document);
    showElapsed();
  });
})();
