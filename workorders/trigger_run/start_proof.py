"""Whether a response of the runs API proves that a run was started. Only this module decides.

A response to a trigger request and the details of CAPACITY_EXCEEDED name a run. Real servers have
named a run that existed before (when creating the new run took longer than the server waits), or
a run of another work order.
"""

from dataclasses import replace

from django.db import IntegrityError

from workorders.attempts import transitions
from workorders.attempts.models import TriggerAttempt
from workorders.errors import RunsAPIError
from workorders.runs_api.json_values import optional_id
from workorders.runs_api.schemas import RunReference, TriggeredRun, queue_position_of


def link_named_run(
    attempt: TriggerAttempt,
    named: TriggeredRun,
    *,
    outcome: str = "started",
    position: int | None = None,
) -> bool:
    """Link an attempt to the run that the response names.

    Returns False when the response is about another run and proves nothing. Reconciliation must
    then find out whether a run was started.

    Args:
        outcome: "started" or "queued".
        position: the run's place in the queue, from 1; ``None``: not given.
    """
    if not _is_about_another_run(attempt, named):
        try:
            transitions.start(
                attempt,
                outcome,
                _as_far_as_certain(attempt, named),
                position=position,
                api_request_id=named.request_id,
            )
        except IntegrityError:  # another response has just named the same run
            pass
        else:
            return True
    transitions.note_other_run(attempt, named.request_id)
    return False


def link_queued_run(attempt: TriggerAttempt, error: RunsAPIError) -> bool:
    """Record that the API has queued a run because it is full (CAPACITY_EXCEEDED).

    The details of the error may name the run and its place in the queue. Returns False when they
    are about another run: reconciliation must then find out whether a run exists.
    """
    position = queue_position_of(error.details)
    if named := TriggeredRun.parse(error.details):
        named = replace(named, request_id=error.request_id)
        return link_named_run(attempt, named, outcome="queued", position=position)
    if not _is_about_work_order(attempt, optional_id(error.details, "workOrderId")):
        transitions.note_other_run(attempt, error.request_id)
        return False
    transitions.start(attempt, "queued", None, position=position, api_request_id=error.request_id)
    return True


def _is_about_another_run(attempt: TriggerAttempt, named: TriggeredRun) -> bool:
    """Whether the run existed before the first request, or belongs to another work order or key.

    The response to a repeated request may rightly name a run that is listed by now:
    ``known_run_ids`` are the runs from before the first request.
    """
    return (
        not _is_about_work_order(attempt, named.work_order_id)
        or named.id in (attempt.known_run_ids or ())
        or TriggerAttempt.objects.named_by_response(named.id).exclude(pk=attempt.pk).exists()
    )


def _is_about_work_order(attempt: TriggerAttempt, work_order_id: str) -> bool:
    """Whether a response belongs to the attempt's work order.

    ``work_order_id`` is the ID in the response; empty when the response gives none.
    """
    return work_order_id in {"", attempt.work_order_id}


def _as_far_as_certain(attempt: TriggerAttempt, named: TriggeredRun) -> RunReference:
    """The run, with its number only when the number is certain.

    The number is certain when the earlier runs were known, the response names the work order and
    the number is the expected one. Otherwise the run gets its number once the API shows the run.
    """
    is_certain = (
        attempt.known_run_ids is not None
        and named.work_order_id == attempt.work_order_id
        and named.number == attempt.next_run_number
    )
    return RunReference(named.id, named.number if is_certain else None)
