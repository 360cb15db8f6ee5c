"""Loads the cancel dialog from the runs API."""

from dataclasses import dataclass, replace

from workorders.availability import (
    CancelScope,
    cancel_scope,
)
from workorders.errors import RunsAPIError
from workorders.runs.loaders import load_listed_run, read_run
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, WorkOrder


@dataclass(frozen=True, slots=True)
class CancelDialog:
    """A run to cancel and its work order.

    The dialog reads both once; the cancellation reads both again afterwards. ``work_order`` is
    ``None`` where it could not be loaded.
    """

    run: Run
    work_order: WorkOrder | None

    @property
    def scope(self) -> CancelScope | None:
        """What the runs API would cancel; ``None`` where nothing can be cancelled."""
        return cancel_scope(self.run, self.work_order)


def load_cancel_dialog(client: RunsClient, run_id: str, *, work_order_id: str = "") -> CancelDialog:
    """Read the run and its work order.

    If the API fails (status 500 or above) on the run itself, the run is taken from the API's
    lists of runs.

    Args:
        work_order_id: the run's work order if the caller knows it, for APIs that do not name it;
            otherwise "".

    Raises:
        RunsAPIError: the run could not be read.
    """
    try:
        run, work_order = read_run(client, run_id, work_order_id)
    except RunsAPIError as error:
        listed = load_listed_run(client, run_id, work_order_id) if error.status >= 500 else None
        if listed is None:
            raise
        run, work_order = listed.run, listed.work_order
    return CancelDialog(replace(run, work_order_id=run.work_order_id or work_order_id), work_order)
