"""Loads the page of a run from the runs API.

The run itself must load. Every other part may fail; the page then states what is missing.
"""

from dataclasses import dataclass, replace

from workorders.availability import (
    Availability,
    CancelScope,
    cancel_scope,
    trigger_availability,
)
from workorders.runs_api.client import PAGE_LIMIT, RunsClient
from workorders.runs_api.concurrency import run_both
from workorders.runs_api.optional import optional
from workorders.runs_api.run_log import RunLog
from workorders.runs_api.schemas import QueueHealth, Run, RunOverrides, WorkOrder

LOG_CATCH_UP_BYTES = 1_048_576
"""Maximum number of bytes of a growing log in the response to one poll."""


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run and the other parts of its page. A part that did not load is ``None``.

    ``queue`` is loaded for queued runs only, and ``log`` only if the API keeps one.
    """

    run: Run
    work_order: WorkOrder | None
    availability: Availability | None
    queue: QueueHealth | None
    log: RunLog | None
    from_list: bool = False
    """Whether the run comes from a list, because the API failed on the run itself."""
    log_skipped: int = 0
    """Number of bytes of the log that are missing between the open page and ``log``: more was
    written between two polls than ``LOG_CATCH_UP_BYTES``."""

    @property
    def overrides(self) -> RunOverrides:
        return RunOverrides.parse(self.run.overrides)

    @property
    def cancel_scope(self) -> CancelScope | None:
        """What the runs API would cancel; ``None`` where nothing can be cancelled."""
        return cancel_scope(self.run, self.work_order)

    @property
    def is_live(self) -> bool:
        """Whether the page polls: the run has not ended, or its log was not read to the end."""
        part = self.log.part if self.log else None
        return not self.run.is_final or (
            part is not None and part.offset < part.next_offset < part.size
        )


def load_run(
    client: RunsClient, run_id: str, work_order_id: str = "", *, log_from: int | None = None
) -> RunDetail:
    """Load a run's page.

    Args:
        work_order_id: the run's work order, for APIs that do not name it; "" if it is unknown.
        log_from: offset in bytes from which to read the log; ``None`` for the end of the log.

    Raises:
        RunsAPIError: the run itself could not be read.
    """
    run = client.get_run(run_id)
    work_order_id = run.work_order_id or work_order_id
    work_order, (queue, log) = run_both(
        lambda: load_optional_work_order(client, work_order_id),
        lambda: _load_queue_and_log(client, run, log_from),
    )
    if work_order:
        run, work_order = _reconciled(client, run, work_order)
    run = _with_work_order(run, work_order, work_order_id)
    return RunDetail(
        run=run,
        work_order=work_order,
        availability=trigger_availability(work_order) if work_order else None,
        queue=queue,
        log=log,
        log_skipped=max(log.part.offset - log_from, 0) if log and log_from is not None else 0,
    )


def read_run(client: RunsClient, run_id: str, work_order_id: str) -> tuple[Run, WorkOrder | None]:
    """Read a run and its work order, which is ``None`` where it could not be read.

    A run without a number gets the number that its work order lists.

    Args:
        work_order_id: the run's work order, for APIs that do not name it; "" if it is unknown.

    Raises:
        RunsAPIError: the run could not be read.
    """
    run = client.get_run(run_id)
    work_order_id = run.work_order_id or work_order_id
    work_order = load_optional_work_order(client, work_order_id)
    return _with_work_order(run, work_order, work_order_id), work_order


def _reconciled(client: RunsClient, run: Run, work_order: WorkOrder) -> tuple[Run, WorkOrder]:
    """Make a run and its work order agree on the run's status.

    Both were read one after the other. If the run has started or ended in between, it is read
    again. The work order then lists the run as its page shows it.

    A run that names no work order and is not listed may belong to another work order. It is
    therefore not added.
    """
    listed = work_order.find_run(run.id)
    if listed is None and not run.work_order_id:
        return run, work_order
    if listed and (listed.is_queued, listed.is_final) != (run.is_queued, run.is_final):
        run = optional(client, lambda c: c.get_run(run.id)) or run
    return run, work_order.with_run(_with_work_order(run, work_order, work_order.id))


def _with_work_order(run: Run, work_order: WorkOrder | None, work_order_id: str) -> Run:
    """The run with the ID of its work order and, if it has none, the number listed there."""
    listed = work_order.find_run(run.id) if work_order and not run.number else None
    return replace(run, work_order_id=work_order_id, number=listed.number if listed else run.number)


def _load_queue_and_log(
    client: RunsClient, run: Run, log_from: int | None
) -> tuple[QueueHealth | None, RunLog | None]:
    """The queue of a queued run, and the log of a run that has one."""
    queue = optional(client, RunsClient.queue_health) if run.is_queued else None
    log = None
    if run.log_size is not None:
        log = optional(client, lambda c: _read_log(c, run, log_from))
    return queue, log


def load_listed_run(client: RunsClient, run_id: str, work_order_id: str = "") -> RunDetail | None:
    """Find a run in the API's lists; ``None`` where they do not have it.

    A recorded real server fails on some runs that its lists show. The runs of the work order are
    searched if it could be read, otherwise the ``PAGE_LIMIT`` newest runs of all work orders.
    """
    work_order = load_optional_work_order(client, work_order_id)
    if work_order:
        run = work_order.find_run(run_id)
    else:
        page = optional(client, lambda c: c.list_runs(limit=PAGE_LIMIT))
        run = next((run for run in page.items if run.id == run_id), None) if page else None
    if run is None:
        return None
    availability = trigger_availability(work_order) if work_order else None
    return RunDetail(run, work_order, availability, queue=None, log=None, from_list=True)


def load_optional_work_order(client: RunsClient, work_order_id: str) -> WorkOrder | None:
    """The work order; ``None`` where it could not be read or ``work_order_id`` is empty."""
    return optional(client, lambda c: c.get_work_order(work_order_id)) if work_order_id else None


def _read_log(client: RunsClient, run: Run, log_from: int | None) -> RunLog:
    """The log from ``log_from`` on, or its end where too much has been written since."""
    if log_from is None or (run.log_size or 0) - log_from > LOG_CATCH_UP_BYTES:
        return RunLog.of(client.get_log(run.id))
    part = client.get_log(run.id, offset=log_from, limit=LOG_CATCH_UP_BYTES)
    return RunLog.of(part, goes_on=part.offset == log_from)
