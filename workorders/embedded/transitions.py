"""Every change of a run's status after the run was triggered.

Each transition is one short transaction. It locks the work order first and then changes the run
with a conditional UPDATE. The number of updated rows decides: of any number of competing workers
and requests exactly one wins. The work order's status is derived in the same transaction.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from workorders.embedded.models import (
    Iteration,
    Run,
    RunQuerySet,
    Status,
    WorkOrder,
    lease,
)

WORKER_LOST = (
    "The worker was not heard of any more while this run was in progress: it was ended, or lost "
    "its connection to the database. Trigger a new run to try again."
)


def claim_next(token: str) -> Run | None:
    """Take the oldest run that may start, for the worker with this token; None if there is none.

    SKIP LOCKED is tried first, so that many workers do not wait for each other on one row.
    """
    return _claim_next(token, skip_locked=True) or _claim_next(token, skip_locked=False)


def _claim_next(token: str, *, skip_locked: bool) -> Run | None:
    while Run.objects.eligible().exists():
        with transaction.atomic():
            waiting = Run.objects.eligible().select_related("work_order")
            run = waiting.select_for_update(skip_locked=skip_locked, of=("work_order",)).first()
            if run is None:
                return None
            claimed = (
                Run.objects.eligible()
                .filter(pk=run.pk)
                .update(
                    status=Status.BUILDING,
                    started_at=timezone.now(),
                    worker_token=token,
                    lease_until=Now() + lease(),
                )
            )
            if claimed:
                run.work_order.derive_status()
                return Run.objects.select_related("work_order").get(pk=run.pk)
    return None


def finish(run: Run, token: str, status: Status, error: str = "") -> bool:
    """End the run that the worker with this token executes, with a final status.

    Returns False when the run no longer belongs to this worker. The call may be repeated after
    the response of the database was lost: it returns True again.
    """
    if _end_run(Run.objects.held_by(run.pk, token), run, status, error):
        return True
    ended_so = Run.objects.filter(pk=run.pk, worker_token=token, status=status, error=error)
    return ended_so.exists()


def reap(expired: Iterable[Run], *, wait_for_locks: bool = True) -> int:
    """Fail those of the runs whose lease is still expired; the number of failed runs."""
    return sum(
        _end_run(Run.objects.expired(), run, Status.FAILED, WORKER_LOST, nowait=not wait_for_locks)
        for run in expired
    )


def touch_expired(run: Run, *, wait_for_locks: bool) -> bool:
    """Write to the row of an expired run without changing it; False if it is no longer expired.

    The write raises ``DATABASE_ERRORS`` while the database accepts no writes. In that case the
    run's worker cannot renew its lease either, and may well be alive.
    """
    with transaction.atomic():
        locked = WorkOrder.objects.select_for_update(nowait=not wait_for_locks)
        locked.get(pk=run.work_order_id)
        still = Run.objects.expired().filter(pk=run.pk)
        return still.update(lease_until=F("lease_until")) > 0


def cancel_run(run: Run) -> Status | None:
    """Cancel a queued run at once, or ask an active run to stop.

    Returns the status of the run after the call, or None when the run had already ended.
    """
    if _end_run(Run.objects.queued(), run, Status.CANCELED, ""):
        return Status.CANCELED
    if Run.objects.active().filter(pk=run.pk).update(cancel_requested=True):
        return Status(Run.objects.values_list("status", flat=True).get(pk=run.pk))
    return None


def cancel_work_order(work_order_id: str) -> tuple[WorkOrder, Status, bool]:
    """Cancel a work order for good: cancel its queued runs and ask its active run to stop.

    Returns the work order, its status before the call, and whether a run was active. Nothing is
    changed when the status before was ``succeeded`` or ``canceled``.

    Raises:
        WorkOrder.DoesNotExist: no work order has this ID.
    """
    with transaction.atomic():
        work_order = WorkOrder.objects.select_for_update().get(pk=work_order_id)
        before = Status(work_order.status)
        if before in {Status.SUCCEEDED, Status.CANCELED}:
            return work_order, before, False
        was_running = work_order.runs.active().update(cancel_requested=True) > 0
        _cancel_queued(work_order)
        work_order.status = Status.CANCELED
        work_order.derive_status()
        return work_order, before, was_running


def _end_run(
    may_change: RunQuerySet, run: Run, status: Status, error: str, *, nowait: bool = False
) -> bool:
    with transaction.atomic():
        locked = WorkOrder.objects.select_for_update(nowait=nowait)
        work_order = locked.get(pk=run.work_order_id)
        now = timezone.now()
        changed = may_change.filter(pk=run.pk).update(status=status, completed_at=now, error=error)
        if not changed:
            return False
        Iteration.objects.filter(run=run, status=Iteration.Status.RUNNING).update(
            status=Iteration.Status.FAILED, completed_at=now
        )
        if status == Status.SUCCEEDED:
            # A work order that has succeeded starts no further runs.
            _cancel_queued(work_order, f"Not started: Run #{run.number} had already succeeded.")
        work_order.derive_status()
        return True


def _cancel_queued(work_order: WorkOrder, error: str = "") -> None:
    work_order.runs.queued().update(
        status=Status.CANCELED, completed_at=timezone.now(), error=error
    )
