"""Whether an answer of the runs API proves that a run was started: decided here alone.

The answer to a trigger, sent for the first time or again, and the details of
CAPACITY_EXCEEDED name a run. Seen at real servers: it is one that the work order had before
(where making the new one takes longer than the server waits for it), or another work order's.
"""

from django.db import IntegrityError

from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.schemas import RunReference, TriggeredRun


def link_named_run(
    attempt: TriggerAttempt,
    named: TriggeredRun,
    *,
    outcome: str = "started",
    position: int | None = None,
) -> bool:
    """Link an attempt to the run that its answer names.

    False: the answer is about another run and proves nothing. The attempt is then accepted at
    most, and its run is looked for.
    """
    if not _is_about_another_run(attempt, named):
        try:
            attempt.start(
                outcome,
                _as_far_as_certain(attempt, named),
                position=position,
                api_request_id=named.request_id,
            )
        except IntegrityError:  # another attempt was answered with the same run just now
            pass
        else:
            return True
    attempt.note_other_run(named.request_id)
    return False


def _is_about_another_run(attempt: TriggerAttempt, named: TriggeredRun) -> bool:
    """Whether the run was there before the first request with this key, is another work order's
    or was started with another key.

    Sent again, a key may rightly name a run that is listed by now: ``known_run_ids`` are those
    from before it was sent at all.
    """
    return (
        not is_about_work_order(attempt, named.work_order_id)
        or named.id in (attempt.known_run_ids or ())
        or attempt.is_named_to_another(named.id)
    )


def is_about_work_order(attempt: TriggerAttempt, work_order_id: str) -> bool:
    """``work_order_id``: as the answer has it; empty where it does not say."""
    return work_order_id in {"", attempt.work_order_id}


def _as_far_as_certain(attempt: TriggerAttempt, named: TriggeredRun) -> RunReference:
    """The run, with its number where all that is known agrees: what it was before, the work
    order and the count. Else it has none until the API has shown the run."""
    is_certain = (
        attempt.known_run_ids is not None
        and named.work_order_id == attempt.work_order_id
        and named.number == attempt.next_run_number
    )
    return RunReference(named.id, named.number if is_certain else None)
