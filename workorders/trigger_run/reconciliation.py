"""What became of an attempt whose answer was lost: looked up, never guessed.

Where the API honours ``Idempotency-Key`` the request is sent again with its key:
the answer is the first one's, or the run starts now, once. Elsewhere a run of
the work order that was not there before the request is the one it started.
While an attempt is open no other one of the work order is sent, and none that is
not open any more takes a run, so no run can be taken for another attempt's.
"""

import datetime as dt
import threading
import time
from collections.abc import Iterable
from dataclasses import replace

from django.conf import settings

from workorders.attempts.models import TriggerAttempt
from workorders.error_table import ERROR_TABLE
from workorders.errors import NetworkError, RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.json_values import optional_id
from workorders.runs_api.schemas import (
    Run,
    RunReference,
    TriggeredRun,
    WorkOrder,
    queue_position_of,
)
from workorders.trigger_run import start_proof
from workorders.trigger_run.outcomes import (
    Checking,
    NotKnown,
    Queued,
    Refused,
    Started,
    TriggerOutcome,
)
from workorders.trigger_run.run_search import (
    IN_THE_WAY,
    appearance,
    candidates_in,
    confirm,
    find_candidates,
    link_found,
)

State = TriggerAttempt.State

NO_RUN_HAS_THE_KEY = frozenset(
    {
        "WORK_ORDER_COMPLETE",
        "WORK_ORDER_CANCELLED",
        "VALIDATION_ERROR",
        "BAD_REQUEST",
        "NOT_FOUND",
    }
)
"""Refusals of a request sent again that an API gives only after it has looked for the key.
Any other one (wrong key of ours, too many requests, first request still in progress)
says nothing of the first request."""

POLL_SECONDS = 0.05
WAIT_SECONDS = 0.5
"""How long a request waits for another one: it holds a thread of the web server meanwhile."""
_waiting_starts = threading.BoundedSemaphore(settings.MAX_WAITING_STARTS)
"""Whoever gets none is told at once that the other one is under way."""
ABANDONED_AFTER_SECONDS = 2
"""How much longer than the time-out of its request a living process may be at it."""
SENT_AGAIN_WITHIN = dt.timedelta(minutes=10)
"""How long after its first request an operator's own repetition is one: far below the life of
a key, after which an API takes it for a new request."""


def reconcile(
    client: RunsClient, attempt: TriggerAttempt, *, may_send: bool = False
) -> TriggerOutcome:
    """What is known of an attempt now.

    Waits half a second for a request that is under way, and as long as two calls to the
    API may take where its answer was lost.

    Args:
        may_send: its operator has just pressed the button, so a run may start by it.
    """
    _wait_for_sender(attempt)
    if attempt.state == State.UNCONFIRMED:
        _reconcile_unconfirmed(client, attempt, may_send=may_send)
    elif attempt.state == State.UNRESOLVED:
        _find_after_all(client, attempt)
    match attempt.state:
        case State.STARTED:
            return started(attempt)
        case State.PENDING:
            return Refused(_error_of(attempt))
        case State.UNRESOLVED:
            return NotKnown(attempt.key, names_other_run=attempt.names_other_run)
        case _:
            return Checking(attempt.key, names_other_run=attempt.names_other_run)


def queued(client: RunsClient, attempt: TriggerAttempt, error: RunsAPIError) -> Queued | None:
    """The server is full: it says that a run exists, which it may name (CAPACITY_EXCEEDED).

    ``None``: its answer is about another run, so whether one exists is looked up.
    """
    position = queue_position_of(error.details)
    named = TriggeredRun.parse(error.details)
    if named:
        named = replace(named, request_id=error.request_id)
        if not start_proof.link_named_run(attempt, named, outcome="queued", position=position):
            return None
    elif start_proof.is_about_work_order(attempt, optional_id(error.details, "workOrderId")):
        attempt.start("queued", None, position=position, api_request_id=error.request_id)
    else:
        attempt.note_other_run(error.request_id)
        return None
    try:
        if named is None:
            link_found(attempt, find_candidates(client, attempt).the_run)
        if position is None:
            position = client.queue_position(attempt.work_order_id)
    except RunsAPIError:
        pass  # the run has been queued all the same
    return Queued(attempt.run, position)


def started(attempt: TriggerAttempt) -> Started | Queued:
    """The outcome of an attempt whose row says that a run exists."""
    if attempt.outcome == "queued" or attempt.run is None:
        return Queued(attempt.run, attempt.queue_position)
    return Started(attempt.run, attempt.is_seen)


def link_listed_runs(
    client: RunsClient, work_order: WorkOrder, attempts: Iterable[TriggerAttempt]
) -> None:
    """Link attempts to the runs that a page has just read, so that it shows what is true now.

    Nothing is asked for and nothing sent: where a key can be sent again that is done first,
    as its answer is more certain than a search.
    """
    for attempt in attempts:
        waits_for_answer = client.honours_keys and not _is_late(attempt)
        if not attempt.is_unconfirmed or (
            attempt.state == State.UNCONFIRMED and waits_for_answer and not attempt.names_other_run
        ):
            continue
        own = next((run for run in work_order.runs if run.id == attempt.run_id), None)
        if own:
            confirm(attempt, own, is_of_work_order=True)
            continue
        found = candidates_in(work_order, attempt)
        link_found(attempt, found.the_run)
        attempt.appearance = appearance(attempt, found)


