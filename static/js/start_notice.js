// When a dialog is closed while its form is under way, a notice on the page asks the dashboard for
// the outcome of the start until the outcome is known. The tab remembers each such start by the
// address of its notice, so that the next page shows the notice too.
//
// While the outcome cannot be found out, the notice and the dialog that say so ask again every five
// seconds until the run appears, and never on a hidden tab. The server responds with 204 while
// nothing has changed.

(() => {
  const ASK_AGAIN = 700; // milliseconds
  const ASK_LATER = 3000; // milliseconds, after a request that failed
  const POLL_SECONDS = 5;
  const MEMORY = "start-under-way:"; // the address follows; the value is the form's fields as JSON

  // The field "form" says what the browser knows about the form: "", "answered" or "lost" (the
  // enumeration Form in workorders/trigger_run/closed_dialog.py).
  const setFormState = (notice, form) => { notice.querySelector("[name=form]").value = form; };

  function show({ address, fields }) {
    const notice = document.getElementById("start-notice-template").content.firstElementChild.cloneNode(true);
    notice.setAttribute("hx-post", address);
    for (const [name, value] of fields) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      notice.append(field);
    }
    document.getElementById("new-toasts").append(notice);
    htmx.process(notice);
    ask(notice, ASK_AGAIN);
    return notice;
  }

  function ask(notice, milliseconds) {
    setTimeout(() => notice.isConnected && htmx.trigger(notice, "ask"), milliseconds);
  }

  function remember(form) {
    const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    const start = { address: form.dataset.notice, fields };
    sessionStorage.setItem(MEMORY + start.address, JSON.stringify(fields));
    return start;
  }

  const forget = (address) => sessionStorage.removeItem(MEMORY + address);

  function remembered() {
    const names = Object.keys(sessionStorage).filter((name) => name.startsWith(MEMORY));
    return names.map((name) => ({
      address: name.slice(MEMORY.length),
      fields: JSON.parse(sessionStorage.getItem(name)),
    }));
  }

  document.addEventListener("start:left", ({ detail: { form } }) => remember(form));

  document.addEventListener("start:followed", ({ detail: { form } }) => {
    const notice = show(remember(form));
    // A form that only checks belongs to a start that has reached the dashboard already.
    if (form.matches("[data-checks]")) setFormState(notice, "answered");
    document.querySelector("#trigger-run-button")?.classList.remove("htmx-request");
    // The notice reports the outcome, so the response must neither redirect nor fill a dialog.
    form.addEventListener("htmx:beforeOnLoad", (event) => event.preventDefault());
    form.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
      setFormState(notice, xhr.status >= 200 && xhr.status < 500 ? "answered" : "lost");
      ask(notice, 0);
    });
  });

  // When the page of a form is left, the browser drops the response to the form.
  document.addEventListener("DOMContentLoaded", () => {
    if (!document.getElementById("start-notice-template")) return;
    const dialogs = [...document.querySelectorAll("[data-notice]")].map((form) => form.dataset.notice);
    for (const start of remembered()) {
      // A dialog that is here again, as after signing in, says by itself what becomes of its start.
      if (dialogs.includes(start.address)) forget(start.address);
      else setFormState(show(start), "lost");
    }
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const notice = event.detail.requestConfig.elt;
    if (!notice.matches("[data-start-notice]")) return;
    const { xhr, successful } = event.detail;
    if (successful && xhr.status !== 204) {
      forget(notice.getAttribute("hx-post"));
      if (document.getElementById("live")) htmx.trigger("#live", "refresh");
      document.dispatchEvent(new Event("start:known"));
      return;
    }
    if (notice.matches("[data-asks-on]")) return; // pollUnresolved asks again
    notice.querySelector("[data-no-answer]").hidden = successful;
    ask(notice, successful ? ASK_AGAIN : ASK_LATER);
  });

  function pollUnresolved() {
    if (document.hidden) return;
    for (const part of document.querySelectorAll("[data-asks-on]")) htmx.trigger(part, "ask");
  }

  setInterval(pollUnresolved, POLL_SECONDS * 1000);
  document.addEventListener("visibilitychange", pollUnresolved);
})();
