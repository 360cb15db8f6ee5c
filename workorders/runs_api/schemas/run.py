"""Runs and their iterations."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Self

from pydantic import AfterValidator, AliasPath, Field, PlainValidator

from workorders.runs_api.json_values import (
    Flag,
    Identifier,
    Integer,
    IsObject,
    Items,
    Json,
    Object,
    OptionalFlag,
    OptionalIdentifier,
    OptionalInteger,
    OptionalPosition,
    OptionalRunNumber,
    OrMissing,
    Text,
    Timestamp,
)
from workorders.runs_api.schemas.base import Schema, parse
from workorders.runs_api.schemas.status import FINAL_STATUSES, UNKNOWN, Status
from workorders.text.legible import legible

LONGEST_NAME = 255
"""The most characters of an API key's name."""


def run_label(run_id: str, number: int | None) -> str:
    """Return the name of a run on pages: by number where the API gives one, else by ID."""
    return f"Run #{number}" if number else f"Run {legible(run_id)}"


@dataclass(frozen=True, slots=True)
class RunReference(Schema):
    """A run as other objects refer to it: ``{"runId": string, "runNumber": integer or null}``.

    Responses to triggers, details of errors and runs that wait for another run have this shape.
    """

    id: Annotated[Identifier, Field(alias="runId")]
    number: Annotated[OptionalRunNumber, Field(alias="runNumber")] = None
    """Counted from 1 within the work order; ``None``: the API gives no numbers."""

    @classmethod
    def parse(cls, data: Json) -> Self | None:
        """Return the reference in ``data``; ``None`` if the object names no run."""
        try:
            return parse(cls, data)
        except ValueError:
            return None

    @property
    def label(self) -> str:
        return run_label(self.id, self.number)


@dataclass(frozen=True, slots=True)
class TriggeredRun(RunReference):
    """The run in the response to a trigger."""

    status: Status = UNKNOWN
    work_order_id: OptionalIdentifier = ""
    """The work order that the response names; empty where the response names none."""
    request_id: Annotated[str, PlainValidator(lambda _: "")] = ""
    """The API's ID of the trigger request. It stands in the envelope, not in this object's JSON,
    so the client sets this field after parsing."""


@dataclass(frozen=True, slots=True)
class Iteration(Schema):
    """One iteration of a run's loop: the agent works, then the verification checks the result."""

    number: Integer
    """Counted from 1."""
    status: Status
    started_at: Timestamp
    completed_at: Timestamp
    agent_exit_code: OptionalInteger
    verified: Annotated[OptionalFlag, Field(validation_alias=AliasPath("verification", "passed"))]
    """Whether the verification passed; ``None``: the verification has not run."""
    verification_exit_code: Annotated[
        OptionalInteger, Field(validation_alias=AliasPath("verification", "exitCode"))
    ]
    verification_output: Annotated[
        Text, Field(validation_alias=AliasPath("verification", "output"))
    ]


def _numbered(iterations: Iterable[Iteration]) -> tuple[Iteration, ...]:
    """Number those that have no number by their position."""
    return tuple(
        iteration if iteration.number else replace(iteration, number=position)
        for position, iteration in enumerate(iterations, start=1)
    )


@dataclass(frozen=True, slots=True)
class Run(Schema):
    """One run of a work order."""

    id: Identifier
    status: Status
    work_order_id: Text = ""
    number: Annotated[OptionalRunNumber, Field(alias="runNumber")] = None
    """Counted from 1 within the work order; ``None``: the API gives no numbers."""
    queued_at: Timestamp = None
    started_at: Timestamp = None
    completed_at: Timestamp = None
    iteration_count: OptionalInteger = None
    iterations: Annotated[Items[Iteration], AfterValidator(_numbered)] = ()
    profile_name: Text = ""
    max_iterations: OptionalInteger = None
    max_time: OptionalInteger = None
    """The most seconds that the run may take."""
    overrides: Object = field(default_factory=dict)
    """What was set for this run, in the shape of ``RunOverrides.body``."""
    shows_overrides: Annotated[IsObject, Field(alias="overrides")] = False
    """Whether the API reports overrides. If true, empty ``overrides`` mean that none were set."""
    queue_position: OptionalPosition = None
    """1 is next; ``None``: the run is not queued, or the API does not say."""
    waiting_for: Annotated[RunReference | None, OrMissing(None)] = None
    """The run that must end before this run can start."""
    error: Text = ""
    """Why the run failed."""
    log_size: OptionalInteger = None
    """Bytes; ``None``: the API keeps no log of the run."""
    triggered_by: Annotated[Text, AfterValidator(partial(legible, longest=LONGEST_NAME))] = ""
    """The name of the API key that started the run.

    Empty: an operator started the run, or the API does not say.
    """
    imported: Flag = False
    """Whether the run is imported history, which this API did not execute."""

    @property
    def label(self) -> str:
        return run_label(self.id, self.number)

    @property
    def is_queued(self) -> bool:
        return self.status == "queued"

    @property
    def is_final(self) -> bool:
        """Whether the run is over: its status does not change any more."""
        return self.status in FINAL_STATUSES

    @property
    def is_active(self) -> bool:
        """Whether the run is neither queued nor over.

        A run with an unknown status counts as active, because it may be at work: a disabled
        button is better than a second run beside the first.
        """
        return not self.is_queued and not self.is_final
