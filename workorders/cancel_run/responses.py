"""HTTP responses of the cancel dialog: one for each outcome."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from workorders.cancel_run.dialog import DialogContext
from workorders.cancel_run.loaders import CancelDialog
from workorders.cancel_run.outcomes import (
    AlreadyOver,
    BeingCancelled,
    Cancelled,
    CancelOutcome,
    NotCancelled,
    WorkOrderBeingCancelled,
    WorkOrderCancelled,
)
from workorders.runs_api.schemas import Run
from workorders.text.legible import legible
from workorders.web.http import HtmxHttpRequest, htmx_redirect, vary_on_htmx


def respond(
    request: HtmxHttpRequest, dialog: DialogContext, outcome: CancelOutcome, *, before: Run
) -> HttpResponse:
    """The response for an outcome: a redirect to the run, or the dialog.

    ``before`` is the run as the operator has seen it.
    """
    match outcome:
        case Cancelled(run):
            messages.success(request, f"{run.label} was cancelled")
        case WorkOrderCancelled(work_order_id, run):
            text = f"Work order {legible(work_order_id)} was cancelled"
            messages.success(request, f"{text}{_run_sentence(before, run)}")
        case WorkOrderBeingCancelled(work_order_id, run):
            text = f"Work order {legible(work_order_id)} is being cancelled"
            messages.success(request, f"{text}{_run_sentence(before, run)}")
        case BeingCancelled(run):
            messages.success(request, f"{run.label} is being cancelled")
        case AlreadyOver(run):
            messages.warning(request, f"{run.label} has already ended: {run.status}")
        case NotCancelled() as failure:
            return show_dialog(request, replace(dialog, failure=failure))
    return htmx_redirect(request, reverse("run_detail", args=[before.id]))


def show_dialog(request: HtmxHttpRequest, dialog: DialogContext) -> HttpResponse:
    """The dialog: its content alone for htmx, otherwise a page of its own."""
    name = "cancel_run/cancel_run"
    template = f"{name}_dialog.html" if request.htmx else f"{name}.html"
    return vary_on_htmx(render(request, template, {"dialog": dialog}, status=dialog.status))


def nothing_to_cancel(request: HtmxHttpRequest, loaded: CancelDialog) -> HttpResponse:
    """Go to the run, with a toast that says why the run cannot be cancelled."""
    run = loaded.run
    if run.is_final:
        text = f"{run.label} has already ended: {run.status}"
    elif loaded.work_order and loaded.work_order.status == "cancelled":
        work_order = f"Work order {legible(run.work_order_id)}"
        text = f"{work_order} is already cancelled. {run.label} is {run.status}."
    else:
        text = f"{run.label} cannot be cancelled: the runs API does not say whose run it is"
    messages.warning(request, text)
    return htmx_redirect(request, reverse("run_detail", args=[run.id]))


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
