// Elements that float over a page: toasts at the top, tooltips, and on a phone the trigger button.
// Toasts stay until they are dismissed or their subject is over, so that nobody has to read quickly.

(() => {
  // When a toast with the focus goes, the focus moves to the next toast or to the main content.
  function dismiss(toast) {
    const hadFocus = toast.contains(document.activeElement);
    toast.remove();
    if (!hadFocus) return;
    const next = document.querySelector("#toasts .toast [data-dismiss]") ?? document.getElementById("main");
    next.focus({ preventScroll: true });
  }

  document.addEventListener("click", (event) => {
    const toast = event.target.closest("[data-dismiss]")?.closest(".toast");
    if (toast) dismiss(toast);
  });

  // Toasts go when the page comes to rest: "Run #3 started" is no news once the run has failed.
  let wasAtRest = true;
  const isAtRest = () => document.getElementById("live")?.hasAttribute("data-at-rest");
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "live") wasAtRest = isAtRest();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "live" || wasAtRest || !isAtRest()) return;
    for (const toast of document.querySelectorAll("#toasts .toast:not([data-start-notice])")) dismiss(toast);
  });

  // Escape hides a tooltip (WCAG 1.4.13). It can appear again once the pointer and the focus have
  // left. A refresh of the page puts a new tooltip in its place, which stays hidden as well.
  let dismissed = "";
  const isPointedAt = (tooltip) => tooltip.parentElement.matches(":hover, :focus-within");
  function showDismissed() {
    const tooltip = document.getElementById(dismissed);
    if (tooltip && isPointedAt(tooltip)) return;
    if (tooltip) tooltip.hidden = false;
    dismissed = "";
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const shown = document.querySelector(":is(:hover, :focus-within) > .tooltip");
    if (!shown) return;
    shown.hidden = true;
    dismissed = shown.id;
  });
  for (const name of ["pointerover", "focusin"]) {
    document.addEventListener(name, () => { if (dismissed) showDismissed(); });
  }
  document.addEventListener("htmx:afterSwap", () => {
    const tooltip = document.getElementById(dismissed);
    if (tooltip) tooltip.hidden = true;
  });

  // The style sheet keeps the focused element clear of toasts, and needs their height for that.
  const pinned = document.querySelector("[data-pinned]");
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--pinned-height", `${pinned.offsetHeight}px`);
  }).observe(pinned);

  // The trigger button becomes small while the page is scrolled down.
  const showScrolled = () => document.body.toggleAttribute("data-scrolled", scrollY > 48);
  addEventListener("scroll", showScrolled, { passive: true });
  showScrolled();
})();
