"""The possible outcomes of cancelling a run."""

from collections.abc import Mapping
from dataclasses import dataclass

from workorders.errors import RunsAPIError
from workorders.runs_api.schemas import Run


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

MESSAGES: Mapping[str, str] = {
    "CONFLICT": "The runs API refused to cancel this run",
    "FORBIDDEN": "This dashboard's key may not cancel runs. "
    "Ask the person who runs the runs API to allow it.",
    "NOT_FOUND": "This run no longer exists",
    "BAD_REQUEST": "The runs API did not accept this",
    "VALIDATION_ERROR": "The runs API did not accept this",
}
"""Messages by error code. They replace those of the error table that are about starting a run."""
NO_SUCH_ENDPOINT = (
    "This runs API has no way to cancel it. "
    "Ask the person who runs this dashboard to check RUNS_API_CANCELS."
)
