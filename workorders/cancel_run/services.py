"""Cancelling a run, or where the runs API knows no such thing, its work order.

Cancelling twice is cancelling once, so whatever the API answers, or fails to,
the run's status is looked at afterwards, and that is what people are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from workorders.availability import CancelScope
from workorders.cancel_run.loaders import CancelDialog, load_cancel_dialog
from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, WorkOrder


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was to be cancelled is."""

    run: Run


@dataclass(frozen=True, slots=True)
class WorkOrderCancelled:
    """The work order is cancelled. ``run`` is its run as read now, which may go on all the same."""

    work_order_id: str
    run: Run


@dataclass(frozen=True, slots=True)
class WorkOrderBeingCancelled:
    """The API accepted the request, and has not shown the work order as cancelled yet.

    ``run`` is the work order's run as read now; ``None`` when it could not be read.
    """

    work_order_id: str
    run: Run | None


@dataclass(frozen=True, slots=True)
class BeingCancelled:
    """The API accepted; the run is still at work, or cannot be read at this moment."""

    run: Run


@dataclass(frozen=True, slots=True)
class AlreadyOver:
    """The run had ended by itself."""

    run: Run


@dataclass(frozen=True, slots=True)
class NotCancelled:
    """``run`` as it goes on; ``None`` where that could not be read either."""

    error: RunsAPIError
    run: Run | None = None

    @property
    def message(self) -> str:
        if self.run and self.error.status in {404, 405}:
            return NO_SUCH_ENDPOINT
        if self.error.status >= 500:
            return self.error.user_message
        return WORDS.get(self.error.code, self.error.user_message)

    @property
    def retryable(self) -> bool:
        return self.error.handling.retryable


CancelOutcome = (
    Cancelled
    | BeingCancelled
    | WorkOrderCancelled
    | WorkOrderBeingCancelled
    | AlreadyOver
    | NotCancelled
)

WORDS: Mapping[str, str] = {  # where those of workorders.errors speak of starting
    "CONFLICT": "The runs API refused to cancel this run",
    "FORBIDDEN": "This dashboard's key may not cancel runs. "
    "Ask the person who runs the runs API to allow it.",
    "NOT_FOUND": "This run no longer exists",
    "BAD_REQUEST": "The runs API did not accept this",
    "VALIDATION_ERROR": "The runs API did not accept this",
}
NO_SUCH_ENDPOINT = (
    "This runs API has no way to cancel it. "
    "Ask the person who runs this dashboard to check RUNS_API_CANCELS."
)


def cancel_run(client: RunsClient, dialog: CancelDialog, scope: CancelScope) -> CancelOutcome:
    """Cancel what the operator has confirmed, and say what is true then."""
    before, error = dialog.run, None
    try:
        if scope is CancelScope.RUN:
            client.cancel_run(before.id)
        else:
            client.cancel_work_order(before.work_order_id)
    except RunsAPIError as exc:
        error = exc
    now = _look(client, before)
    if scope is CancelScope.RUN:
        return _of_run(before, now, error)
    return _of_work_order(before, now, error)


def _of_run(before: Run, now: CancelDialog | None, error: RunsAPIError | None) -> CancelOutcome:
    run = now.run if now else None
    if run and run.is_final:
        return Cancelled(run) if _is_cancelled(run) else AlreadyOver(run)
    if error:
        return NotCancelled(error, run)
    return BeingCancelled(run or before)


def _of_work_order(
    before: Run, now: CancelDialog | None, error: RunsAPIError | None
) -> CancelOutcome:
    """That the work order is cancelled says nothing of its run: it may go on to its end."""
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


def _look(client: RunsClient, run: Run) -> CancelDialog | None:
    try:
        return load_cancel_dialog(client, run.id, work_order_id=run.work_order_id)
    except RunsAPIError:
        return None
