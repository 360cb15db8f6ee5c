// What can be sent away. Toasts stay until then, or until what they speak of is over: nobody has
// to read against a clock.

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
})();
