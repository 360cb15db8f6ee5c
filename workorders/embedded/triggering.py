"""Triggering a run: at most once per idempotency key, never beside an active one."""

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
from workorders.embedded.api.serializers import moment
from workorders.embedded.api.validation import BODY, bad_request, fault
from workorders.embedded.models import Run, Status, Worker, WorkOrder
from workorders.embedded.profiles import load_profiles
from workorders.processes.database_outage import DATABASE_ERRORS, outage

KEY_LIFE = dt.timedelta(hours=24)
"""How long a key stands for its request. Whoever sends one again does so within minutes, or
the next morning; draft-ietf-httpapi-idempotency-key-header leaves the time to the server."""

END_OF_QUEUE = 7_201_946
"""The number of an advisory lock of PostgreSQL; any that nobody else in the database uses."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What was asked for. ``sent`` is the body as it came: kept, shown, compared."""

    work_order_id: str
    profile_name: str
    max_iterations: int | None
    sent: Mapping[str, Any]
    key: str | None
    triggered_by: str = ""
    """The name of the API key."""

    @property
    def fingerprint(self) -> str:
        content = json.dumps([self.work_order_id, self.sent], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def trigger_run(trigger: Trigger) -> tuple[Run, bool]:
    """The new run, or with a key used before its run of then; and whether it is that one.

    ``run.answered_position`` is its place in the queue when no worker was free.
    Raises ``ApiError``, and ``DATABASE_ERRORS`` where nobody knows whether there is a run.
    """
    try:
        return _replay_or_create_whole(trigger)
    except IntegrityError:
        # The same key was used at the same moment for another work order: now it is known.
        return _replay_or_create_whole(trigger)


def _replay_or_create_whole(trigger: Trigger) -> tuple[Run, bool]:
    was_sent = False
    try:
        with transaction.atomic():
            found = _replay_or_create(trigger)
            was_sent = True  # to commit comes next, and its response may get lost
    except DATABASE_ERRORS as exc:
        if was_sent:
            raise
        outage.note(exc)
        raise database_unavailable(is_certain=True) from exc
    return found


def _replay_or_create(trigger: Trigger) -> tuple[Run, bool]:
    # Locked first: whoever waits here for a request with the same key then finds its run.
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
    """The run that the key stands for. An expired key is taken from its run, which stays."""
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
    # The run exists whatever becomes of the call: a lost one is made up for.
    transaction.on_commit(tasks.execute_next_run.enqueue, robust=True)
    return run


def _lock_the_end_of_the_queue() -> None:
    """Until this transaction ends nobody else gets in line, so that no two get the same place.

    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [END_OF_QUEUE])


def _behind_all_others() -> dt.datetime:
    """Now; later where another host's clock, which is ahead, has put a run into the queue."""
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
                "startedAt": moment(active.started_at),
            },
        )
