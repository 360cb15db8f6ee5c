"""Decides whether a work order can start a new run, and whether a run can be cancelled.

The rules for a new run are those of the specification (F7.2, Button Visibility Logic).
"""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from workorders.runs_api.schemas import WORK_ORDER_STATUSES, Run, WorkOrder


class BlockedReason(StrEnum):
    """Why a new run cannot be started. The values are keys of ``ERROR_TABLE``."""

    COMPLETE = "WORK_ORDER_COMPLETE"
    CANCELLED = "WORK_ORDER_CANCELLED"
    ACTIVE = "RUN_ALREADY_ACTIVE"
    STATUS_UNKNOWN = "STATUS_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether the trigger button is shown, and whether the button is enabled."""

    blocked_reason: BlockedReason | None = None
    """``None``: a run can be started."""
    active_run: Run | None = None
    """The run that prevents a new run, if any."""

    @property
    def enabled(self) -> bool:
        """Whether a new run can be started."""
        return self.blocked_reason is None

    @property
    def visible(self) -> bool:
        """Whether the button is shown: not for a completed or cancelled work order."""
        return self.blocked_reason not in {BlockedReason.COMPLETE, BlockedReason.CANCELLED}


def trigger_availability(work_order: WorkOrder) -> Availability:
    """Apply the specification's rules to a work order and its runs.

    A queued run does not disable the button, because the new run is queued behind it.
    """
    if work_order.status == "succeeded":
        return Availability(BlockedReason.COMPLETE)
    if work_order.status == "cancelled":
        return Availability(BlockedReason.CANCELLED)
    if active_run := work_order.active_run:
        return Availability(BlockedReason.ACTIVE, active_run)
    if work_order.status not in WORK_ORDER_STATUSES:
        return Availability(BlockedReason.STATUS_UNKNOWN)
    return Availability()


class CancelScope(StrEnum):
    """What the runs API can cancel when an operator cancels a run (``RUNS_API_CANCELS``)."""

    RUN = "run"
    WORK_ORDER = "work-order"
    """Some servers can only cancel the work order, for good (recorded from a real server)."""


def cancel_scope(run: Run, work_order: WorkOrder | None) -> CancelScope | None:
    """Return what cancelling the run would cancel, or ``None`` if it cannot be cancelled.

    A run that is over cannot be cancelled. Where the API only cancels work orders, the run must
    name its work order, and the work order must not be cancelled already.

    Args:
        run: the run that an operator wants to cancel.
        work_order: the run's work order; ``None`` if it could not be read.
    """
    scope = CancelScope(settings.RUNS_API_CANCELS.lower())
    if run.is_final:
        return None
    is_cancelled = work_order is not None and work_order.status == "cancelled"
    if scope is CancelScope.WORK_ORDER and (is_cancelled or not run.work_order_id):
        return None
    return scope
