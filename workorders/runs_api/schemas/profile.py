"""Profiles, and what an operator may set for one run in place of the profile."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import AliasPath, Field, model_validator

from workorders.runs_api.json_values import Identifier, Json, OptionalInteger, Text
from workorders.runs_api.schemas.base import Schema, parse

MAX_ITERATIONS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Profile(Schema):
    """A named set of defaults for runs."""

    name: Identifier
    description: Text = ""
    max_iterations: OptionalInteger = None
    """``None``: the API does not say."""
    loop_max_iterations: Annotated[
        OptionalInteger, Field(validation_alias=AliasPath("loopStrategy", "maxIterations"))
    ] = None
    """Stands for ``max_iterations`` where that is missing."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.max_iterations is not None:
            return self
        return replace(self, max_iterations=self.loop_max_iterations)


@dataclass(frozen=True, slots=True)
class RunOverrides(Schema):
    """What the operator set for one run.

    ``None`` for ``max_iterations`` means that the profile's value applies, and an empty
    ``profile_name`` that the work order's profile applies.
    """

    max_iterations: Annotated[
        OptionalInteger,
        Field(validation_alias=AliasPath("profileOverrides", "loopStrategy", "maxIterations")),
    ] = None
    profile_name: Text = ""

    def body(self) -> Json | None:
        """Return the body of the trigger request; ``None`` (no body) if nothing is overridden.

        ``{"profileOverrides": {"loopStrategy": {"maxIterations": integer}}, "profileName":
        string}``, without the parts that are not overridden.
        """
        body: dict[str, Any] = {}
        if self.max_iterations is not None:
            body["profileOverrides"] = {"loopStrategy": {"maxIterations": self.max_iterations}}
        if self.profile_name:
            body["profileName"] = self.profile_name
        return body or None

    @classmethod
    def parse(cls, body: Json) -> Self:
        """Return the overrides in the shape of ``body``; missing parts are not overridden."""
        return parse(cls, body)
