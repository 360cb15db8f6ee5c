// What is typed, and what happens to the work order meanwhile, changes what a run would be: the
// dialog asks for its own words again. Asking starts nothing.

(() => {
  const LOOK_SECONDS = 5;
  const TYPING_SECONDS = 0.4;
  let looking;
  let announced = "";

  const runInfo = () => document.getElementById("run-info-part");
  const isShown = () => Boolean(runInfo()?.closest("dialog[open], .dialog-page"));
  const isBusy = () => Boolean(runInfo().closest("form").querySelector("[type=submit][aria-busy=true]"));

  function lookIn(seconds) {
    clearTimeout(looking);
    if (runInfo()) looking = setTimeout(look, seconds * 1000);
  }

  function look() {
    if (isShown() && !document.hidden && !isBusy()) htmx.trigger(runInfo(), "look");
    lookIn(LOOK_SECONDS);
  }

  document.addEventListener("DOMContentLoaded", () => lookIn(LOOK_SECONDS));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) lookIn(0); });
  document.addEventListener("start:known", () => lookIn(0));
  document.addEventListener("input", (event) => {
    if (event.target.closest("[data-dialog-form] .field")) lookIn(TYPING_SECONDS);
  });

  // The page behind a dialog is inert, so the dialog says by itself what is new.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target === runInfo()) announced = runInfo().dataset.announce;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.matches(".dialog-body, .dialog-page")) lookIn(LOOK_SECONDS);
    if (event.detail.requestConfig.elt.id !== "run-info-part") return;
    const { announce } = runInfo().dataset;
    if (!announce || announce === announced) return;
    runInfo().closest("form").querySelector("[data-busy-words]").textContent = announce;
  });
})();
