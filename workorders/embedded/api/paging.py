"""Paging by limit and offset, the same for every list."""

from django.db.models import Model, QuerySet

from workorders.embedded.api.validation import MAX_OFFSET, QueryFields

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


def read_page(query: QueryFields) -> tuple[int, int]:
    """Limit and offset."""
    limit = query.integer("limit", minimum=1, maximum=MAX_LIMIT)
    offset = query.integer("offset", minimum=0, maximum=MAX_OFFSET)
    return limit or DEFAULT_LIMIT, offset or 0


def take[Row: Model](rows: QuerySet[Row], limit: int, offset: int) -> tuple[list[Row], int]:
    """The rows of a page, and how many there are in all.

    They are counted only where the page does not tell: a search looks at every row for that.
    """
    taken = list(rows[offset : offset + limit + 1])
    is_last = len(taken) <= limit and (taken or not offset)
    total = offset + len(taken) if is_last else rows.count()
    return taken[:limit], total
