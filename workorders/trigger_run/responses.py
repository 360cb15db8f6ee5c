"""HTTP responses of the trigger dialog: one for each outcome of an attempt."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from workorders.attempts.models import WITHDRAWN
from workorders.attempts.presentation import run_origin
from workorders.error_table import ERROR_TABLE, Action
from workorders.errors import NetworkError, RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.trigger_run import toasts
from workorders.trigger_run.dialog import DialogContext, changes_since
from workorders.trigger_run.loaders import load_trigger_dialog
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
    request: HtmxHttpRequest, dialog: DialogContext, outcome: TriggerOutcome, client: RunsClient
) -> HttpResponse:
    """The response for an outcome: a redirect, or the dialog.

    ``client`` reads what the dialog shows, within the time that the operator still waits.
    """
    match outcome:
        case Started(run, is_seen):
            if request.method == "POST":  # a GET may come days after the start
                toasts.add(request, run, is_seen=is_seen, tag=toasts.start_tag(dialog.form))
            response = htmx_redirect(request, reverse("run_detail", args=[run.id]))
        case Queued():
            response = _queued(request, dialog, outcome, client)
        case Refused():
            response = _refused(request, dialog, outcome, client)
        case Changed(work_order):
            changes = changes_since(str(dialog.form["seen"].value()), work_order)
            dialog.form.now_shows(work_order)
            response = show_dialog(request, replace(dialog, changes=changes, status=409), client)
        case Failed(error):
            text = format_html(
                "{}. Look at the runs below before you start another.{}",
                error.user_message,
                error_details(error),
            )
            messages.error(request, text, extra_tags=toasts.start_tag(dialog.form))
            response = _to_work_order(request, dialog)
        case Checking():
            response = _checking(request, dialog, outcome)
        case NotKnown():
            response = _not_known(request, dialog, outcome)
    return response


def show_dialog(
    request: HtmxHttpRequest, dialog: DialogContext, client: RunsClient
) -> HttpResponse:
    """The confirmation dialog, with what ``client`` reads.

    When the work order cannot be read the form stays, so that nothing typed is lost.
    """
    # An API that has just not responded is not called again: the operator has waited enough.
    if not isinstance(dialog.error, NetworkError):
        try:
            loaded = load_trigger_dialog(client, dialog.work_order_id)
            dialog = replace(dialog, loaded=loaded)
        except RunsAPIError as error:
            if dialog.error is None and error.handling.action is Action.GO_TO_LIST:
                messages.error(request, error.user_message)
                return htmx_redirect(request, reverse("work_order_list"))
            status = dialog.status if dialog.status != 200 else 422
            dialog = replace(dialog, error=dialog.error or error, status=status)
    dialog.form.show_for(dialog.loaded)
    dialog = replace(dialog, was_sent=request.method == "POST")
    return _in_dialog(request, "trigger_run/trigger_run_dialog.html", dialog)


def _in_dialog(
    request: HtmxHttpRequest, template: str, dialog: DialogContext, **shown: object
) -> HttpResponse:
    """The content of the dialog: alone for htmx, otherwise as a page of its own."""
    context = shown | {"dialog": dialog, "content": template}
    name = template if request.htmx else "trigger_run/trigger_run.html"
    # The back button must show the same form: its key leads to the run that it has started.
    return vary_on_htmx(render(request, name, context, status=dialog.status))


def _checking(request: HtmxHttpRequest, dialog: DialogContext, outcome: Checking) -> HttpResponse:
    """The dialog that checks whether the run has started, or without scripts offers to check.

    When the operator who sent the start leaves the page, a notice on the next page goes on
    checking.
    """
    check_page = reverse("trigger_attempt", args=[dialog.work_order_id, outcome.key])
    if request.htmx and request.path == check_page:
        return HttpResponse(status=204)  # what the dialog shows is still true
    if request.method == "POST" and not request.htmx:
        return redirect(check_page)
    return _lookup(request, dialog, outcome, "trigger_run/start_check.html")


def _not_known(request: HtmxHttpRequest, dialog: DialogContext, outcome: NotKnown) -> HttpResponse:
    """The dialog for an unknown outcome. It keeps checking, because the run may still turn up."""
    if request.htmx and request.POST.get("shown") == "not-known":
        return HttpResponse(status=204)
    return _lookup(request, dialog, outcome, "trigger_run/not_known.html")


def _lookup(
    request: HtmxHttpRequest, dialog: DialogContext, outcome: Checking | NotKnown, template: str
) -> HttpResponse:
    """The page of a start whose outcome is not known.

    In the context, ``is_own`` says whether the person who looks has started this attempt: the form
    of anybody else has another key.
    """
    return _in_dialog(
        request,
        template,
        dialog,
        check_page=reverse("trigger_attempt", args=[dialog.work_order_id, outcome.key]),
        names_other_run=outcome.names_other_run,
        is_own=str(dialog.form["key"].value()) == str(outcome.key),
    )


def _queued(
    request: HtmxHttpRequest, dialog: DialogContext, outcome: Queued, client: RunsClient
) -> HttpResponse:
    """Show the queued run, or the dialog with what is known when the run has no name yet (F7.8)."""
    text = ERROR_TABLE["CAPACITY_EXCEEDED"].message
    if outcome.position:
        text += f" Position in the queue: {outcome.position}."
    if outcome.run:
        messages.warning(request, text, extra_tags=toasts.start_tag(dialog.form))
        return htmx_redirect(request, reverse("run_detail", args=[outcome.run.id]))
    return show_dialog(request, replace(dialog, queued=text), client)


def _refused(
    request: HtmxHttpRequest, dialog: DialogContext, outcome: Refused, client: RunsClient
) -> HttpResponse:
    """Respond as ERROR_TABLE says for the error, and keep what the operator typed."""
    error, form = outcome.error, dialog.form
    tag = toasts.start_tag(form)
    if error.handling.action is Action.CLOSE_DIALOG:
        messages.error(request, _toast(request, dialog, outcome), extra_tags=tag)
        return _to_work_order(request, dialog)
    if error.handling.action is Action.GO_TO_LIST:
        messages.error(request, _toast(request, dialog, outcome), extra_tags=tag)
        return htmx_redirect(request, reverse("work_order_list"))
    if error.code == WITHDRAWN:
        form.renew()  # the withdrawn key never starts a run
    if error.handling.action is Action.FIELD_ERROR and form.is_valid():
        for field, text in error.field_errors.items():
            form.add_error(field or None, text)
    status = 409 if error.status == 409 else 422
    dialog = replace(dialog, error=error, blocking_run=outcome.blocking_run, status=status)
    return show_dialog(request, dialog, client)


def _to_work_order(request: HtmxHttpRequest, dialog: DialogContext) -> HttpResponse:
    return htmx_redirect(request, reverse("work_order_detail", args=[dialog.work_order_id]))


def _toast(request: HtmxHttpRequest, dialog: DialogContext, outcome: Refused) -> str:
    text = format_html("{}", outcome.error.user_message)
    if outcome.error.status >= 500:
        text = format_html("{}. No run was started.{}", text, error_details(outcome.error))
    if run := outcome.blocking_run:
        origin = run_origin(run, dialog.work_order_id, request.user)
        if origin:
            text = format_html("{}. {} was {}", text, run.label, origin)
        url = reverse("run_detail", args=[run.id])
        text = format_html('{}. <a href="{}">View {}</a>', text, url, run.label)
    return text
