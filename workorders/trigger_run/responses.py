"""HTTP responses of the trigger dialog: one for each outcome of an attempt."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from workorders.attempts.models import WITHDRAWN
from workorders.attempts.presentation import run_origin
from workorders.availability import trigger_availability
from workorders.error_table import ERROR_TABLE, Action
from workorders.errors import NetworkError, RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import page_client
from workorders.runs_api.schemas import Run, RunReference, WorkOrder
from workorders.trigger_run import toasts
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.loaders import TriggerDialog, load_trigger_dialog
from workorders.trigger_run.outcomes import (
    Changed,
    Checking,
    Failed,
    NotKnown,
    Queued,
    Refused,
    Started,
    TriggerOutcome,
)
from workorders.web.formatting import error_details
from workorders.web.http import HtmxHttpRequest, htmx_redirect, vary_on_htmx


def respond(
    request: HtmxHttpRequest,
    work_order_id: str,
    form: TriggerRunForm,
    outcome: TriggerOutcome,
    client: RunsClient,
) -> HttpResponse:
    """The response for an outcome: a redirect, or the dialog.

    ``client`` reads what the dialog shows, within the time that the operator still waits.
    """
    match outcome:
        case Started(run, is_seen):
            if request.method == "POST":  # a GET may come days after the start
                toasts.add(request, run, is_seen=is_seen, tag=toasts.start_tag(form))
            response = htmx_redirect(request, reverse("run_detail", args=[run.id]))
        case Queued():
            response = _queued(request, work_order_id, form, outcome, client)
        case Refused():
            response = _refused(request, work_order_id, form, outcome, client)
        case Changed(work_order):
            changes = _changes(str(form["seen"].value()), work_order)
            form.now_shows(work_order)
            response = show_dialog(
                request, work_order_id, form, client, status=409, changes=changes
            )
        case Failed(error):
            text = format_html(
                "{}. Look at the runs below before you start another.{}",
                error.user_message,
                error_details(error),
            )
            messages.error(request, text, extra_tags=toasts.start_tag(form))
            response = htmx_redirect(request, reverse("work_order_detail", args=[work_order_id]))
        case Checking():
            response = _checking(request, work_order_id, form, outcome)
        case NotKnown():
            response = _not_known(request, work_order_id, form, outcome)
    return response


def show_dialog(
    request: HtmxHttpRequest,
    work_order_id: str,
    form: TriggerRunForm,
    client: RunsClient,
    *,
    status: int = 200,
    error: RunsAPIError | None = None,
    blocking_run: Run | RunReference | None = None,
    queued: str = "",
    changes: tuple[str, ...] = (),
) -> HttpResponse:
    """The confirmation dialog.

    When the work order cannot be read the form stays, so that nothing typed is lost.

    Args:
        error: why no run was started.
        blocking_run: the run that prevents the start.
        queued: the words for a run that waits in the queue without a name.
        changes: sentences about what has changed since the dialog was opened.
    """
    dialog: TriggerDialog | None = None
    # An API that has just not responded is not called again: the operator has waited enough.
    if not isinstance(error, NetworkError):
        try:
            dialog = load_trigger_dialog(client, work_order_id)
        except RunsAPIError as read_error:
            if error is None and read_error.handling.action is Action.GO_TO_LIST:
                messages.error(request, read_error.user_message)
                return htmx_redirect(request, reverse("work_order_list"))
            error = error or read_error
            status = status if status != 200 else 422
    form.show_for(dialog)
    is_redundant = error is None or error.code in {"NOT_STARTED", "IDEMPOTENCY_KEY_REUSED"}
    return _in_dialog(
        request,
        "trigger_run/trigger_run_dialog.html",
        work_order_id,
        status=status,
        dialog=dialog,
        work_order=dialog.work_order if dialog else None,
        form=form,
        error=error,
        blocking_run=blocking_run,
        nothing_started=request.method == "POST" and not is_redundant,
        queued=queued,
        changes=changes,
    )


def show_run_info(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The open dialog's description of the run that it would create.

    The open dialog polls this with its own fields and ``version``. The response is 204 when the
    description has not changed, and when the work order cannot be read.
    """
    form = TriggerRunForm(request.GET)
    try:
        work_order = page_client().get_work_order(work_order_id)
    except RunsAPIError:
        return HttpResponse(status=204)
    dialog = TriggerDialog(work_order, trigger_availability(work_order), profiles=())
    context = {
        "work_order_id": work_order_id,
        "work_order": work_order,
        "dialog": dialog,
        "form": form,
        "news": _news(str(form["seen"].value()), dialog),
    }
    name = "trigger_run/trigger_run_dialog.html#run_info"
    description = (context["news"], form.settings_words, work_order.next_run_number)
    version = hashlib.blake2b(repr(description).encode(), digest_size=8).hexdigest()
    if request.GET["version"] == version:
        return HttpResponse(status=204)
    return vary_on_htmx(render(request, name, context | {"version": version}))


def _news(seen: str, dialog: TriggerDialog) -> str:
    """What has happened since the dialog was opened, in sentences."""
    news = " ".join(_changes(seen, dialog.work_order))
    return f"{dialog.blocked_message}. {news}" if dialog.blocked_message else news


