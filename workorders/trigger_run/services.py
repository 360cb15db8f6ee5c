"""Starting a run, exactly once for each opened dialog. No request objects, no HTML.

An attempt (``TriggerAttempt``) is claimed before the request goes out. When the response is lost,
``reconciliation`` finds out whether a run was started.
"""

import uuid

from django.contrib.auth.models import User

from workorders.attempts import transitions
from workorders.attempts.models import WITHDRAWN, TriggerAttempt
from workorders.availability import trigger_availability
from workorders.error_table import Action
from workorders.errors import NetworkError, RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, RunOverrides, TriggeredRun, queue_position_of
from workorders.trigger_run import reconciliation, run_search, start_proof
from workorders.trigger_run.outcomes import (
    Changed,
    Checking,
    Failed,
    Queued,
    Refused,
    Started,
    TriggerOutcome,
    started,
)

LOST_BEHIND_A_GATEWAY = frozenset({502, 504})
"""Statuses of a gateway that has lost the API's response (RFC 9110 15.6.3, 15.6.5)."""


def trigger_run(
    client: RunsClient,
    *,
    user: User,
    work_order_id: str,
    overrides: RunOverrides,
    key: uuid.UUID,
    seen: str = "",
) -> TriggerOutcome:
    """Start a new run of a work order, once for each ``key``.

    Args:
        client: all its calls together take no longer than the operator may have to wait (N7.1).
        key: the idempotency key that was made when the dialog opened. Every retry carries the
            same key.
        seen: the ``WorkOrder.state_token`` that the dialog showed; empty: not checked. When the
            token has changed, nothing is sent and ``Changed`` is returned.

    Returns:
        One of ``outcomes.TriggerOutcome``. Errors of the API become outcomes; none is raised.
    """
    attempt, _ = TriggerAttempt.objects.get_or_create(
        key=key,
        defaults={
            "user": user,
            "work_order_id": work_order_id,
            "max_iterations": overrides.max_iterations,
            "profile_name": overrides.profile_name,
        },
    )
    if attempt.work_order_id != work_order_id or attempt.user_id != user.pk:
        return _key_was_used()
    if attempt.state != TriggerAttempt.State.PENDING:
        return _sent_before(client, attempt, overrides, may_send=True)
    if transitions.claim(attempt, overrides) or _claim_after_others(client, attempt, overrides):
        outcome = _read_and_send(client, attempt, seen)
        # Another request may have taken this attempt over, with other options.
        return outcome if attempt.overrides == overrides else _key_was_used()
    if attempt.outcome == WITHDRAWN:
        return Refused(RunsAPIError(code=WITHDRAWN, status=409))
    if attempt.state == TriggerAttempt.State.PENDING:
        refusal = RunsAPIError(code="TRIGGER_IN_PROGRESS", status=409)
        transitions.reject(attempt, overrides, refusal)
        return Refused(refusal)
    return _sent_before(client, attempt, overrides, may_send=False)  # the same form, twice at once


def _sent_before(
    client: RunsClient, attempt: TriggerAttempt, overrides: RunOverrides, *, may_send: bool
) -> TriggerOutcome:
    if attempt.overrides != overrides:
        return _key_was_used()
    return recheck(client, attempt, may_send=may_send)


def _key_was_used() -> Refused:
    return Refused(RunsAPIError(code="IDEMPOTENCY_KEY_REUSED", status=422))


def recheck(
    client: RunsClient, attempt: TriggerAttempt, *, may_send: bool = False
) -> TriggerOutcome:
    """The outcome of a form that was sent before; reconciled when the outcome is not known yet."""
    outcome = reconciliation.reconcile(client, attempt, may_send=may_send)
    if isinstance(outcome, Refused):
        return _explained(client, attempt.work_order_id, outcome.error, is_past=True)
    return outcome


def _claim_after_others(
    client: RunsClient, attempt: TriggerAttempt, overrides: RunOverrides
) -> bool:
    """Reconcile the work order's attempt in flight, which a crash may have left, then claim."""
    for other in TriggerAttempt.objects.open(attempt.work_order_id).exclude(pk=attempt.pk):
        reconciliation.reconcile(client, other)
    return transitions.claim(attempt, overrides)


