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
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from workorders.contract import Run, RunOverrides, RunReference, queue_position_of
from workorders.errors import RULES, NetworkError, RunsAPIError
from workorders.models import TriggerAttempt
from workorders.outcomes import Checking, NotKnown, Queued, Refused, Started, TriggerOutcome
from workorders.runs_client import RunsClient

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
IN_THE_WAY = "RUN_ALREADY_ACTIVE"
"""May be said of the first request's own run: by an API that writes the key down after the run."""

POLL_SECONDS = 0.05
WAIT_SECONDS = 0.5
"""How long a request waits for another one: it holds a thread of the web server meanwhile."""
_places_to_wait = threading.BoundedSemaphore(settings.STARTS_THAT_WAIT)
"""Whoever gets none is told at once that the other one is under way."""
ABANDONED_AFTER_SECONDS = 2
"""How much longer than the time-out of its request a living process may be at it."""
SENT_AGAIN_WITHIN = dt.timedelta(minutes=10)
"""How long after its first request an operator's own repetition is one: far below the life of
a key, after which an API takes it for a new request."""
CLOCKS_APART = dt.timedelta(seconds=60)
"""How far the API's clock may be from ours when a run's time is compared with the request's."""


def look(client: RunsClient, attempt: TriggerAttempt, *, may_send: bool = False) -> TriggerOutcome:
    """What is known of an attempt now.

    Waits half a second for a request that is under way, and as long as two calls to the
    API may take where its answer was lost.

    Args:
        may_send: its operator has just pressed the button, so a run may start by it.
    """
    _wait_for_sender(attempt)
    if attempt.state == State.UNSETTLED:
        _settle(client, attempt, may_send=may_send)
    elif attempt.state == State.UNKNOWN:
        _find_after_all(client, attempt)
    match attempt.state:
        case State.STARTED:
            return started(attempt)
        case State.READY:
            return Refused(_error_of(attempt))
        case State.UNKNOWN:
            return NotKnown(attempt.key)
        case _:
            return Checking(attempt.key)


def queued(client: RunsClient, attempt: TriggerAttempt, error: RunsAPIError) -> Queued:
    """The server is full: it says that a run exists, which it may name (CAPACITY_EXCEEDED)."""
    run, position = RunReference.parse(error.details), queue_position_of(error.details)
    attempt.start("queued", run, position=position, api_request_id=error.request_id)
    try:
        if run is None and (found := search(client, attempt).the_run):
            run = RunReference(found.id, found.number)
            run = run if attempt.find(run) else None
        if position is None:
            position = client.queue_position(attempt.work_order_id)
    except RunsAPIError:
        pass  # the run has been queued all the same
    return Queued(run, position)


def started(attempt: TriggerAttempt) -> Started | Queued:
    """The outcome of an attempt whose row says that a run exists."""
    if attempt.outcome == "queued" or attempt.run is None:
        return Queued(attempt.run, attempt.queue_position)
    return Started(attempt.run, attempt.is_seen)


def _error_of(attempt: TriggerAttempt) -> RunsAPIError:
    """Why an attempt that is ready again has started nothing."""
    if attempt.outcome == NetworkError.code:
        return NetworkError(sent=False)
    # That another start was under way is not true any more.
    is_lasting = attempt.outcome in RULES and attempt.outcome != "TRIGGER_IN_PROGRESS"
    code = attempt.outcome if is_lasting else "NOT_STARTED"
    return RunsAPIError(code=code, request_id=attempt.api_request_id)


def _wait_for_sender(attempt: TriggerAttempt) -> None:
    """Until the process that has claimed the attempt knows more, or is seen to be gone."""
    abandoned_after = settings.RUNS_API_TRIGGER_TIMEOUT + ABANDONED_AFTER_SECONDS
    if attempt.state != State.SENDING or attempt.lose_if_older(
        dt.timedelta(seconds=abandoned_after)
    ):
        return
    if _places_to_wait.acquire(blocking=False):
        try:
            _wait(attempt)
        finally:
            _places_to_wait.release()


def _wait(attempt: TriggerAttempt) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while attempt.state == State.SENDING and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        attempt.refresh_from_db()


