"""The dialog in which an operator cancels a run: it states the consequences and asks first."""

from dataclasses import replace

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods

from workorders.attempts.models import TriggerAttempt
from workorders.attempts.permissions import TRIGGER_PERMISSION
from workorders.cancel_run import services
from workorders.cancel_run.dialog import DialogContext
from workorders.cancel_run.loaders import load_cancel_dialog
from workorders.cancel_run.outcomes import NotCancelled
from workorders.cancel_run.responses import nothing_to_cancel, respond, show_dialog
from workorders.errors import RunsAPIError
from workorders.runs_api.clients import default_client, page_client
from workorders.web.http import HtmxHttpRequest


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
    work_order_id = TriggerAttempt.work_order_of(run_id)
    try:
        loaded = load_cancel_dialog(page_client(), run_id, work_order_id=work_order_id)
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            raise Http404(f"Run {run_id} does not exist, or no longer does.") from error
        return show_dialog(request, DialogContext(run_id=run_id, failure=NotCancelled(error)))
    if loaded.scope is None:
        return nothing_to_cancel(request, loaded)
    dialog = DialogContext(run_id=run_id, loaded=loaded)
    if request.method != "POST":
        return show_dialog(request, dialog)
    confirmed_queued = bool(request.POST.get("queued"))
    if request.POST.get("scope") != loaded.scope or confirmed_queued != loaded.run.is_queued:
        return show_dialog(request, replace(dialog, has_changed=True))
    outcome = services.cancel_run(default_client(), run=loaded.run, scope=loaded.scope)
    return respond(request, dialog, outcome, before=loaded.run)