def _read_and_send(client: RunsClient, attempt: TriggerAttempt, seen: str) -> TriggerOutcome:
    try:
        work_order = client.get_work_order(attempt.work_order_id)
    except RunsAPIError as error:
        return _not_sent(client, attempt, error)
    availability = trigger_availability(work_order)
    if availability.blocked_reason:
        refusal = RunsAPIError(code=availability.blocked_reason.value, status=409)
        return _not_sent(client, attempt, refusal, availability.active_run)
    if seen and seen != work_order.state_token:
        is_released = transitions.release(attempt, RunsAPIError(code="CHANGED"))
        return Changed(work_order) if is_released else recheck(client, attempt)
    known = [run.id for run in work_order.runs] if work_order.lists_runs else None
    if not transitions.mark_sent(attempt, known, work_order.next_run_number):
        return recheck(client, attempt)
    return _send(client, attempt)


def _send(client: RunsClient, attempt: TriggerAttempt) -> TriggerOutcome:
    try:
        run = client.trigger_run(
            attempt.work_order_id, attempt.overrides, idempotency_key=str(attempt.key)
        )
    except RunsAPIError as error:
        return _after_error(client, attempt, error)
    if not start_proof.link_named_run(attempt, run):
        return reconciliation.reconcile(client, attempt)
    if attempt.state == TriggerAttempt.State.STARTED:
        # The row may know the run by a better ID than the response.
        return started(attempt)
    return Started(run, is_seen=False)


def _not_sent(
    client: RunsClient,
    attempt: TriggerAttempt,
    error: RunsAPIError,
    blocking_run: Run | None = None,
) -> TriggerOutcome:
    if not transitions.release(attempt, error):  # another request has taken the attempt over
        return recheck(client, attempt)
    return Refused(error, blocking_run)


def _after_error(
    client: RunsClient, attempt: TriggerAttempt, error: RunsAPIError
) -> TriggerOutcome:
    if error.code == "CAPACITY_EXCEEDED":
        return _after_queued(client, attempt, error)
    if not error.outcome_unknown:
        if not transitions.release(attempt, error):
            return recheck(client, attempt)  # another request has found out more
        return _explained(client, attempt.work_order_id, error)
    transitions.mark_unconfirmed(attempt, error)
    if isinstance(error, NetworkError) and error.timed_out:
        return Checking(attempt.key)  # the operator has waited long enough
    outcome = reconciliation.reconcile(client, attempt)
    is_own_failure = (
        error.said_by_api
        and error.status not in LOST_BEHIND_A_GATEWAY
        and error.code != "SERVER_BUSY"  # the API may have started the run, and may know later
    )
    if isinstance(outcome, Checking) and is_own_failure and transitions.mark_unresolved(attempt):
        return Failed(error)
    return outcome


def _after_queued(
    client: RunsClient, attempt: TriggerAttempt, error: RunsAPIError
) -> TriggerOutcome:
    """The API is full and says that the run waits in its queue (F7.8)."""
    if not start_proof.link_queued_run(attempt, error):
        return reconciliation.reconcile(client, attempt)
    position = queue_position_of(error.details)
    try:
        if attempt.run is None:
            run_search.search_and_link(client, attempt)
        if position is None:
            position = client.queue_position(attempt.work_order_id)
    except RunsAPIError:
        pass  # the run is queued, though its ID or its position could not be read
    return Queued(attempt.run, position)


def _explained(
    client: RunsClient, work_order_id: str, error: RunsAPIError, *, is_past: bool = False
) -> Refused:
    """Find out the reason of a conflict, and the run that blocks the start.

    Real servers give every conflict the same generic code, so the work order is read.

    Args:
        is_past: whether the refusal is an earlier one. Its reason, such as an active run, may no
            longer hold. The error then becomes NOT_STARTED.
    """
    if (
        error.code != "RUN_ALREADY_ACTIVE"
        and error.handling.action is not Action.RECHECK_WORK_ORDER
    ):
        return Refused(error)
    blocking_run = TriggeredRun.parse(error.details)
    if blocking_run and blocking_run.work_order_id not in {"", work_order_id}:
        blocking_run = None
    if error.code == "RUN_ALREADY_ACTIVE" and blocking_run:
        return Refused(error, blocking_run)
    try:
        work_order = client.get_work_order(work_order_id)
    except RunsAPIError:
        return Refused(error)
    availability = trigger_availability(work_order)
    if is_past and not availability.blocked_reason:
        return Refused(RunsAPIError(code="NOT_STARTED", request_id=error.request_id))
    if error.code == "CONFLICT" and availability.blocked_reason:
        error = RunsAPIError(
            error.message,
            code=availability.blocked_reason.value,
            status=error.status,
            details=error.details,
            request_id=error.request_id,
        )
    waiting_run = next(iter(work_order.queued_runs), None)
    return Refused(error, availability.active_run or waiting_run)
