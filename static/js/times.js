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

  function showMoments(root) {
    for (const element of root.querySelectorAll("time[data-moment]")) {
      const date = new Date(element.dateTime);
      element.title = precise.format(date);
      let text = formatExact(date);
      if (element.dataset.moment === "ago") {
        const seconds = Math.max((Date.now() - date.getTime()) / 1000, 0);
        text = `${formatDuration(seconds, 1)} ago`;
      }
      if (element.hasAttribute("data-exact")) text = element.title;
      // Written again, the same text would be announced again where it stands in a live region.
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // A ticking duration starts from the seconds the server counted, not from this
  // machine's idea of the time of day, and remembers when it was told.
  function showElapsed() {
    // While the page cannot be refreshed nobody knows whether the run still goes on.
    if (document.body.hasAttribute("data-stale")) return;
    const now = performance.now();
    for (const element of document.querySelectorAll("[data-elapsed]")) {
      element.toldAt ??= now;
      const seconds = Number(element.dataset.elapsed) + (now - element.toldAt) / 1000;
      element.textContent = formatDuration(seconds, 2);
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
