// The dialogs of a page. What htmx loads is shown in a native <dialog>, which keeps the focus
// inside, closes on Escape and returns the focus to the button.

(() => {
  const CONFIRM = "[data-dialog-form] [type=submit]";
  const openDialog = () => document.querySelector("dialog[open]");

  // A disabled button stays focusable, so that its reason can be read; its clicks are stopped here.
  // On a phone "Start Run" appears under the finger, so the second tap of a double tap is ignored.
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

  // Closing the dialog asks before typed values are lost. These fields are empty at first, so any
  // value in them was typed.
  const typedFields = () => openDialog()?.querySelectorAll(".field :is(input, select)") ?? [];
  const isTyped = () => [...typedFields()].some((field) => field.value);
  const question = () => openDialog()?.querySelector("[data-discard-question]");

  // Closing the dialog does not cancel a start that is under way. A notice follows the start when
  // the form names one (data-notice); otherwise the dialog stays open until the response arrives.
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
    // When the dialog is a page of its own, closing means leaving for another page.
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
    // The second click of a double click on the button may land on the backdrop, and selecting
    // text may end there. Neither closes the dialog.
    const onBackdrop = event.target === openDialog() && pressed === event.target;
    if (onBackdrop && event.detail < 2) askOrClose();
  });

  let opener;  // the ID of the element that opened the dialog
  // The button is found by its ID: a refresh may have replaced the element meanwhile.
  document.addEventListener("close", (event) => {
    // A form that keeps checking could redirect the page after the dialog was closed.
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

  // The back button may restore a page with the dialog of a run that has been started since.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("[data-dialog-form]")) location.reload();
  });

  // When the response to a start was lost the dialog keeps checking: every 0.7 s, and every 3 s
  // while the dashboard does not respond. The notice about the latter is announced once.
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
    // Screen readers do not notice that the words in the button change. The form has an announcer
    // of its own, because the page behind an open dialog is inert.
    const words = busy ? button?.querySelector(".busy-label")?.textContent.trim() : "";
    form.querySelector("[data-busy-words]").textContent = words ?? "";
    // A dialog without a notice stays open while its form is under way.
    if (!form.dataset.notice) {
      form.querySelector("[data-close-dialog]")?.setAttribute("aria-disabled", String(busy));
    }
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("[data-opens-dialog]")) {
      // Another dialog is open already: two requests were under way.
      if (openDialog()) { event.preventDefault(); return; }
      opener = event.detail.elt.id || event.detail.elt.querySelector("[type=submit]").id;
    }
    if (!event.detail.elt.matches("[data-dialog-form]")) return;
    if (!event.detail.elt.matches("[data-checks]")) document.getElementById("network-error").hidden = true;
    question()?.toggleAttribute("hidden", true); // sending the form answers the question
    setBusy(event.detail.elt, true);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.requestConfig.elt;
    if (!form.matches("[data-dialog-form], [data-opens-dialog]")) return;
    // The browser is loading another page; the form stays busy until then.
    const { xhr } = event.detail;
    if (xhr.getResponseHeader("HX-Redirect") || xhr.getResponseHeader("HX-Refresh")) return;
    if (xhr.status === 204) { // still checking
      document.getElementById("network-error").hidden = true;
      checkSoon();
      return;
    }
    if (form.matches("[data-dialog-form]")) setBusy(form, false);
    if (event.detail.successful) return; // 409 and 422 too: their content was swapped
    // The dashboard did not respond, or responded with an error. The page has the words already.
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
      // On a low screen the toasts are not pinned, so they may be out of view.
      if (toasts.getBoundingClientRect().top < 0) toasts.scrollIntoView({ block: "nearest" });
    }
  });
})();