def _in_dialog(
    request: HtmxHttpRequest, template: str, work_order_id: str, *, status: int = 200, **shown: Any
) -> HttpResponse:
    """The content of the dialog: alone for htmx, otherwise as a page of its own."""
    context = shown | {"work_order_id": work_order_id, "content": template}
    name = template if request.htmx else "trigger_run/trigger_run.html"
    # The back button must show the same form: its key leads to the run that it has started.
    return vary_on_htmx(render(request, name, context, status=status))


def _checking(
    request: HtmxHttpRequest, work_order_id: str, form: TriggerRunForm, outcome: Checking
) -> HttpResponse:
    """The dialog that checks whether the run has started, or without scripts offers to check.

    When the operator who sent the start leaves the page, a notice on the next page goes on
    checking.
    """
    check_page = reverse("trigger_attempt", args=[work_order_id, outcome.key])
    if request.htmx and request.path == check_page:
        return HttpResponse(status=204)  # what the dialog shows is still true
    if request.method == "POST" and not request.htmx:
        return redirect(check_page)
    return _lookup(request, work_order_id, form, outcome, "trigger_run/start_check.html")


def _not_known(
    request: HtmxHttpRequest, work_order_id: str, form: TriggerRunForm, outcome: NotKnown
) -> HttpResponse:
    """The dialog for an unknown outcome. It keeps checking, because the run may still turn up."""
    if request.htmx and request.POST.get("shown") == "not-known":
        return HttpResponse(status=204)
    return _lookup(request, work_order_id, form, outcome, "trigger_run/not_known.html")


def _lookup(
    request: HtmxHttpRequest,
    work_order_id: str,
    form: TriggerRunForm,
    outcome: Checking | NotKnown,
    template: str,
) -> HttpResponse:
    """The page of a start whose outcome is not known.

    ``is_own`` is false for another operator, whose form has a key of its own.
    """
    return _in_dialog(
        request,
        template,
        work_order_id,
        check_page=reverse("trigger_attempt", args=[work_order_id, outcome.key]),
        names_other_run=outcome.names_other_run,
        is_own=str(form["key"].value()) == str(outcome.key),
    )


def _queued(
    request: HtmxHttpRequest,
    work_order_id: str,
    form: TriggerRunForm,
    outcome: Queued,
    client: RunsClient,
) -> HttpResponse:
    """Show the queued run, or the dialog with what is known when the run has no name yet (F7.8)."""
    text = ERROR_TABLE["CAPACITY_EXCEEDED"].message
    if outcome.position:
        text += f" Position in the queue: {outcome.position}."
    if outcome.run:
        messages.warning(request, text, extra_tags=toasts.start_tag(form))
        return htmx_redirect(request, reverse("run_detail", args=[outcome.run.id]))
    return show_dialog(request, work_order_id, form, client, queued=text)


def _refused(
    request: HtmxHttpRequest,
    work_order_id: str,
    form: TriggerRunForm,
    outcome: Refused,
    client: RunsClient,
) -> HttpResponse:
    """Respond as ERROR_TABLE says for the error, and keep what the operator typed."""
    error = outcome.error
    tag = toasts.start_tag(form)
    if error.handling.action is Action.CLOSE_DIALOG:
        messages.error(request, _toast(request, work_order_id, outcome), extra_tags=tag)
        return htmx_redirect(request, reverse("work_order_detail", args=[work_order_id]))
    if error.handling.action is Action.GO_TO_LIST:
        messages.error(request, _toast(request, work_order_id, outcome), extra_tags=tag)
        return htmx_redirect(request, reverse("work_order_list"))
    if error.code == WITHDRAWN:
        form.renew()  # the withdrawn key never starts a run
    if error.handling.action is Action.FIELD_ERROR and form.is_valid():
        for field, text in error.field_errors.items():
            form.add_error(field or None, text)
    status = 409 if error.status == 409 else 422
    return show_dialog(
        request,
        work_order_id,
        form,
        client,
        error=error,
        blocking_run=outcome.blocking_run,
        status=status,
    )


def _toast(request: HtmxHttpRequest, work_order_id: str, outcome: Refused) -> str:
    text = format_html("{}", outcome.error.user_message)
    if outcome.error.status >= 500:
        text = format_html("{}. No run was started.{}", text, error_details(outcome.error))
    if run := outcome.blocking_run:
        origin = run_origin(run, work_order_id, request.user)
        if origin:
            text = format_html("{}. {} was {}", text, run.label, origin)
        url = reverse("run_detail", args=[run.id])
        text = format_html('{}. <a href="{}">View {}</a>', text, url, run.label)
    return text


def _changes(seen: str, work_order: WorkOrder) -> tuple[str, ...]:
    """Sentences about what has changed since the dialog was opened.

    ``seen`` is the ``WorkOrder.state_token`` that the dialog showed.
    """
    status, newest_status, newest_id = (*seen.split("/", 2), "", "")[:3]
    changes = []
    if work_order.runs:
        newest = work_order.runs[0]
        if newest.id != newest_id:
            changes.append(f"{newest.label} is its newest run now ({newest.status}).")
        elif newest.status != newest_status:
            changes.append(f"{newest.label} was {newest_status} and is {newest.status} now.")
    if status != work_order.status:
        changes.append(f"Its status was {status} and is {work_order.status} now.")
    return tuple(changes)
