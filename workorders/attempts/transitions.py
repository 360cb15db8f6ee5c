"""Every change of an attempt's state.

Each transition is one conditional UPDATE: of all processes that carry the same key, exactly one
moves the row. ``sent_at`` is the optimistic lock: every claim and every send changes ``sent_at``,
so a stale process updates no row. ``confirm_run`` and ``take_from_others`` check the run instead. A
function that returns ``bool`` says whether it has moved the row, and reloads the attempt in any
case. docs/architecture.md shows the states.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, Q, Value, When
from django.utils import timezone

from workorders.attempts.models import OTHER_RUN_NAMED, WITHDRAWN, TriggerAttempt
from workorders.errors import RunsAPIError
from workorders.observability import request_id
from workorders.observability.metrics import attempt_moved
from workorders.runs_api.schemas import RunOverrides, RunReference

State = TriggerAttempt.State
RunSource = TriggerAttempt.RunSource

MAY_BE_CLAIMED = Q(state=State.PENDING) & ~Q(outcome=WITHDRAWN)
IN_FLIGHT = Q(state__in=TriggerAttempt.OPEN)


def claim(attempt: TriggerAttempt, overrides: RunOverrides) -> bool:
    """PENDING → SENT, before the request goes out.

    Returns False when another process has claimed this attempt, or when another attempt of
    the work order is in flight.
    """
    try:
        return _submit(
            attempt,
            State.SENT,
            overrides,
            sent_at=timezone.now(),
            lost_at=None,
            was_sent=False,
            known_run_ids=None,
            next_run_number=None,
            outcome="",
        )
    except IntegrityError:  # another attempt of this work order is open
        return False


def reject(attempt: TriggerAttempt, overrides: RunOverrides, error: RunsAPIError) -> bool:
    """Record a refusal that came before any claim. The attempt stays PENDING."""
    return _submit(attempt, State.PENDING, overrides, sent_at=None, outcome=error.code)


def _submit(
    attempt: TriggerAttempt, after: State, overrides: RunOverrides, **values: object
) -> bool:
    """Write a new submission into the row, and the one before into a row of its own, at once."""
    earlier = attempt.as_earlier() if attempt.outcome else None
    with transaction.atomic():
        moved = _move(
            attempt,
            MAY_BE_CLAIMED,
            after,
            max_iterations=overrides.max_iterations,
            profile_name=overrides.profile_name,
            settled_at=None,
            api_request_id="",
            request_id=request_id.current(),
            was_resent=attempt.was_resent or earlier is not None,
            **values,
        )
        if moved and earlier:
            earlier.save_newest()
    return moved


def mark_sent(
    attempt: TriggerAttempt, known_run_ids: Iterable[str] | None, next_run_number: int | None
) -> bool:
    """Record that the API may receive the request from now on.

    Returns False when another process has taken this attempt over since the claim.

    Args:
        known_run_ids: of the work order's runs; ``None``: the API did not list them.
        next_run_number: the number that the next run gets; ``None``: not certain.
    """
    return _move(
        attempt,
        Q(state=State.SENT),
        State.SENT,
        sent_at=timezone.now(),
        was_sent=True,
        known_run_ids=None if known_run_ids is None else list(known_run_ids),
        next_run_number=next_run_number,
    )


def release(attempt: TriggerAttempt, error: RunsAPIError) -> bool:
    """SENT or UNCONFIRMED → PENDING: no run was started, and the key may be sent again."""
    return _move(
        attempt,
        IN_FLIGHT,
        State.PENDING,
        settled_at=timezone.now(),
        outcome=error.code,
        api_request_id=error.request_id,
    )


def mark_unconfirmed(attempt: TriggerAttempt, error: RunsAPIError) -> bool:
    """SENT → UNCONFIRMED: no response has arrived, or one that proves nothing."""
    return _move(
        attempt,
        Q(state=State.SENT),
        State.UNCONFIRMED,
        lost_at=timezone.now(),
        outcome=error.code,
        api_request_id=error.request_id,
    )


def record_inconclusive(attempt: TriggerAttempt, error: RunsAPIError) -> bool:
    """Record that the response to the repeated request has proved nothing either."""
    return _move(
        attempt,
        Q(state=State.UNCONFIRMED),
        State.UNCONFIRMED,
        outcome=error.code,
        api_request_id=error.request_id,
    )


def note_other_run(attempt: TriggerAttempt, api_request_id: str) -> bool:
    """Record that the API accepted the request with a response about another run.

    The outcome RUN_ALREADY_ACTIVE is kept: it forbids attributing a run by search.
    """
    error = RunsAPIError(code=OTHER_RUN_NAMED, request_id=api_request_id)
    if attempt.state == State.SENT:
        return mark_unconfirmed(attempt, error)
    return attempt.outcome != "RUN_ALREADY_ACTIVE" and record_inconclusive(attempt, error)


def expire(attempt: TriggerAttempt, age: dt.timedelta) -> bool:
    """SENT → UNCONFIRMED once no response can arrive any more: the sending process is gone."""
    return attempt.age >= age and _move(
        attempt,
        Q(state=State.SENT),
        State.UNCONFIRMED,
        lost_at=attempt.sent_at and attempt.sent_at + age,
        outcome="ABANDONED",
    )


def start(
    attempt: TriggerAttempt,
    outcome: str,
    run: RunReference | None,
    *,
    position: int | None = None,
    api_request_id: str = "",
) -> bool:
    """Move to STARTED: the API's response says that a run exists.

    A response outranks a search: see ``take_from_others``. A numbered run in a response also
    replaces the run that a search has linked to this attempt. An ID without a number does not,
    because such an ID may be the ID of no run. ``workorders.trigger_run.start_proof`` decides
    beforehand whether the run belongs to this attempt.

    Args:
        outcome: "started" or "queued".
        run: ``None`` when the response names no run.
        position: the run's place in the queue, from 1; ``None``: not given.

    Raises:
        IntegrityError: a response has named this run for another attempt before.
    """
    may_move = IN_FLIGHT | Q(state__in=(State.UNRESOLVED, State.PENDING))
    if run and run.number:
        may_move |= Q(state=State.STARTED, run_source=RunSource.RECONCILED)
    with transaction.atomic():
        if run:
            take_from_others(attempt, run.id)
        return _move(
            attempt,
            may_move,
            State.STARTED,
            settled_at=timezone.now(),
            outcome=outcome,
            run_id=run.id if run else "",
            run_source=RunSource.RESPONSE if run else "",
            run_confirmed_at=None,
            run_number=run.number if run else None,
            queue_position=position,
            api_request_id=api_request_id or attempt.api_request_id,
        )


def take_from_others(attempt: TriggerAttempt, run_id: str) -> int:
    """Take the run from the attempts of the work order to which a search has linked the run.

    Each of them gets back what its own response had said: the run that the response named, or
    that a run waits in the queue. An attempt whose response had said neither becomes UNRESOLVED.

    Returns:
        How many attempts have lost the run.
    """
    others = TriggerAttempt.objects.others_of(attempt, run_id)
    had_no_name = Q(provisional_run_id="")
    return others.filter(run_source=RunSource.RECONCILED).update(
        state=Case(
            When(had_no_name, outcome="started", then=Value(State.UNRESOLVED)),
            default=Value(State.STARTED),
        ),
        run_id=F("provisional_run_id"),
        run_source=Case(When(had_no_name, then=Value("")), default=Value(RunSource.RESPONSE)),
        run_confirmed_at=None,
        run_number=None,
        provisional_run_id="",
    )


def link_run(attempt: TriggerAttempt, run: RunReference) -> bool:
    """Link a run that a search has attributed to this attempt, and move to STARTED.

    The response was lost, named no run, or named the run by another ID. Returns False when
    another attempt has this run.
    """
    is_free = Q(~Exists(TriggerAttempt.objects.others_of(attempt, run.id)))
    if attempt.state == State.STARTED:
        may_move = _unconfirmed_start(attempt)
        result = {"outcome": attempt.outcome, "settled_at": attempt.settled_at}
    else:
        may_move = IN_FLIGHT | Q(state=State.UNRESOLVED)
        result = {"outcome": "started", "settled_at": timezone.now()}
    try:
        with transaction.atomic():
            return _move(
                attempt,
                may_move & is_free,
                State.STARTED,
                run_id=run.id,
                run_source=RunSource.RECONCILED,
                run_confirmed_at=timezone.now(),
                run_number=run.number,
                provisional_run_id=attempt.run_id or attempt.provisional_run_id,
                **result,
            )
    except IntegrityError:  # another request has just linked this run to another attempt
        return False


def confirm_run(attempt: TriggerAttempt, run_number: int | None) -> None:
    """Record that the API shows the run by the ID of the response, and the run's number."""
    now, number = timezone.now(), run_number or attempt.run_number
    row = TriggerAttempt.objects.filter(pk=attempt.pk, run_id=attempt.run_id, run_confirmed_at=None)
    if row.update(run_confirmed_at=now, run_number=number):
        attempt.run_confirmed_at, attempt.run_number = now, number


