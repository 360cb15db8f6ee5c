// Toasts stay until they are dismissed: nobody has to read against a clock.

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
});
