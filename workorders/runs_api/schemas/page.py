"""One page of a list."""

from dataclasses import dataclass, replace
from typing import Self

from pydantic import ValidationInfo, model_validator

from workorders.runs_api.json_values import Flag, Integer, Items, OptionalInteger
from workorders.runs_api.schemas.base import Schema


@dataclass(frozen=True, slots=True)
class Page[Item](Schema):
    """One page of a list: ``{"items": [...], "total", "limit", "offset", "hasMore"}``.

    ``parse(Page[Run], data, limit=50, offset=0)`` reads a page of runs. The limit and the offset
    are those of the request, for servers that do not repeat them.
    """

    items: Items[Item]
    total: OptionalInteger
    """How many items there are on all pages; ``None``: the API does not say."""
    limit: Integer
    """The most items that the page may have."""
    offset: Integer
    """How many items come before this page."""
    has_more: Flag
    """Whether there are items after this page."""

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        requested = info.context or {}
        limit = self.limit or requested.get("limit", 0)
        offset = self.offset or requested.get("offset", 0)
        # Some servers send a wrong hasMore, so the total takes precedence.
        more = self.has_more if self.total is None else offset + len(self.items) < self.total
        return replace(self, limit=limit, offset=offset, has_more=more and bool(self.items))
