// What floats over a page: toasts at its top, on a phone the trigger button at its end.

(() => {
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
