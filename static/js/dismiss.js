// What can be sent away. Toasts stay until then: nobody has to read against a clock.

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
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
