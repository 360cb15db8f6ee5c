"""Paging by limit and offset, which all lists share."""

from django.db.models import Model, QuerySet

from workorders.embedded.api.validation import MAX_OFFSET, QueryFields

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


def read_page(query: QueryFields) -> tuple[int, int]:
    """The limit and the offset of a list request, with defaults; faults are noted in ``query``."""
    limit = query.integer("limit", minimum=1, maximum=MAX_LIMIT)
    offset = query.integer("offset", minimum=0, maximum=MAX_OFFSET)
    return limit or DEFAULT_LIMIT, offset or 0


def take[Row: Model](rows: QuerySet[Row], limit: int, offset: int) -> tuple[list[Row], int]:
    """The rows of a page, and the total number of rows.

    Counting a search reads every row, so the rows are counted only if the page itself does not
    show how many there are.
    """
    taken = list(rows[offset : offset + limit + 1])
    is_last = len(taken) <= limit and (taken or not offset)
    total = offset + len(taken) if is_last else rows.count()
    return taken[:limit], total
