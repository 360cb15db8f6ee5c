// Single-key shortcuts, which users can switch off (WCAG 2.1.4). The list of shortcuts is in
// workorders/web/preferences.py. No shortcut starts or cancels a run by itself.

(() => {
  const PRESSES = {
    t: () => document.getElementById("trigger-run-button"),
    u: () => document.querySelector("main > .back a"),
    "?": () => document.getElementById("preferences-link"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (!document.documentElement.hasAttribute("data-shortcuts")) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      const search = document.getElementById("filter-q");
      if (search) search.focus();
      else document.querySelector(".site-header nav a")?.click();
      event.preventDefault();
      return;
    }
    const element = Object.hasOwn(PRESSES, event.key) && PRESSES[event.key]();
    if (!element) return;
    event.preventDefault();
    element.focus();
    element.click();
  });
})();
