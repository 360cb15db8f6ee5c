"""Cancelling a run, or its work order where the runs API cannot cancel a single run.

Cancelling twice has the same effect as cancelling once. Whatever the API's response is, and even
without any, the run is therefore read again afterwards, and its status decides the outcome.
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
    """The run was cancelled."""

    run: Run


@dataclass(frozen=True, slots=True)
class WorkOrderCancelled:
    """The work order was cancelled; its run, as read afterwards, may continue nevertheless."""

    work_order_id: str
    run: Run


@dataclass(frozen=True, slots=True)
class WorkOrderBeingCancelled:
    """The API accepted the request, and has not shown the work order as cancelled yet.

    ``run`` is the run as read afterwards; ``None`` where it could not be read.
    """

    work_order_id: str
    run: Run | None


@dataclass(frozen=True, slots=True)
class BeingCancelled:
    """The API accepted the cancellation, but the run has not ended or could not be read.

    ``run`` is the run as read afterwards or, where that failed, as it was before.
    """

    run: Run


@dataclass(frozen=True, slots=True)
class AlreadyOver:
    """The run ended by itself before it could be cancelled."""

    run: Run


@dataclass(frozen=True, slots=True)
class NotCancelled:
    """The runs API refused or failed.

    ``run`` is the run as read afterwards, which continues; ``None`` where it could not be read, so
    that the run may have been cancelled.
    """

    error: RunsAPIError
    run: Run | None = None

    @property
    def message(self) -> str:
        """The reason, for the operator."""
        if self.run and self.error.status in {404, 405}:
            # The run exists, so the API does not know the endpoint.
            return NO_SUCH_ENDPOINT
        if self.error.status >= 500:
            return self.error.user_message
        return MESSAGES.get(self.error.code, self.error.user_message)

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

# Messages by error code. They replace those of the error table that are about starting a run.
MESSAGES: Mapping[str, str] = {
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
    """Cancel the run of ``dialog``, or its work order, depending on ``scope``.

    No ``RunsAPIError`` is raised: a failure is part of the outcome.
    """
    before, error = dialog.run, None
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
