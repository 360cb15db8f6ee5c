// The dialogs of a page: what htmx loads is shown in a native <dialog>, which keeps
// the focus inside, closes on Escape and gives the focus back to the button.

(() => {
  const CONFIRM = "[data-dialog-form] [type=submit]";
  const openDialog = () => document.querySelector("dialog[open]");

  // A button that says why it is disabled stays focusable, so it is stopped here. And on a
  // phone "Start Run" comes up under the finger: the second tap of a double tap starts nothing.
  document.addEventListener("click", (event) => {
    const secondClick = event.detail > 1 && event.target.closest(CONFIRM);
    if (secondClick || event.target.closest("[aria-disabled=true]")) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  // Holding Enter on "Trigger New Run" must not go on to press "Start Run".
  document.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter" && event.target.closest("button")) event.preventDefault();
  }, true);

  let pressed;
  document.addEventListener("pointerdown", (event) => { pressed = event.target; }, true);

  const busyForm = (root) => root?.querySelector("[data-dialog-form]:has([type=submit][aria-busy=true])");

  // What was typed is not thrown away without asking: every such field is empty at first.
  const typedFields = () => openDialog()?.querySelectorAll(".field :is(input, select)") ?? [];
  const isTyped = () => [...typedFields()].some((field) => field.value);
  const question = () => openDialog()?.querySelector("[data-discard-question]");

  // A start that is under way is not taken back, but nobody has to wait for it in the dialog.
  // Where nothing follows what was sent (data-notice) the dialog stays until it is known.
  function closeBusy(dialog, form) {
    if (!form.dataset.notice) return;
    dialog.close();
    document.dispatchEvent(new CustomEvent("start:followed", { detail: { form } }));
    form.remove();
  }

  function askOrClose() {
    const busy = busyForm(openDialog());
    if (busy) {
      closeBusy(openDialog(), busy);
      return;
    }
    const asks = question();
    if (!asks || !isTyped() || !asks.hidden) {
      openDialog()?.close();
      return;
    }
    asks.hidden = false;
    asks.querySelector("[data-keep-dialog]").focus();
  }

  function keep() {
    question().hidden = true;
    [...typedFields()].find((field) => field.value)?.focus();
  }

  document.addEventListener("cancel", (event) => {
    event.preventDefault();
    askOrClose();
  }, true);

  document.addEventListener("click", (event) => {
    // A dialog that is a page of its own is left for another page.
    const left = event.target.closest(".dialog-actions :is(a, [data-close-dialog])")?.closest("[data-notice]");
    if (left?.querySelector("[type=submit][aria-busy=true]")) {
      document.dispatchEvent(new CustomEvent("start:left", { detail: { form: left } }));
    }
    const close = event.target.closest("[data-close-dialog]");
    if (close) {
      if (openDialog()) askOrClose();
      else location.assign(close.dataset.closeDialog);
    }
    if (event.target.closest("[data-keep-dialog]")) keep();
    if (event.target.closest("[data-discard-dialog]")) openDialog().close();
    // The second click of a double click on the button lands on the backdrop, and marking text
    // may end there: neither is a wish to close.
    const onBackdrop = event.target === openDialog() && pressed === event.target;
    if (onBackdrop && event.detail < 2) askOrClose();
  });

  let opener;  // the ID of the element that did
  // A refresh may have put another button in the place of the one that opened the dialog.
  document.addEventListener("close", (event) => {
    // What goes on asking would lead the page away when nobody expects that any more.
    event.target.querySelector("[data-asks-on]")?.remove();
    const focused = document.activeElement;
    if (focused === document.body || event.target.contains(focused)) {
      document.getElementById(opener)?.focus();
    }
  }, true);

  document.addEventListener("htmx:afterSwap", (event) => {
    const { target } = event.detail;
    const dialog = target.matches(".dialog-body") && target.closest("dialog");
    if (dialog && !dialog.open && !openDialog()) {
      const page = document.documentElement;
      page.toggleAttribute("data-has-scroll-bar", innerWidth > page.clientWidth);
      dialog.showModal();
    }
    if (!target.matches(".dialog-body, .dialog-page")) return;
    target.querySelector("[autofocus]")?.focus();
    checkSoon();
  });

  // Gone back to, a page may be as it was left: with the dialog of a run that was started since.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("[data-dialog-form]")) location.reload();
  });

  // Where an answer was lost the dialog goes on asking; less often while the dashboard itself
  // does not answer, which is said once.
  function checkSoon(milliseconds = 700) {
    const form = document.querySelector("[data-checks]");
    if (!form) return;
    setBusy(form, true);
    setTimeout(() => form.isConnected && htmx.trigger(form, "check"), milliseconds);
  }
  document.addEventListener("DOMContentLoaded", () => checkSoon());

  function setBusy(form, busy) {
    const button = form.querySelector("[type=submit]");
    button?.setAttribute("aria-busy", String(busy));
    button?.setAttribute("aria-disabled", String(busy));
    // The words in the button change too, which no screen reader notices. The announcer is
    // the form's own: beside an open dialog the rest of the page is inert, and so is its.
    const words = busy ? button?.querySelector(".busy-label")?.textContent.trim() : "";
    form.querySelector("[data-busy-words]").textContent = words ?? "";
    // What cannot be done now does not look as if it could.
    if (!form.dataset.notice) {
      form.querySelector("[data-close-dialog]")?.setAttribute("aria-disabled", String(busy));
    }
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("[data-opens-dialog]")) {
      // Another one is open by now: two answers were under way.
      if (openDialog()) { event.preventDefault(); return; }
      opener = event.detail.elt.id || event.detail.elt.querySelector("[type=submit]").id;
    }
    if (!event.detail.elt.matches("[data-dialog-form]")) return;
    if (!event.detail.elt.matches("[data-checks]")) document.getElementById("network-error").hidden = true;
    question()?.toggleAttribute("hidden", true); // it was answered by going on
    setBusy(event.detail.elt, true);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.requestConfig.elt;
    if (!form.matches("[data-dialog-form], [data-opens-dialog]")) return;
    // Another page is under way: the form stays busy until it is there.
    const { xhr } = event.detail;
    if (xhr.getResponseHeader("HX-Redirect") || xhr.getResponseHeader("HX-Refresh")) return;
    if (xhr.status === 204) { // still checking
      document.getElementById("network-error").hidden = true;
      checkSoon();
      return;
    }
    if (form.matches("[data-dialog-form]")) setBusy(form, false);
    if (event.detail.successful || xhr.status === 409 || xhr.status === 422) return;
    // The dashboard itself did not answer, or not sensibly: the words are in the page already.
    if (form.matches("[data-dialog-form]")) {
      const notice = document.getElementById("network-error");
      const answered = ![0, 502, 503, 504].includes(xhr.status);
      notice.querySelector("[data-no-answer]").hidden = answered;
      notice.querySelector("[data-bad-answer]").hidden = !answered;
      const isNew = notice.hidden;
      notice.hidden = false;
      if (isNew) notice.focus();
      if (form.matches("[data-checks]")) checkSoon(3000);
      else form.querySelector("[type=submit] .label").textContent = "Retry";
    } else {
      const toasts = document.getElementById("new-toasts");
      toasts.append(document.getElementById("network-error-toast").content.cloneNode(true));
      // On a low screen toasts do not stay in view by themselves.
      if (toasts.getBoundingClientRect().top < 0) toasts.scrollIntoView({ block: "nearest" });
    }
  });
})();