def origin_of(
    client: RunsClient, run: Run, work_order: WorkOrder | None
) -> tuple[TriggerAttempt | None, list[TriggerAttempt]]:
    """The attempt that has started a run which the API shows, as far as is known.

    And those that were answered with its ID, but cannot have started it.
    """
    named = list(TriggerAttempt.objects.naming(run.id))
    is_listed = work_order is not None and any(it.id == run.id for it in work_order.runs)
    mistaken = [
        attempt
        for attempt in named
        if attempt.run_id != run.id
        or not (attempt.appeared or confirm(attempt, run, is_of_work_order=is_listed))
    ]
    own = [
        attempt
        for attempt in named
        if attempt not in mistaken and run.work_order_id in {"", attempt.work_order_id}
    ]
    if not own and work_order:
        unconfirmed = list(TriggerAttempt.objects.unconfirmed(work_order.id))
        link_listed_runs(client, work_order, unconfirmed)
        own = [attempt for attempt in unconfirmed if attempt.started_run(run.id)]
    return (own[0] if own else None), mistaken


def _error_of(attempt: TriggerAttempt) -> RunsAPIError:
    """Why an attempt that is ready again has started nothing."""
    if attempt.outcome == NetworkError.code:
        return NetworkError(sent=False)
    # That another start was under way is not true any more.
    is_lasting = attempt.outcome in ERROR_TABLE and attempt.outcome != "TRIGGER_IN_PROGRESS"
    code = attempt.outcome if is_lasting else "NOT_STARTED"
    return RunsAPIError(code=code, request_id=attempt.api_request_id)


def _wait_for_sender(attempt: TriggerAttempt) -> None:
    """Until the process that has claimed the attempt knows more, or is seen to be gone."""
    abandoned_after = settings.RUNS_API_TRIGGER_TIMEOUT + ABANDONED_AFTER_SECONDS
    if attempt.state != State.SENT or attempt.expire(dt.timedelta(seconds=abandoned_after)):
        return
    if _waiting_starts.acquire(blocking=False):
        try:
            _wait(attempt)
        finally:
            _waiting_starts.release()


def _wait(attempt: TriggerAttempt) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while attempt.state == State.SENT and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        attempt.refresh_from_db()


def _is_late(attempt: TriggerAttempt) -> bool:
    return attempt.lost_for > dt.timedelta(seconds=settings.RUNS_API_SETTLE_SECONDS)


def _reconcile_unconfirmed(client: RunsClient, attempt: TriggerAttempt, *, may_send: bool) -> None:
    if not attempt.was_sent:
        attempt.release(RunsAPIError(code="NOT_STARTED"))
        return
    is_late = _is_late(attempt)
    # Later a run starts only when its operator asks again: nobody else expects it any more.
    sends_again = client.honours_keys and (
        (may_send and attempt.age < SENT_AGAIN_WITHIN) if is_late else True
    )
    try:
        # Accepted, the run may be there; what the key is answered with again may be no better.
        if is_late or not client.honours_keys or attempt.names_other_run:
            _find_run(client, attempt)
        if sends_again and attempt.state == State.UNCONFIRMED:
            _send_again(client, attempt)
    except RunsAPIError:
        pass  # no answer to this either: looked at again, for a while
    if is_late and attempt.state == State.UNCONFIRMED:
        attempt.mark_unresolved()


def _find_after_all(client: RunsClient, attempt: TriggerAttempt) -> None:
    """The search was given up, and its run may have turned up since."""
    try:
        link_found(attempt, find_candidates(client, attempt).the_run)
    except RunsAPIError:
        return


def _send_again(client: RunsClient, attempt: TriggerAttempt) -> None:
    try:
        run = client.trigger_run(
            attempt.work_order_id, attempt.overrides, idempotency_key=str(attempt.key)
        )
    except RunsAPIError as error:
        if error.code == "CAPACITY_EXCEEDED":
            queued(client, attempt, error)
        elif error.code == IN_THE_WAY:
            _release_if_it_was_there(client, attempt, error)
        elif not error.outcome_unknown and error.code in NO_RUN_HAS_THE_KEY:
            attempt.release(error)
    else:
        start_proof.link_named_run(attempt, run)


def _release_if_it_was_there(
    client: RunsClient, attempt: TriggerAttempt, error: RunsAPIError
) -> None:
    """No run has the key if the one that is active, and all others, are older than the request.

    Else it may be the attempt's own or somebody else's: from then on none is taken for its
    own by looking, only by the answer that a later repetition of the key may get.
    """
    known = set(attempt.known_run_ids or ())
    work_order = client.get_work_order(attempt.work_order_id)
    blocking_run = RunReference.parse(error.details) or work_order.active_run
    if blocking_run and known >= {blocking_run.id, *(run.id for run in work_order.runs)}:
        attempt.release(error)
    else:
        attempt.record_inconclusive(error)


def _find_run(client: RunsClient, attempt: TriggerAttempt) -> None:
    found = find_candidates(client, attempt)
    link_found(attempt, found.the_run)
    if len(found.new) > 1 and not found.may_be_others:
        attempt.mark_unresolved()
