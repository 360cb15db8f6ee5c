"""What each page shows, gathered from the runs API.

A page's main subject must load; everything beside it may fail, and the page
then says what is missing instead of failing whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from workorders.availability import (
    Availability,
    CancelScope,
    cancel_scope,
    trigger_availability,
)
from workorders.error_table import RULES
from workorders.errors import RunsAPIError
from workorders.runs_api.client import PAGE_LIMIT, RunsClient
from workorders.runs_api.concurrency import both
from workorders.runs_api.run_log import RunLog
from workorders.runs_api.schemas import Page, Profile, QueueHealth, Run, RunOverrides, WorkOrder

PAGE_SIZE = 20
RUNS_PER_PAGE = 50
LOG_CATCH_UP_BYTES = 1_048_576
"""How much of a growing log one refresh brings."""
SEARCH_DEPTH = 1000
"""How many of the newest work orders are looked through where the API cannot search."""


def _optional[T](client: RunsClient, call: Callable[[RunsClient], T]) -> T | None:
    """A call that hangs takes half of the page's time, not that of the ones after it too."""
    try:
        return call(client.with_half_the_time())
    except RunsAPIError:
        return None


@dataclass(frozen=True, slots=True)
class WorkOrderPage:
    """One page of the work order list; ``searched`` is how many were looked
    through when the API left the searching to us and there are more."""

    page: Page[WorkOrder]
    number: int
    searched: int | None = None

    @property
    def last_number(self) -> int | None:
        total = self.page.total
        return None if total is None else max(1, -(-total // PAGE_SIZE))

    @property
    def is_busy(self) -> bool:
        """Something is at work or waiting, so the page looks again soon.

        A work order that was never run is queued too, and may stay so for ever.
        """
        return any(
            item.status == "running" or (item.status == "queued" and item.run_count)
            for item in self.page.items
        )


def list_work_orders(
    client: RunsClient, *, status: str = "", search: str = "", number: int = 1
) -> WorkOrderPage:
    offset = (number - 1) * PAGE_SIZE
    page = client.list_work_orders(status=status, search=search, limit=PAGE_SIZE, offset=offset)
    if not search:
        return WorkOrderPage(page, number)
    if not all(_matches(item, search) for item in page.items):
        # This API does not know ``search`` and answered with everything.
        return _search_ourselves(client, status, search, number)
    if page.total is not None and page.total != len(page.items):
        # Perhaps it does not either, and these happen to match: then its total is not theirs.
        everything = _optional(client, lambda c: c.list_work_orders(status=status, limit=1))
        if everything and everything.total == page.total:
            return _search_ourselves(client, status, search, number)
        if not everything:
            page = replace(page, total=None)
    return WorkOrderPage(page, number)


def _matches(work_order: WorkOrder, search: str) -> bool:
    needle = search.casefold()
    return needle in work_order.id.casefold() or needle in work_order.prompt.casefold()


def _search_ourselves(client: RunsClient, status: str, search: str, number: int) -> WorkOrderPage:
    found: list[WorkOrder] = []
    searched, more = 0, True
    while more and searched < SEARCH_DEPTH:
        try:
            page = client.list_work_orders(status=status, limit=PAGE_LIMIT, offset=searched)
        except RunsAPIError:
            if not searched:
                raise
            break  # what was looked through so far is shown, and how much that is
        found += [item for item in page.items if _matches(item, search)]
        searched, more = searched + len(page.items), page.has_more
    start = (number - 1) * PAGE_SIZE
    page = Page(
        tuple(found[start : start + PAGE_SIZE]),
        len(found),
        PAGE_SIZE,
        start,
        has_more=len(found) > start + PAGE_SIZE,
    )
    return WorkOrderPage(page, number, searched if more else None)


@dataclass(frozen=True, slots=True)
class WorkOrderDetail:
    work_order: WorkOrder
    availability: Availability
    runs: Page[Run] | None
    """``None``: they could not be loaded."""
    runs_number: int
    """Which page of the runs this is, from 1."""

    @property
    def is_busy(self) -> bool:
        """Something is at work or waiting, so the page looks again soon."""
        order = self.work_order
        waiting = order.queued_runs and order.status != "cancelled"
        return bool(order.active_run or waiting)


def load_work_order(client: RunsClient, work_order_id: str, *, number: int = 1) -> WorkOrderDetail:
    work_order = client.get_work_order(work_order_id)
    if number > 1 or not work_order.lists_runs:
        offset = (number - 1) * RUNS_PER_PAGE
        runs = _optional(
            client, lambda c: c.list_runs(work_order_id, limit=RUNS_PER_PAGE, offset=offset)
        )
    else:
        newest = work_order.runs[:RUNS_PER_PAGE]
        total = max(work_order.run_count or 0, len(work_order.runs))
        runs = Page(newest, total, RUNS_PER_PAGE, 0, has_more=total > len(newest))
    if runs and number == 1 and not work_order.lists_runs:
        work_order = replace(work_order, runs=runs.items)  # what blocks a start is among these
    return WorkOrderDetail(work_order, trigger_availability(work_order), runs, number)


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
    work_order, (queue, log) = both(
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


def _read_run(client: RunsClient, run_id: str, work_order_id: str) -> tuple[Run, WorkOrder | None]:
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
        run = _optional(client, lambda c: c.get_run(run.id)) or run
    return run, work_order.with_run(_in_its_work_order(run, work_order, work_order.id))


def _in_its_work_order(run: Run, work_order: WorkOrder | None, work_order_id: str) -> Run:
    listed = _find(work_order.runs, run.id) if work_order and not run.number else None
    return replace(run, work_order_id=work_order_id, number=listed.number if listed else run.number)


def _beside(
    client: RunsClient, run: Run, log_from: int | None
) -> tuple[QueueHealth | None, RunLog | None]:
    """What else a run's page shows: the queue it waits in, its log."""
    queue = _optional(client, RunsClient.queue_health) if run.is_queued else None
    log = None
    if run.log_size is not None:
        log = _optional(client, lambda c: _read_log(c, run, log_from))
    return queue, log


def load_listed_run(client: RunsClient, run_id: str, work_order_id: str = "") -> RunDetail | None:
    """What the lists know of a run that the API fails to show by itself (recorded).

    Looks in the work order where that is known, else among the newest runs of all.
    """
    work_order = load_optional_work_order(client, work_order_id)
    if work_order:
        runs = work_order.runs
    else:
        page = _optional(client, lambda c: c.list_runs(limit=PAGE_LIMIT))
        runs = page.items if page else ()
    run = _find(runs, run_id)
    if run is None:
        return None
    availability = trigger_availability(work_order) if work_order else None
    return RunDetail(run, work_order, availability, queue=None, log=None, from_list=True)


def load_optional_work_order(client: RunsClient, work_order_id: str) -> WorkOrder | None:
    """``None``: it could not be loaded, or ``work_order_id`` is empty."""
    return _optional(client, lambda c: c.get_work_order(work_order_id)) if work_order_id else None


def _find(runs: Iterable[Run], run_id: str) -> Run | None:
    return next((run for run in runs if run.id == run_id), None)


def _read_log(client: RunsClient, run: Run, log_from: int | None) -> RunLog:
    if log_from is None or (run.log_size or 0) - log_from > LOG_CATCH_UP_BYTES:
        return RunLog.of(client.get_log(run.id))
    part = client.get_log(run.id, offset=log_from, limit=LOG_CATCH_UP_BYTES)
    return RunLog.of(part, goes_on=part.offset == log_from)


@dataclass(frozen=True, slots=True)
class TriggerDialog:
    """What the dialog shows before a run is started."""

    work_order: WorkOrder
    availability: Availability
    profiles: tuple[Profile, ...]
    lacks_profiles: bool = False
    """There may be some: they could not be loaded."""

    @property
    def profile_in_force(self) -> Profile | None:
        name = self.work_order.profile_name or "default"
        return next((profile for profile in self.profiles if profile.name == name), None)

    @property
    def hindrance_message(self) -> str:
        hindrance = self.availability.hindrance
        return RULES[hindrance.value].message if hindrance else ""


def load_trigger_dialog(client: RunsClient, work_order_id: str) -> TriggerDialog:
    work_order, (profiles, lacks_profiles) = both(
        lambda: client.get_work_order(work_order_id), lambda: _read_profiles(client)
    )
    return TriggerDialog(work_order, trigger_availability(work_order), profiles, lacks_profiles)


def _read_profiles(client: RunsClient) -> tuple[tuple[Profile, ...], bool]:
    """And whether there may be some that could not be loaded."""
    try:
        return client.list_profiles(), False
    except RunsAPIError as error:
        return (), error.code != "NOT_FOUND"


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
        run, work_order = _read_run(client, run_id, work_order_id)
    except RunsAPIError as error:
        listed = load_listed_run(client, run_id, work_order_id) if error.status >= 500 else None
        if listed is None:
            raise
        run, work_order = listed.run, listed.work_order
    return CancelDialog(replace(run, work_order_id=run.work_order_id or work_order_id), work_order)
