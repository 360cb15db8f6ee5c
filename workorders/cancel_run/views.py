"""The dialog in which an operator cancels a run: it states the consequences and asks first."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from workorders.attempts.models import TriggerAttempt
from workorders.attempts.permissions import TRIGGER_PERMISSION
from workorders.availability import CancelScope
from workorders.cancel_run import services
from workorders.cancel_run.loaders import CancelDialog, load_cancel_dialog
from workorders.cancel_run.services import (
    AlreadyOver,
    BeingCancelled,
    Cancelled,
    NotCancelled,
    WorkOrderBeingCancelled,
    WorkOrderCancelled,
)
from workorders.errors import RunsAPIError
from workorders.runs_api.clients import default_client, page_client
from workorders.runs_api.schemas import Run
from workorders.text.legible import legible
from workorders.web.http import HtmxHttpRequest, htmx_redirect, vary_on_htmx


# The permission to start runs includes the permission to cancel them.
@permission_required(TRIGGER_PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_run(request: HtmxHttpRequest, run_id: str) -> HttpResponse:
    """GET shows the dialog; POST cancels the run and redirects to its page.

    Form fields of the POST: ``scope``, a value of ``CancelScope``, and ``queued``, "1" if the
    dialog showed a queued run, otherwise "". They state what the operator confirmed. If the run
    or the settings differ by now, nothing is cancelled and the dialog is shown again with 409.

    A run that does not exist gives 404.
    """
    try:
        dialog = load_cancel_dialog(
            page_client(), run_id, work_order_id=TriggerAttempt.work_order_of(run_id)
        )
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            raise Http404(f"Run {run_id} does not exist, or no longer does.") from error
        return _dialog(request, run_id, None, failure=NotCancelled(error))
    if dialog.scope is None:
        return _nothing_to_cancel(request, dialog)
    if request.method != "POST":
        return _dialog(request, run_id, dialog)
    confirmed_queued = bool(request.POST.get("queued"))
    if request.POST.get("scope") != dialog.scope or confirmed_queued != dialog.run.is_queued:
        return _dialog(request, run_id, dialog, has_changed=True)
    return _cancel(request, dialog, dialog.scope)


def _cancel(request: HtmxHttpRequest, dialog: CancelDialog, scope: CancelScope) -> HttpResponse:
    match services.cancel_run(default_client(), dialog, scope):
        case Cancelled(run):
            messages.success(request, f"{run.label} was cancelled")
        case WorkOrderCancelled(work_order_id, run):
            text = f"Work order {legible(work_order_id)} was cancelled"
            messages.success(request, f"{text}{_run_sentence(dialog.run, run)}")
        case WorkOrderBeingCancelled(work_order_id, run):
            text = f"Work order {legible(work_order_id)} is being cancelled"
            messages.success(request, f"{text}{_run_sentence(dialog.run, run)}")
        case BeingCancelled(run):
            messages.success(request, f"{run.label} is being cancelled")
        case AlreadyOver(run):
            messages.warning(request, f"{run.label} has already ended: {run.status}")
        case NotCancelled() as failure:
            return _dialog(request, dialog.run.id, dialog, failure=failure)
    return htmx_redirect(request, reverse("run_detail", args=[dialog.run.id]))


def _run_sentence(before: Run, now: Run | None) -> str:
    """A sentence about the run of a cancelled work order, which may continue nevertheless.

    The result is ``""`` where the run was cancelled too.
    """
    if now is None:
        return f". Whether {before.label} goes on could not be read."
    if now.status == "cancelled":
        return ""
    if now.is_final:
        return f". {now.label} has ended: {now.status}."
    return f". {now.label} is still {now.status}."


def _nothing_to_cancel(request: HtmxHttpRequest, dialog: CancelDialog) -> HttpResponse:
    run = dialog.run
    if run.is_final:
        text = f"{run.label} has already ended: {run.status}"
    elif dialog.work_order and dialog.work_order.status == "cancelled":
        work_order = f"Work order {legible(run.work_order_id)}"
        text = f"{work_order} is already cancelled. {run.label} is {run.status}."
    else:
        text = f"{run.label} cannot be cancelled: the runs API does not say whose run it is"
    messages.warning(request, text)
    return htmx_redirect(request, reverse("run_detail", args=[run.id]))


def _dialog(
    request: HtmxHttpRequest,
    run_id: str,
    dialog: CancelDialog | None,
    *,
    failure: NotCancelled | None = None,
    has_changed: bool = False,
) -> HttpResponse:
    """Render the dialog: its content alone for htmx, otherwise a page of its own.

    The status is 200 for the question, 409 where the run has changed or the API reports a
    conflict, and 422 for other failures.
    """
    status = 409 if has_changed else 200
    if failure:
        status = 409 if failure.error.status == 409 else 422
    name = "cancel_run/cancel_run"
    template = f"{name}_dialog.html" if request.htmx else f"{name}.html"
    context = {
        "run_id": run_id,
        "dialog": dialog,
        "failure": failure,
        "has_changed": has_changed,
    }
    return vary_on_htmx(render(request, template, context, status=status))
