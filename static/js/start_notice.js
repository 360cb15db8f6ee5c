// A dialog that is closed while its form is under way: a notice on the page asks what became of
// the start until that is known. The tab remembers each such start by the address of its notice,
// so that every page that follows shows its notice too.

(() => {
  const ASK_AGAIN = 700; // milliseconds
  const ASK_LATER = 3000;
  const MEMORY = "start-under-way:"; // the address follows; the value is the form's fields as JSON

  // "form" tells the dashboard what is known here of the form: see workorders/trigger_run/closed_dialog.py.
  const tell = (notice, form) => { notice.querySelector("[name=form]").value = form; };

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
    // What only asks has been answered before: its start has arrived.
    if (form.matches("[data-checks]")) tell(notice, "answered");
    document.querySelector("#trigger-run-button")?.classList.remove("htmx-request");
    // The response is the notice's to tell: it neither leads away nor fills another dialog.
    form.addEventListener("htmx:beforeOnLoad", (event) => event.preventDefault());
    form.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
      tell(notice, xhr.status >= 200 && xhr.status < 500 ? "answered" : "lost");
      ask(notice, 0);
    });
  });

  // A form whose page was left gets no response any more.
  document.addEventListener("DOMContentLoaded", () => {
    if (!document.getElementById("start-notice-template")) return;
    const dialogs = [...document.querySelectorAll("[data-notice]")].map((form) => form.dataset.notice);
    for (const start of remembered()) {
      // A dialog that is here again, as after signing in, says by itself what becomes of its start.
      if (dialogs.includes(start.address)) forget(start.address);
      else tell(show(start), "lost");
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
    if (notice.matches("[data-asks-on]")) return; // asks_on.js asks again
    notice.querySelector("[data-no-answer]").hidden = successful;
    ask(notice, successful ? ASK_AGAIN : ASK_LATER);
  });
})();
