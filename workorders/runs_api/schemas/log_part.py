"""Part of a run's log."""

from dataclasses import dataclass, replace
from typing import Self

from pydantic import model_validator

from workorders.runs_api.json_values import Flag, Integer, Text
from workorders.runs_api.schemas.base import Schema


@dataclass(frozen=True, slots=True)
class LogPart(Schema):
    """Part of a run's log."""

    text: Text
    offset: Integer
    """Where the part begins, in bytes of the log."""
    next_offset: Integer
    """Where the next part begins, in bytes of the log."""
    size: Integer
    """The size of the log so far, in bytes."""
    complete: Flag
    """Whether the run is over and the part reaches the end of its log."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        next_offset = self.next_offset or self.offset
        return replace(self, next_offset=next_offset, size=self.size or next_offset)
