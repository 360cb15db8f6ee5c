"""What the page of a run shows, read from the runs API.

The run itself must load. Every part beside the run may fail: the page then says what is missing."""

from collections.abc import Iterable
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
"""How much of a growing log one refresh brings."""


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run and what its page shows beside it; parts that did not load are ``None``."""

    run: Run
    work_order: WorkOrder | None
    availability: Availability | None
    queue: QueueHealth | None
    log: RunLog | None
    from_list: bool = False
    """The API failed on the run itself; this is what its lists say of it."""
    log_skipped: int = 0
    """Bytes between what the page has and ``log``: the agent wrote more than a page can follow."""

    @property
    def overrides(self) -> RunOverrides:
        return RunOverrides.parse(self.run.overrides)

    @property
    def cancel_scope(self) -> CancelScope | None:
        return cancel_scope(self.run, self.work_order)

    @property
    def is_live(self) -> bool:
        """The page looks again: the run goes on, or its log was not read to the end."""
        part = self.log.part if self.log else None
        return not self.run.is_final or (
            part is not None and part.offset < part.next_offset < part.size
        )


def load_run(
    client: RunsClient, run_id: str, work_order_id: str = "", *, log_from: int | None = None
) -> RunDetail:
    """``work_order_id``: whose run it is, where the API does not tell. ``log_from``: the byte
    of the log to go on from; ``None``: the end of the log."""
    run = client.get_run(run_id)
    work_order_id = run.work_order_id or work_order_id
    work_order, (queue, log) = run_both(
        lambda: load_optional_work_order(client, work_order_id),
        lambda: _beside(client, run, log_from),
    )
    if work_order:
        run, work_order = _at_one_moment(client, run, work_order)
    run = _in_its_work_order(run, work_order, work_order_id)
    return RunDetail(
        run=run,
        work_order=work_order,
        availability=trigger_availability(work_order) if work_order else None,
        queue=queue,
        log=log,
        log_skipped=max(log.part.offset - log_from, 0) if log and log_from is not None else 0,
    )


def read_run(client: RunsClient, run_id: str, work_order_id: str) -> tuple[Run, WorkOrder | None]:
    """A run, with the number that its work order gives it where it has none of its own."""
    run = client.get_run(run_id)
    work_order_id = run.work_order_id or work_order_id
    work_order = load_optional_work_order(client, work_order_id)
    return _in_its_work_order(run, work_order, work_order_id), work_order


def _at_one_moment(client: RunsClient, run: Run, work_order: WorkOrder) -> tuple[Run, WorkOrder]:
    """A run and its work order were read one after the other, and the run may have gone on
    between: it is read again then, and the work order says of it what its page says. A run that
    neither says whose it is nor is listed may be another work order's, and is not added."""
    listed = _find(work_order.runs, run.id)
    if listed is None and not run.work_order_id:
        return run, work_order
    if listed and (listed.is_queued, listed.is_final) != (run.is_queued, run.is_final):
        run = optional(client, lambda c: c.get_run(run.id)) or run
    return run, work_order.with_run(_in_its_work_order(run, work_order, work_order.id))


def _in_its_work_order(run: Run, work_order: WorkOrder | None, work_order_id: str) -> Run:
    listed = _find(work_order.runs, run.id) if work_order and not run.number else None
    return replace(run, work_order_id=work_order_id, number=listed.number if listed else run.number)


def _beside(
    client: RunsClient, run: Run, log_from: int | None
) -> tuple[QueueHealth | None, RunLog | None]:
    """What else a run's page shows: the queue it waits in, its log."""
    queue = optional(client, RunsClient.queue_health) if run.is_queued else None
    log = None
    if run.log_size is not None:
        log = optional(client, lambda c: _read_log(c, run, log_from))
    return queue, log


def load_listed_run(client: RunsClient, run_id: str, work_order_id: str = "") -> RunDetail | None:
    """What the lists know of a run that the API fails to show by itself (recorded).

    Looks in the work order where that is known, else among the newest runs of all.
    """
    work_order = load_optional_work_order(client, work_order_id)
    if work_order:
        runs = work_order.runs
    else:
        page = optional(client, lambda c: c.list_runs(limit=PAGE_LIMIT))
        runs = page.items if page else ()
    run = _find(runs, run_id)
    if run is None:
        return None
    availability = trigger_availability(work_order) if work_order else None
    return RunDetail(run, work_order, availability, queue=None, log=None, from_list=True)


def load_optional_work_order(client: RunsClient, work_order_id: str) -> WorkOrder | None:
    """``None``: it could not be loaded, or ``work_order_id`` is empty."""
    return optional(client, lambda c: c.get_work_order(work_order_id)) if work_order_id else None


def _find(runs: Iterable[Run], run_id: str) -> Run | None:
    return next((run for run in runs if run.id == run_id), None)


def _read_log(client: RunsClient, run: Run, log_from: int | None) -> RunLog:
    if log_from is None or (run.log_size or 0) - log_from > LOG_CATCH_UP_BYTES:
        return RunLog.of(client.get_log(run.id))
    part = client.get_log(run.id, offset=log_from, limit=LOG_CATCH_UP_BYTES)
    return RunLog.of(part, goes_on=part.offset == log_from)