def _settle(client: RunsClient, attempt: TriggerAttempt, *, may_send: bool) -> None:
    if not attempt.was_sent:
        attempt.release(RunsAPIError(code="NOT_STARTED"))
        return
    is_late = attempt.lost_for > dt.timedelta(seconds=settings.RUNS_API_SETTLE_SECONDS)
    # Later a run starts only when its operator asks again: nobody else expects it any more.
    sends_again = client.honours_keys and (
        (may_send and attempt.age < SENT_AGAIN_WITHIN) if is_late else True
    )
    try:
        if is_late or not client.honours_keys:
            _find_run(client, attempt)
        if sends_again and attempt.state == State.UNSETTLED:
            _send_again(client, attempt)
    except RunsAPIError:
        pass  # no answer to this either: looked at again, for a while
    if is_late and attempt.state == State.UNSETTLED:
        attempt.give_up()


def _find_after_all(client: RunsClient, attempt: TriggerAttempt) -> None:
    """The search was given up, and its run may have turned up since."""
    try:
        _start_as(attempt, search(client, attempt).the_run)
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
        elif not error.answer_lost and error.code in NO_RUN_HAS_THE_KEY:
            attempt.release(error)
    else:
        attempt.start("started", run, api_request_id=run.request_id)


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
        attempt.doubt(error)


def _find_run(client: RunsClient, attempt: TriggerAttempt) -> None:
    found = search(client, attempt)
    _start_as(attempt, found.the_run)
    if len(found.new) > 1 and not found.may_be_others:
        attempt.give_up()


def _start_as(attempt: TriggerAttempt, run: Run | None) -> None:
    if run:
        attempt.find(RunReference(run.id, run.number))


@dataclass(frozen=True, slots=True)
class Search:
    """The work order's runs that an attempt may have started, and no other one has."""

    new: tuple[Run, ...]
    may_be_others: bool
    """Whether they may be another attempt's, or older than this one."""

    @property
    def the_run(self) -> Run | None:
        """The one that can only be the attempt's: one of several could be anybody's."""
        return self.new[0] if len(self.new) == 1 and not self.may_be_others else None


def search(client: RunsClient, attempt: TriggerAttempt) -> Search:
    """Raises ``RunsAPIError`` when the work order cannot be read.

    In this order: what another attempt has started since the runs were read is not among
    them, and one that gets its answer meanwhile is seen to wait, or to have its run.
    """
    runs = client.get_work_order(attempt.work_order_id).runs
    others_wait = _others_wait(runs, attempt)
    known = set(attempt.known_run_ids or ())
    known |= TriggerAttempt.objects.run_ids(attempt.work_order_id)
    new = tuple(run for run in runs if run.id not in known and _may_be_of(run, attempt))
    # Where nothing is known of what was there before, they may be as old as the work order.
    cannot_tell = attempt.known_run_ids is None or attempt.outcome == IN_THE_WAY
    return Search(new, bool(new) and (cannot_tell or others_wait))


def _others_wait(runs: Sequence[Run], attempt: TriggerAttempt) -> bool:
    """Whether a run that is new here may be another attempt's: one whose answer is not there
    yet, or one of about the same time that was accepted under an ID that is not listed, or of
    which nothing could be found out."""
    if attempt.sent_at is None:
        return False
    others = TriggerAttempt.objects.filter(work_order_id=attempt.work_order_id).exclude(
        pk=attempt.pk
    )
    # A run may be so far from the request of either.
    near = (attempt.sent_at - 2 * CLOCKS_APART, attempt.sent_at + 2 * CLOCKS_APART)
    unlisted = Q(state=State.STARTED, appeared=False) & ~Q(run_id__in=[run.id for run in runs])
    settled = (unlisted | Q(state=State.UNKNOWN)) & Q(sent_at__range=near)
    return others.filter(Q(state__in=TriggerAttempt.OPEN) | settled).exists()


def _may_be_of(run: Run, attempt: TriggerAttempt) -> bool:
    """Whether a run is of about the time of the request, as an attempt may be looked at days
    later, and has its options, as far as the API shows any."""
    wanted = attempt.overrides
    if run.shows_overrides and RunOverrides.parse(run.overrides) != wanted:
        return False
    if run.profile_name and wanted.profile_name not in {"", run.profile_name}:
        return False
    began = run.queued_at or run.started_at
    if began is None:
        return attempt.age < CLOCKS_APART
    return attempt.sent_at is not None and abs(began - attempt.sent_at) < CLOCKS_APART
