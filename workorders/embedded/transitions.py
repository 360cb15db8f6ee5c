"""Every change of a run's status after it was triggered.

Each is one short transaction that locks the work order first and then changes
the run with a conditional UPDATE whose row count decides, so that of any number
of workers and requests exactly one wins. The work order's status follows in the
same transaction.
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

    First of those that nobody else is about to take: many workers would wait for each other.
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
    """End the run in this worker's hand; False when it is no longer in its hand.

    May be repeated when its response was lost.
    """
    if _settle(Run.objects.held_by(run.pk, token), run, status, error):
        return True
    ended_so = Run.objects.filter(pk=run.pk, worker_token=token, status=status, error=error)
    return ended_so.exists()


def reap(expired: Iterable[Run], *, wait_for_locks: bool = True) -> int:
    """Fail those of these runs whose leases have still ended; the number of them."""
    return sum(
        _settle(Run.objects.expired(), run, Status.FAILED, WORKER_LOST, nowait=not wait_for_locks)
        for run in expired
    )


def mark_expired(run: Run, *, wait_for_locks: bool) -> bool:
    """Write to an expired run without a change; False when it is not expired any more.

    Raises where nothing can be written, and so its worker cannot renew its lease.
    """
    with transaction.atomic():
        locked = WorkOrder.objects.select_for_update(nowait=not wait_for_locks)
        locked.get(pk=run.work_order_id)
        still = Run.objects.expired().filter(pk=run.pk)
        return still.update(lease_until=F("lease_until")) > 0


def cancel_run(run: Run) -> Status | None:
    """Cancel a queued run at once, ask an active one to stop.

    The status it then has, or None when it had ended before.
    """
    if _settle(Run.objects.queued(), run, Status.CANCELED, ""):
        return Status.CANCELED
    if Run.objects.active().filter(pk=run.pk).update(cancel_requested=True):
        return Status(Run.objects.values_list("status", flat=True).get(pk=run.pk))
    return None


def cancel_work_order(work_order_id: str) -> tuple[WorkOrder, Status, bool]:
    """Cancel for good, with all its runs; (work order, status before, whether a run was active).

    Changes nothing when the status before was succeeded or canceled.
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


def _settle(
    may_change: RunQuerySet, run: Run, status: Status, error: str, *, nowait: bool = False
) -> bool:
    with transaction.atomic():
        locked = WorkOrder.objects.select_for_update(nowait=nowait)
        work_order = locked.get(pk=run.work_order_id)
        now = timezone.now()
        changed = may_change.filter(pk=run.pk).update(
            status=status, completed_at=now, error=error, lease_until=None
        )
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
