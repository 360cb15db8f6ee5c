"""Paging by limit and offset, the same for every list."""

from workorders.embedded.validation import MAX_OFFSET, QueryFields

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


def read_page(query: QueryFields) -> tuple[int, int]:
    """Limit and offset."""
    limit = query.whole("limit", minimum=1, maximum=MAX_LIMIT)
    offset = query.whole("offset", minimum=0, maximum=MAX_OFFSET)
    return limit or DEFAULT_LIMIT, offset or 0
