// What floats over a page: toasts at its top, tooltips, and on a phone the trigger button.
// Toasts stay until they are sent away, or until what they speak of is over: nobody has to read
// against a clock.

(() => {
  // The focus goes on to what is read next, never to nowhere.
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

  // "Run #3 started" is no news above a run that has failed since.
  let wasAtRest = true;
  const isAtRest = () => document.getElementById("live")?.hasAttribute("data-at-rest");
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "live") wasAtRest = isAtRest();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "live" || wasAtRest || !isAtRest()) return;
    for (const toast of document.querySelectorAll("#toasts .toast:not([data-start-notice])")) dismiss(toast);
  });

  // A tooltip goes on Escape while pointer and focus stay (WCAG 1.4.13), and comes back anew.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const shown = document.querySelector(":is(:hover, :focus-within) > .tooltip");
    if (!shown) return;
    shown.hidden = true;
    for (const end of ["pointerleave", "focusout"]) {
      shown.parentElement.addEventListener(end, () => { shown.hidden = false; }, { once: true });
    }
  });

  // The style sheet keeps what has the focus clear of toasts; it cannot know how high they are.
  const pinned = document.querySelector("[data-pinned]");
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--pinned-height", `${pinned.offsetHeight}px`);
  }).observe(pinned);

  // Who has scrolled down reads: the button becomes small.
  const showScrolled = () => document.body.toggleAttribute("data-scrolled", scrollY > 48);
  addEventListener("scroll", showScrolled, { passive: true });
  showScrolled();
})();
