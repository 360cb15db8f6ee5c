"""Creates runs: at most one per idempotency key, and none beside an active run of a work order."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from workorders.embedded import tasks
from workorders.embedded.api.lookups import no_such_work_order
from workorders.embedded.api.responses import ApiError, conflict, database_unavailable
from workorders.embedded.api.serializers import timestamp
from workorders.embedded.api.validation import BODY, bad_request, fault
from workorders.embedded.models import Run, Status, Worker, WorkOrder
from workorders.embedded.profiles import load_profiles
from workorders.processes.database_outage import DATABASE_ERRORS, outage

KEY_LIFE = dt.timedelta(hours=24)
"""How long an idempotency key stands for its request. Clients repeat a request within minutes, or
the next morning. draft-ietf-httpapi-idempotency-key-header leaves this time to the server."""

END_OF_QUEUE = 7_201_946
"""The number of a PostgreSQL advisory lock: arbitrary, but used by nothing else."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A validated request to trigger a run.

    ``profile_name`` is ``""`` and ``max_iterations`` is None when the request does not override
    them. ``sent`` is the JSON body as it arrived: it is stored, shown and compared with repeated
    requests. ``key`` is the idempotency key, None without one.
    """

    work_order_id: str
    profile_name: str
    max_iterations: int | None
    sent: Mapping[str, Any]
    key: str | None
    triggered_by: str = ""
    """The name of the API key; ``""`` for the server's own key."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the request: equal for requests with the same content."""
        content = json.dumps([self.work_order_id, self.sent], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def trigger_run(trigger: Trigger) -> tuple[Run, bool]:
    """Create a run, or find the run of an earlier request with the same idempotency key.

    Returns the run, and whether an earlier request created it. ``run.answered_position`` is the
    1-based place in the queue at the time of creation, or None when a worker was free.

    Raises:
        ApiError: the request is refused, and it has created no run.
        DATABASE_ERRORS: the database failed at the commit. A run may have been created or not.
    """
    try:
        return _replay_or_create_in_transaction(trigger)
    except IntegrityError:
        # A simultaneous request used the same key for another work order. Its run is visible now.
        return _replay_or_create_in_transaction(trigger)


def _replay_or_create_in_transaction(trigger: Trigger) -> tuple[Run, bool]:
    """``_replay_or_create`` in a transaction.

    A database error before the commit becomes an ``ApiError``, because nothing was changed. An
    error of the commit itself is raised as it is, because its result is unknown.
    """
    is_committing = False
    try:
        with transaction.atomic():
            found = _replay_or_create(trigger)
            is_committing = True  # the commit comes next, and its response may get lost
    except DATABASE_ERRORS as exc:
        if is_committing:
            raise
        outage.note(exc)
        raise database_unavailable(is_certain=True) from exc
    return found


def _replay_or_create(trigger: Trigger) -> tuple[Run, bool]:
    # The lock comes first: a request that waits here for another one with the same key then finds
    # the run of the other request.
    work_order = WorkOrder.objects.select_for_update().filter(pk=trigger.work_order_id).first()
    if trigger.key and (run := _run_of_key(trigger.key)):
        if run.request_hash != trigger.fingerprint:
            raise ApiError(
                422,
                "IDEMPOTENCY_KEY_REUSED",
                "This Idempotency-Key was used before with another request",
            )
        return run, True
    if work_order is None:
        raise no_such_work_order(trigger.work_order_id)
    _refuse_unless_it_may_run(work_order)
    return _create(work_order, trigger), False


def _run_of_key(key: str) -> Run | None:
    """The run that the key stands for; None if there is none.

    A key older than ``KEY_LIFE`` is removed from its run, so that it may be used again.
    """
    run = Run.objects.filter(idempotency_key=key).first()
    if run is None or timezone.now() - run.queued_at < KEY_LIFE:
        return run
    Run.objects.filter(pk=run.pk).update(idempotency_key=None)
    return None


def _create(work_order: WorkOrder, trigger: Trigger) -> Run:
    name = trigger.profile_name or work_order.profile_name
    profile = load_profiles().named(name)
    if profile is None:
        message = f"Unknown profile: {name}"
        raise bad_request(BODY, [fault(("profileName",), "invalid_enum_value", message)])
    _lock_the_end_of_the_queue()
    waiting = Run.objects.queued().count()
    run = Run(
        work_order=work_order,
        number=work_order.run_count + 1,
        queued_at=_behind_all_others(),
        profile_name=profile.name,
        max_iterations=(
            trigger.max_iterations or work_order.max_iterations or profile.max_iterations
        ),
        max_time=work_order.max_time or profile.time_limit,
        overrides=trigger.sent,
        triggered_by=trigger.triggered_by,
        idempotency_key=trigger.key,
        request_hash=trigger.fingerprint if trigger.key else "",
    )
    if waiting + Run.objects.active().count() >= Worker.objects.live().count():
        run.answered_position = waiting + 1
    run.save(force_insert=True)
    work_order.run_count = run.number
    work_order.updated_at = timezone.now()
    work_order.save(update_fields=["run_count", "updated_at"])
    # The run exists whatever becomes of the wake-up task: heartbeats replace a lost one.
    transaction.on_commit(tasks.execute_next_run.enqueue, robust=True)
    return run


def _lock_the_end_of_the_queue() -> None:
    """Let no other transaction append to the queue until this one ends.

    Otherwise two runs could get the same place. SQLite needs no lock, because it allows only one
    writer at a time.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [END_OF_QUEUE])


def _behind_all_others() -> dt.datetime:
    """The ``queued_at`` of a new run, which puts it at the end of the queue.

    This is the current time, or a later time if a host whose clock is ahead has queued a run.
    """
    last = Run.objects.queued().aggregate(Max("queued_at"))["queued_at__max"]
    now = timezone.now()
    return now if last is None else max(now, last + dt.timedelta(microseconds=1))


def _refuse_unless_it_may_run(work_order: WorkOrder) -> None:
    if work_order.status == Status.SUCCEEDED:
        raise ApiError(403, "WORK_ORDER_COMPLETE", "Cannot trigger run for completed work order")
    if work_order.status == Status.CANCELED:
        raise conflict(
            "Cannot start run for work order in status 'canceled'. "
            "Only queued or failed work orders can be run."
        )
    if active := work_order.runs.active().first():
        raise ApiError(
            409,
            "RUN_ALREADY_ACTIVE",
            "Work order already has an active run",
            {
                "runId": active.pk,
                "runNumber": active.number,
                "status": active.status,
                "startedAt": timestamp(active.started_at),
            },
        )
