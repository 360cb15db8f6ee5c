// Single keys as shortcuts, for who has not switched them off (WCAG 2.1.4): the list is in
// workorders/web/preferences.py. None of them starts or ends anything by itself.

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
