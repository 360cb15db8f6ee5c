"""Reconciliation: finding out what became of an attempt whose response was lost.

When the API honours ``Idempotency-Key`` the request is sent again with the same key. The API then
repeats its first response, or starts the run now, once. Otherwise the work order's runs are read:
a run that did not exist before the request is the run of the attempt. At most one attempt per work
order is in flight, so a new run can be attributed unambiguously.
"""

import datetime as dt
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from django.conf import settings

from workorders.attempts import transitions
from workorders.attempts.models import TriggerAttempt
from workorders.error_table import ERROR_TABLE
from workorders.errors import NetworkError, RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, RunReference, WorkOrder
from workorders.trigger_run import start_proof
from workorders.trigger_run.outcomes import (
    Checking,
    NotKnown,
    Refused,
    TriggerOutcome,
    started,
)
from workorders.trigger_run.run_search import (
    IN_THE_WAY,
    appearance,
    candidates_in,
    confirm,
    link_found,
    search_and_link,
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
"""Refusals that prove that the first request has started no run: before an API refuses a repeated
request with one of these codes, it has looked for the request's key and found no run. Any other
refusal (wrong API key, too many requests, first request still in progress) says nothing
about the first request."""

POLL_SECONDS = 0.05
WAIT_SECONDS = 0.5
"""How long a request waits for the process that is sending: the wait occupies a server thread."""
_waiting_starts = threading.BoundedSemaphore(settings.MAX_WAITING_STARTS)
"""Limits the threads that wait. A request without a place reports at once that the start is
under way."""
ABANDONED_AFTER_SECONDS = 2
"""How long after the time-out of its request a sending process counts as alive."""
SENT_AGAIN_WITHIN = dt.timedelta(minutes=10)
"""How long after the first request the operator may send the key again. APIs forget keys after a
much longer time, and would then take the repetition for a new request."""


def reconcile(
    client: RunsClient, attempt: TriggerAttempt, *, may_send: bool = False
) -> TriggerOutcome:
    """Find out the outcome of an attempt, and update its row.

    Waits up to half a second while another process is sending, and for up to two calls to the API
    when the response was lost.

    Args:
        may_send: whether the operator has just pressed the button, so that the request may be
            sent again even late, and may start a run.

    Returns:
        ``Started`` or ``Queued``, ``Refused``, ``Checking`` or ``NotKnown``.
    """
    _wait_for_sender(attempt)
    if attempt.state == State.UNCONFIRMED:
        _reconcile_unconfirmed(client, attempt, may_send=may_send)
    elif attempt.state == State.UNRESOLVED:
        with suppress(RunsAPIError):
            search_and_link(client, attempt)
    match attempt.state:
        case State.STARTED:
            return started(attempt)
        case State.PENDING:
            return Refused(_error_of(attempt))
        case State.UNRESOLVED:
            return NotKnown(attempt.key, names_other_run=attempt.names_other_run)
        case _:
            return Checking(attempt.key, names_other_run=attempt.names_other_run)


def link_listed_runs(
    client: RunsClient, work_order: WorkOrder, attempts: Iterable[TriggerAttempt]
) -> None:
    """Link attempts to the runs that a page has just read, so that the page shows the outcome.

    This function calls no API. When the API honours keys, an attempt that can still be sent again
    is skipped: the response to its key is more certain than a search.
    """
    for attempt in attempts:
        can_send_again = client.honours_keys and not _is_late(attempt)
        if not attempt.is_unconfirmed or (
            attempt.state == State.UNCONFIRMED and can_send_again and not attempt.names_other_run
        ):
            continue
        own = work_order.find_run(attempt.run_id)
        if own:
            confirm(attempt, own, is_of_work_order=True)
            continue
        found = candidates_in(work_order, attempt)
        link_found(attempt, found.the_run)
        attempt.appearance = appearance(attempt, found)


def origin_of(
    client: RunsClient, run: Run, work_order: WorkOrder | None
) -> tuple[TriggerAttempt | None, list[TriggerAttempt]]:
    """The attempt that has started this run, and the attempts that were mistaken for it.

    The first item is ``None`` when the run was started elsewhere, or nothing is known. The second
    item lists attempts whose response named this run, but which cannot have started the run.
    """
    named = list(TriggerAttempt.objects.naming(run.id))
    is_listed = work_order is not None and work_order.find_run(run.id) is not None
    mistaken = [
        attempt
        for attempt in named
        if attempt.run_id != run.id
        or not (attempt.run_confirmed_at or confirm(attempt, run, is_of_work_order=is_listed))
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
    """Why an attempt that is PENDING again has started no run."""
    if attempt.outcome == NetworkError.code:
        return NetworkError(sent=False)
    # TRIGGER_IN_PROGRESS was true at that time only.
    is_lasting = attempt.outcome in ERROR_TABLE and attempt.outcome != "TRIGGER_IN_PROGRESS"
    code = attempt.outcome if is_lasting else "NOT_STARTED"
    return RunsAPIError(code=code, request_id=attempt.api_request_id)


def _wait_for_sender(attempt: TriggerAttempt) -> None:
    """Wait while another process sends the attempt; expire the attempt if that process is gone."""
    abandoned_after = settings.RUNS_API_TRIGGER_TIMEOUT + ABANDONED_AFTER_SECONDS
    if attempt.state != State.SENT or transitions.expire(
        attempt, dt.timedelta(seconds=abandoned_after)
    ):
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
        transitions.release(attempt, RunsAPIError(code="NOT_STARTED"))
        return
    is_late = _is_late(attempt)
    # After the time for reconciliation only the operator may start a run by sending again:
    # nobody else still expects a run.
    sends_again = client.honours_keys and (
        (may_send and attempt.age < SENT_AGAIN_WITHIN) if is_late else True
    )
    try:
        # An accepted attempt may have a run in the list; the repeated response may be wrong again.
        if is_late or not client.honours_keys or attempt.names_other_run:
            _find_run(client, attempt)
        if sends_again and attempt.state == State.UNCONFIRMED:
            _send_again(client, attempt)
    except RunsAPIError:
        pass  # the attempt stays UNCONFIRMED and is reconciled again later
    if is_late and attempt.state == State.UNCONFIRMED:
        transitions.mark_unresolved(attempt)


def _send_again(client: RunsClient, attempt: TriggerAttempt) -> None:
    try:
        run = client.trigger_run(
            attempt.work_order_id, attempt.overrides, idempotency_key=str(attempt.key)
        )
    except RunsAPIError as error:
        if error.code == "CAPACITY_EXCEEDED":
            if start_proof.link_queued_run(attempt, error) and attempt.run is None:
                search_and_link(client, attempt)
        elif error.code == IN_THE_WAY:
            _release_if_no_run_is_new(client, attempt, error)
        elif not error.outcome_unknown and error.code in NO_RUN_HAS_THE_KEY:
            transitions.release(attempt, error)
    else:
        start_proof.link_named_run(attempt, run)


def _release_if_no_run_is_new(
    client: RunsClient, attempt: TriggerAttempt, error: RunsAPIError
) -> None:
    """The API says that a run is active: release the attempt if no run can belong to the attempt.

    That is certain when the active run and all other runs are older than the request. Otherwise
    the active run may belong to the attempt or to somebody else. From then on no search attributes
    a run to the attempt; only the response to a later repetition of the key does.
    """
    known = set(attempt.known_run_ids or ())
    work_order = client.get_work_order(attempt.work_order_id)
    blocking_run = RunReference.parse(error.details) or work_order.active_run
    if blocking_run and known >= {blocking_run.id, *(run.id for run in work_order.runs)}:
        transitions.release(attempt, error)
    else:
        transitions.record_inconclusive(attempt, error)


def _find_run(client: RunsClient, attempt: TriggerAttempt) -> None:
    found = search_and_link(client, attempt)
    if len(found.new) > 1 and not found.may_be_others:
        transitions.mark_unresolved(attempt)
