"""Paging by limit and offset, which all lists share."""

from django.db.models import Model, QuerySet

from workorders.embedded.api.requests import Page
from workorders.embedded.api.schemas import Paging


def take[Row: Model](rows: QuerySet[Row], page: Page) -> tuple[list[Row], Paging]:
    """The rows of a page, and what its response says of the page.

    Counting a search reads every row, so the rows are counted only if the page itself does not
    show how many there are.
    """
    limit, offset = page.limit, page.offset
    taken = list(rows[offset : offset + limit + 1])
    is_last = len(taken) <= limit and (taken or not offset)
    total = offset + len(taken) if is_last else rows.count()
    shown = taken[:limit]
    return shown, {
        "total": total,
        "limit": limit,
        "offset": offset,
        "hasMore": offset + len(shown) < total,
    }
