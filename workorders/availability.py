"""Whether a work order offers a new run, and why not (F7.2, Button Visibility Logic);
whether a run can be cancelled, and what goes with it.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

from django.conf import settings

from workorders.runs_api.schemas import WORK_ORDER_STATUSES, Run, WorkOrder


class BlockedReason(Enum):
    """What stands in the way of a new run, named by the error code it amounts to."""

    COMPLETE = "WORK_ORDER_COMPLETE"
    CANCELLED = "WORK_ORDER_CANCELLED"
    ACTIVE = "RUN_ALREADY_ACTIVE"
    STATUS_UNKNOWN = "STATUS_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Availability:
    """What the trigger button looks like.

    ``visible`` is false for work orders that are over; ``enabled`` is false while
    a run is at work. ``active_run`` is the run that stands in the way, if any.
    """

    blocked_reason: BlockedReason | None = None
    active_run: Run | None = None

    @property
    def enabled(self) -> bool:
        return self.blocked_reason is None

    @property
    def visible(self) -> bool:
        return self.blocked_reason not in {BlockedReason.COMPLETE, BlockedReason.CANCELLED}


def trigger_availability(work_order: WorkOrder) -> Availability:
    """Apply the specification's rules to a work order and the runs it lists.

    A queued run does not disable the button: the new one goes behind it.
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
    """What the runs API cancels when a run is to be cancelled (``RUNS_API_CANCELS``)."""

    RUN = "run"
    WORK_ORDER = "work-order"
    """Recorded from a real server: its one way is to end the work order for good."""


def cancel_scope(run: Run, work_order: WorkOrder | None) -> CancelScope | None:
    """``None``: the run is over, or the work order to cancel is not known, or cancelled."""
    scope = CancelScope(settings.RUNS_API_CANCELS.lower())
    if run.is_final:
        return None
    is_cancelled = work_order is not None and work_order.status == "cancelled"
    if scope is CancelScope.WORK_ORDER and (is_cancelled or not run.work_order_id):
        return None
    return scope
