"""The notice about a start whose dialog was closed while its form was under way."""

import uuid

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from workorders.attempts.permissions import TRIGGER_PERMISSION
from workorders.attempts.presentation import reason_words
from workorders.runs_api.clients import default_client
from workorders.runs_api.schemas import RunOverrides
from workorders.trigger_run import closed_dialog, toasts
from workorders.trigger_run.closed_dialog import Form
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.outcomes import (
    Checking,
    NotKnown,
    Queued,
    Refused,
    Started,
    TriggerOutcome,
)
from workorders.web.http import HtmxHttpRequest, vary_on_htmx


@permission_required(TRIGGER_PERMISSION, raise_exception=True)
@require_POST
def start_notice(request: HtmxHttpRequest, work_order_id: str, key: uuid.UUID) -> HttpResponse:
    """What became of a start: the notice's HTML, or 204 when the notice on the page is still true.

    The page posts the dialog's own fields, ``form`` (a value of ``closed_dialog.Form``) and
    ``shown`` ("not-known" once the notice says that the outcome could not be found out).
    """
    form = TriggerRunForm(request.POST)
    known = {state.value: state for state in Form}
    outcome = closed_dialog.outcome_of(
        default_client(),
        user=request.user,
        work_order_id=work_order_id,
        key=key,
        overrides=form.overrides if form.is_valid() else RunOverrides(),
        form=known.get(request.POST.get("form", ""), Form.UNDER_WAY),
    )
    is_shown = isinstance(outcome, NotKnown) and request.POST.get("shown") == "not-known"
    if isinstance(outcome, Checking) or is_shown:
        return HttpResponse(status=204)
    # The response to the form has left a toast for the next page, which says the same.
    toasts.remove(request, key)
    context = _context(form, outcome) | {"work_order_id": work_order_id, "key": key}
    return vary_on_htmx(render(request, "trigger_run/start_notice.html", context))


def _context(form: TriggerRunForm, outcome: TriggerOutcome) -> dict[str, object]:
    """The context of start_notice.html for an outcome.

    ``kind`` is "started", "queued", "not-started" or "not-known". ``run`` and ``position`` may be
    ``None``. ``reasons`` is a list of sentences, and empty when no reason is known.
    """
    detail = {"cancel_scope": settings.RUNS_API_CANCELS.lower()}  # for the Cancel button
    match outcome:
        case Started(run, is_seen):
            words = toasts.words(run, is_seen=is_seen)
            seen = {"run": run, "is_seen": is_seen, "words": words}
            return {"kind": "started", "detail": detail} | seen
        case Queued(run, position):
            return {"kind": "queued", "run": run, "position": position, "detail": detail}
        case Refused(error, blocking_run):
            reason = reason_words(error.code)
            typed = [*form["max_iterations"].errors, *form["profile_name"].errors]
            reasons = [f"{reason}."] if reason else typed
            return {"kind": "not-started", "reasons": reasons, "blocking_run": blocking_run}
    return {"kind": "not-known"}
