"""What the cancel dialog shows, read from the runs API."""

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
    """What is shown before a run is cancelled, and looked at again afterwards."""

    run: Run
    work_order: WorkOrder | None

    @property
    def scope(self) -> CancelScope | None:
        return cancel_scope(self.run, self.work_order)


def load_cancel_dialog(client: RunsClient, run_id: str, *, work_order_id: str = "") -> CancelDialog:
    """``work_order_id``: whose run it is, as far as the caller knows."""
    try:
        run, work_order = read_run(client, run_id, work_order_id)
    except RunsAPIError as error:
        listed = load_listed_run(client, run_id, work_order_id) if error.status >= 500 else None
        if listed is None:
            raise
        run, work_order = listed.run, listed.work_order
    return CancelDialog(replace(run, work_order_id=run.work_order_id or work_order_id), work_order)
