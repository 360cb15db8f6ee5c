"""Loads the list of work orders, and the page of a work order, from the runs API."""

from dataclasses import dataclass, replace

from workorders.availability import (
    Availability,
    trigger_availability,
)
from workorders.errors import RunsAPIError
from workorders.runs_api.client import PAGE_LIMIT, RunsClient
from workorders.runs_api.optional import optional
from workorders.runs_api.schemas import Page, Run, WorkOrder

PAGE_SIZE = 20
RUNS_PER_PAGE = 50
SEARCH_DEPTH = 1000
"""Number of the newest work orders that the dashboard searches where the API cannot search."""


@dataclass(frozen=True, slots=True)
class WorkOrderPage:
    """One page of the list of work orders."""

    page: Page[WorkOrder]
    number: int
    """The number of this page, from 1."""
    searched: int | None = None
    """Number of work orders that the dashboard has searched itself. ``None`` if the API searched,
    if there was nothing to search for, or if all work orders were searched."""

    @property
    def last_number(self) -> int | None:
        """The number of the last page; ``None`` where the API reports no total."""
        total = self.page.total
        return None if total is None else max(1, -(-total // PAGE_SIZE))

    @property
    def is_busy(self) -> bool:
        """Whether a work order on the page may change soon, so that the page polls often.

        A work order without runs has the status "queued" too, possibly forever, and is not counted.
        """
        return any(
            item.status == "running" or (item.status == "queued" and item.run_count)
            for item in self.page.items
        )


def list_work_orders(
    client: RunsClient, *, status: str = "", search: str = "", number: int = 1
) -> WorkOrderPage:
    """Load one page of the list of work orders.

    Args:
        status: a status of ``WORK_ORDER_STATUSES``, or "" for all.
        search: text to find in IDs and prompts, ignoring case; "" for all.
        number: the number of the page, from 1.

    Raises:
        RunsAPIError: the list cannot be read.
    """
    offset = (number - 1) * PAGE_SIZE
    page = client.list_work_orders(status=status, search=search, limit=PAGE_SIZE, offset=offset)
    if not search:
        return WorkOrderPage(page, number)
    if not all(_matches(item, search) for item in page.items):
        # The API ignores the parameter ``search`` and has returned all work orders.
        return _search_in_dashboard(client, status, search, number)
    if page.total is not None and page.total != len(page.items):
        # The API may ignore ``search`` although all work orders on this page match. Its total is
        # then the number of all work orders.
        everything = optional(client, lambda c: c.list_work_orders(status=status, limit=1))
        if everything and everything.total == page.total:
            return _search_in_dashboard(client, status, search, number)
        if not everything:
            page = replace(page, total=None)
    return WorkOrderPage(page, number)


def _matches(work_order: WorkOrder, search: str) -> bool:
    needle = search.casefold()
    return needle in work_order.id.casefold() or needle in work_order.prompt.casefold()


def _search_in_dashboard(
    client: RunsClient, status: str, search: str, number: int
) -> WorkOrderPage:
    """Search the newest ``SEARCH_DEPTH`` work orders here, and return one page of the matches."""
    found: list[WorkOrder] = []
    searched, more = 0, True
    while more and searched < SEARCH_DEPTH:
        try:
            page = client.list_work_orders(status=status, limit=PAGE_LIMIT, offset=searched)
        except RunsAPIError:
            if not searched:
                raise
            # Show the matches so far, and how many work orders were searched.
            break
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
    """A work order, whether a run can be started, and one page of its runs."""

    work_order: WorkOrder
    availability: Availability
    runs: Page[Run] | None
    """``None`` where the runs could not be loaded."""
    runs_number: int
    """The number of the page of runs, from 1."""

    @property
    def is_busy(self) -> bool:
        """Whether a run is active or queued, so that the page polls often."""
        order = self.work_order
        waiting = order.queued_runs and order.status != "cancelled"
        return bool(order.active_run or waiting)


def load_work_order(client: RunsClient, work_order_id: str, *, number: int = 1) -> WorkOrderDetail:
    """Load a work order and page ``number`` (from 1) of its runs, newest first.

    Raises ``RunsAPIError`` when the work order cannot be read. Runs that cannot be read are
    ``None``.
    """
    work_order = client.get_work_order(work_order_id)
    if number > 1 or not work_order.lists_runs:
        offset = (number - 1) * RUNS_PER_PAGE
        runs = optional(
            client, lambda c: c.list_runs(work_order_id, limit=RUNS_PER_PAGE, offset=offset)
        )
    else:
        newest = work_order.runs[:RUNS_PER_PAGE]
        total = max(work_order.run_count or 0, len(work_order.runs))
        runs = Page(newest, total, RUNS_PER_PAGE, 0, has_more=total > len(newest))
    if runs and number == 1 and not work_order.lists_runs:
        # An active run among these blocks a start: see trigger_availability.
        work_order = replace(work_order, runs=runs.items)
    return WorkOrderDetail(work_order, trigger_availability(work_order), runs, number)
