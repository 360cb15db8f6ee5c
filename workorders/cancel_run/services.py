"""Cancelling a run, or its work order where the runs API cannot cancel a single run.

Cancelling twice has the same effect as cancelling once. Whatever the API's response is, and even
without any, the run is therefore read again afterwards, and its status decides the outcome.
"""

from workorders.availability import CancelScope
from workorders.cancel_run.loaders import CancelDialog, load_cancel_dialog
from workorders.cancel_run.outcomes import (
    AlreadyOver,
    BeingCancelled,
    Cancelled,
    CancelOutcome,
    NotCancelled,
    WorkOrderBeingCancelled,
    WorkOrderCancelled,
)
from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, WorkOrder


def cancel_run(client: RunsClient, *, run: Run, scope: CancelScope) -> CancelOutcome:
    """Cancel the run, or its work order, depending on ``scope``.

    Args:
        run: the run as the operator has seen it.

    Returns:
        One of ``outcomes.CancelOutcome``. Errors of the API become outcomes; none is raised.
    """
    before, error = run, None
    try:
        if scope is CancelScope.RUN:
            client.cancel_run(before.id)
        else:
            client.cancel_work_order(before.work_order_id)
    except RunsAPIError as exc:
        error = exc
    now = _read_again(client, before)
    if scope is CancelScope.RUN:
        return _run_outcome(before, now, error)
    return _work_order_outcome(before, now, error)


def _run_outcome(
    before: Run, now: CancelDialog | None, error: RunsAPIError | None
) -> CancelOutcome:
    run = now.run if now else None
    if run and run.is_final:
        return Cancelled(run) if _is_cancelled(run) else AlreadyOver(run)
    if error:
        return NotCancelled(error, run)
    return BeingCancelled(run or before)


def _work_order_outcome(
    before: Run, now: CancelDialog | None, error: RunsAPIError | None
) -> CancelOutcome:
    """The work order's status decides, not its run's: the run of a cancelled work order may
    continue to its end."""
    run, work_order = (now.run, now.work_order) if now else (None, None)
    if run and _is_cancelled(work_order):
        return WorkOrderCancelled(before.work_order_id, run)
    if work_order is None and error is None:
        return WorkOrderBeingCancelled(before.work_order_id, run)
    if run and run.is_final:
        return AlreadyOver(run)
    if error:
        return NotCancelled(error, run)
    return WorkOrderBeingCancelled(before.work_order_id, run)


def _is_cancelled(subject: Run | WorkOrder | None) -> bool:
    return subject is not None and subject.status == "cancelled"


def _read_again(client: RunsClient, run: Run) -> CancelDialog | None:
    """The run and its work order as they are now; ``None`` where the run cannot be read."""
    try:
        return load_cancel_dialog(client, run.id, work_order_id=run.work_order_id)
    except RunsAPIError:
        return None
