"""The confirmation dialog, the start of a run, and the check of an earlier start."""

import uuid
from dataclasses import replace

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from workorders.attempts.models import TriggerAttempt
from workorders.attempts.permissions import TRIGGER_PERMISSION
from workorders.runs_api.clients import default_client, page_client, start_client
from workorders.trigger_run import services
from workorders.trigger_run.dialog import DialogContext
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.outcomes import Checking
from workorders.trigger_run.responses import respond, show_dialog
from workorders.trigger_run.run_info import show_run_info
from workorders.trigger_run.session_expiry import show_again
from workorders.web.http import HtmxHttpRequest


@permission_required(TRIGGER_PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def trigger_run(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The confirmation dialog (F7.3) and the start of a run (F7.5, F7.6)."""
    if request.method != "POST":
        if "session" in request.GET:
            return show_again(request, work_order_id)
        if "version" in request.GET:
            return show_run_info(request, work_order_id)
        dialog = DialogContext(work_order_id=work_order_id, form=TriggerRunForm.fresh())
        return show_dialog(request, dialog, page_client())
    form = TriggerRunForm(request.POST)
    dialog = DialogContext(work_order_id=work_order_id, form=form)
    if not form.is_valid():
        return show_dialog(request, replace(dialog, status=422), page_client())
    client = start_client()
    outcome = services.trigger_run(
        client,
        user=request.user,
        work_order_id=work_order_id,
        overrides=form.overrides,
        key=form.cleaned_data["key"],
        seen=form.cleaned_data["seen"],
    )
    return respond(request, dialog, outcome, client)


@permission_required(TRIGGER_PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def trigger_attempt(request: HtmxHttpRequest, work_order_id: str, key: uuid.UUID) -> HttpResponse:
    """The check page of a start whose response was lost.

    A POST reconciles the attempt. A GET shows a button for that, or the outcome if it is known.
    """
    attempt = get_object_or_404(TriggerAttempt, work_order_id=work_order_id, key=key)
    form = TriggerRunForm.of(attempt) if attempt.user == request.user else TriggerRunForm.fresh()
    if request.method == "POST" or attempt.state not in TriggerAttempt.OPEN:
        outcome = services.recheck(default_client(), attempt)
    else:
        outcome = Checking(attempt.key, names_other_run=attempt.names_other_run)
    dialog = DialogContext(work_order_id=work_order_id, form=form)
    return respond(request, dialog, outcome, page_client())
