"""What the list of work orders and the page of one show, read from the runs API."""

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
"""How many of the newest work orders are looked through where the API cannot search."""


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
        everything = optional(client, lambda c: c.list_work_orders(status=status, limit=1))
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
        runs = optional(
            client, lambda c: c.list_runs(work_order_id, limit=RUNS_PER_PAGE, offset=offset)
        )
    else:
        newest = work_order.runs[:RUNS_PER_PAGE]
        total = max(work_order.run_count or 0, len(work_order.runs))
        runs = Page(newest, total, RUNS_PER_PAGE, 0, has_more=total > len(newest))
    if runs and number == 1 and not work_order.lists_runs:
        work_order = replace(work_order, runs=runs.items)  # what blocks a start is among these
    return WorkOrderDetail(work_order, trigger_availability(work_order), runs, number)