def disown(attempt: TriggerAttempt) -> bool:
    """STARTED → UNRESOLVED: the run that the response named is not the run of this attempt."""
    return _move(
        attempt,
        _unconfirmed_start(attempt),
        State.UNRESOLVED,
        outcome=OTHER_RUN_NAMED,
        provisional_run_id=attempt.run_id,
        run_id="",
        run_source="",
        run_number=None,
        queue_position=None,
    )


def mark_unresolved(attempt: TriggerAttempt) -> bool:
    """SENT or UNCONFIRMED → UNRESOLVED: reconciliation has found no certain outcome."""
    return _move(attempt, IN_FLIGHT, State.UNRESOLVED, settled_at=timezone.now())


def _unconfirmed_start(attempt: TriggerAttempt) -> Q:
    return Q(state=State.STARTED, run_id=attempt.run_id, run_confirmed_at=None)


def _move(attempt: TriggerAttempt, may_move: Q, after: State, **values: object) -> bool:
    """Move to ``after`` if the row fulfils ``may_move`` and nobody has claimed or sent since.

    Returns whether the row was updated. The attempt is reloaded in any case.
    """
    row = TriggerAttempt.objects.filter(may_move, pk=attempt.pk, sent_at=attempt.sent_at)
    before = attempt.state
    moved = row.update(state=after, **attempt.cut_to_columns(values)) > 0
    if moved and after != before:
        attempt_moved(after, str(values.get("outcome", "")))
    attempt.refresh_from_db()
    return moved
