"""The page of a run whose ID is provisional.

Recorded from a real server: the response to a trigger may name an ID that the API does not know
later. The run then appears in its work order under another ID within a second, or never.
"""

from django.http import Http404, HttpResponse
from django.urls import reverse

from workorders.attempts import transitions
from workorders.attempts.appearance import Appearance
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, RunReference
from workorders.trigger_run import run_search, toasts
from workorders.web.http import HtmxHttpRequest, htmx_redirect
from workorders.web.polling import LATE, SOON, polling_page


def respond(
    request: HtmxHttpRequest, client: RunsClient, run_id: str, attempt: TriggerAttempt
) -> HttpResponse:
    """Respond to a request for a run that the API does not know.

    Redirects to the run once it is identified. Until then the page shows what is known.

    Args:
        run_id: the unknown ID.
        attempt: the attempt whose response named that ID.

    Raises:
        Http404: the run existed, and was deleted since.
        RunsAPIError: the work order cannot be read.
    """
    if run_id == attempt.provisional_run_id:
        return _go_to_run(request, attempt.run_id)
    if attempt.provisional_run_id or attempt.is_seen:
        raise Http404(f"Run {run_id} does not exist any more.")
    if not attempt.was_sent:
        # Rows of older versions lack the work order's earlier runs, so no run can be attributed.
        return htmx_redirect(request, reverse("work_order_detail", args=[attempt.work_order_id]))
    found = run_search.find_candidates(client, attempt)
    if found.the_run:
        return _link_run(request, attempt, found.the_run)
    attempt.appearance = run_search.appearance(attempt, found)
    context = {"run_id": run_id, "attempt": attempt, "state": attempt.appearance}
    return polling_page(
        request,
        "runs/run_accepted.html",
        context,
        version_of=attempt.appearance,
        client=client,
        pace=SOON if attempt.appearance == Appearance.WAITING else LATE,
    )


def _link_run(request: HtmxHttpRequest, attempt: TriggerAttempt, run: Run) -> HttpResponse:
    """Record the attempt's run, correct its toast and redirect to the run's page."""
    before = attempt.run
    is_linked = transitions.link_run(attempt, RunReference(run.id, run.number))
    if is_linked and attempt.user == request.user:
        toasts.replace(request, before, run)
    return _go_to_run(request, run.id)


def _go_to_run(request: HtmxHttpRequest, run_id: str) -> HttpResponse:
    return htmx_redirect(request, reverse("run_detail", args=[run_id]))
