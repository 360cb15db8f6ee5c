"""The load of the runs API."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, AliasPath, Field

from workorders.runs_api.json_values import (
    Count,
    Json,
    OptionalInteger,
    OptionalPosition,
    OrMissing,
    Text,
)
from workorders.runs_api.schemas.base import Schema, adapter
from workorders.text.legible import legible

LONGEST_REASON = 1_000
"""The most characters of the reason why a worker does not isolate commands."""
Reason = Annotated[Text, AfterValidator(partial(legible, longest=LONGEST_REASON))]


def queue_position_of(data: Json, key: str = "queuePosition") -> int | None:
    """Return a position in the queue.

    1 is next; ``None``: the run is not queued, or the API does not say.
    """
    position: int | None = adapter(OptionalPosition).validate_python(data.get(key))
    return position


@dataclass(frozen=True, slots=True)
class Isolation(Schema):
    """How many workers isolate the commands of runs from their machine.

    ``{"isolated": integer, "notIsolated": integer, "reasons": [string, ...]}``
    """

    isolated: Count = 0
    not_isolated: Count = 0
    reasons: Annotated[tuple[Reason, ...], OrMissing(())] = ()
    """Why workers do not isolate commands, as sentences for people."""


@dataclass(frozen=True, slots=True)
class QueueHealth(Schema):
    """The load of the runs API.

    ``{"stats": {"waiting", "running", "maxConcurrent": integer or null}, "isolation": {...}}``
    """

    waiting: Annotated[OptionalInteger, Field(validation_alias=AliasPath("stats", "waiting"))]
    """How many runs are queued; ``None``: the API does not say."""
    running: Annotated[OptionalInteger, Field(validation_alias=AliasPath("stats", "running"))]
    """How many runs are at work; ``None``: the API does not say."""
    slots: Annotated[OptionalInteger, Field(validation_alias=AliasPath("stats", "maxConcurrent"))]
    """How many runs can be at work at once; ``None``: the API does not say."""
    isolation: Annotated[Isolation, OrMissing(Isolation())]
    """Zero workers and no reasons where the API does not report isolation."""
