"""Work orders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Self

from pydantic import AliasPath, Field, PlainValidator, model_validator

from workorders.runs_api.json_values import (
    Identifier,
    IsArray,
    Items,
    OptionalInteger,
    Text,
    Timestamp,
    as_object,
)
from workorders.runs_api.schemas.base import Schema, adapter
from workorders.runs_api.schemas.run import Run
from workorders.runs_api.schemas.status import Status


def _workspace(source: object) -> str:
    """Return the location of ``{"path" or "repo" or "url": string, "branch": string or null}``."""
    texts = adapter(dict[str, Text]).validate_python(as_object(source))
    location = texts.get("path") or texts.get("repo") or texts.get("url") or ""
    branch = texts.get("branch")
    return f"{location} ({branch})" if location and branch else location


@dataclass(frozen=True, slots=True)
class WorkOrder(Schema):
    """A task for the agent, which can have many runs."""

    id: Identifier
    prompt: Annotated[Text, Field(alias="taskPrompt")]
    status: Status
    """One of ``WORK_ORDER_STATUSES``, or another word of the API."""
    workspace: Annotated[str, PlainValidator(_workspace), Field(alias="workspaceSource")] = ""
    """The path, repository or URL of the workspace, with the branch in parentheses if named."""
    profile_name: Text = ""
    max_iterations: OptionalInteger = None
    max_time: OptionalInteger = None
    """The most seconds that a run may take."""
    created_at: Timestamp = None
    run_count: OptionalInteger = None
    runs: Items[Run] = ()
    """Newest first; lists of work orders omit the runs."""
    lists_runs: Annotated[IsArray, Field(alias="runs")] = False
    """Whether ``runs`` is known to be the work order's runs.

    If false, the server has omitted the runs, and empty ``runs`` do not mean that there are none.
    """
    harness_profile_name: Annotated[
        Text, Field(validation_alias=AliasPath("harness", "profile"))
    ] = ""
    """Stands for ``profile_name`` where that is missing."""
    harness_max_iterations: Annotated[
        OptionalInteger,
        Field(validation_alias=AliasPath("harness", "loopStrategy", "maxIterations")),
    ] = None
    """Stands for ``max_iterations`` where that is missing."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        max_iterations = self.max_iterations
        if max_iterations is None:
            max_iterations = self.harness_max_iterations
        return replace(
            self,
            profile_name=self.profile_name or self.harness_profile_name,
            max_iterations=max_iterations,
            runs=_newest_first(self.runs, self.id, self.run_count),
            lists_runs=self.lists_runs and bool(self.runs or not self.run_count),
        )

    def with_runs(self, runs: Sequence[Run]) -> "WorkOrder":
        """Return a copy with all runs of the work order, which another call has read."""
        ordered = _newest_first(runs, self.id, self.run_count)
        return replace(self, runs=ordered, lists_runs=True)

    def find_run(self, run_id: str) -> Run | None:
        """Return the listed run with this ID; ``None`` if there is none."""
        return next((run for run in self.runs if run.id == run_id), None)

    def with_run(self, run: Run) -> "WorkOrder":
        """Return a copy in which ``run`` replaces its older version, or is added as newest."""
        if self.find_run(run.id):
            runs = tuple(run if listed.id == run.id else listed for listed in self.runs)
        else:
            runs = (run, *self.runs)
        return replace(self, runs=runs)

    @property
    def active_run(self) -> Run | None:
        """The newest active run; ``None`` if there is none."""
        return next((run for run in self.runs if run.is_active), None)

    @property
    def queued_runs(self) -> tuple[Run, ...]:
        """The queued runs, newest first."""
        return tuple(run for run in self.runs if run.is_queued)

    @property
    def state_token(self) -> str:
        """A token of what a trigger dialog shows; an open dialog whose token differs is outdated.

        The shape is ``status/status of the newest run/ID of the newest run``; the last two
        parts are empty where there are no runs.
        """
        newest = f"{self.runs[0].status}/{self.runs[0].id}" if self.runs else "/"
        return f"{self.status}/{newest}"

    @property
    def next_run_number(self) -> int | None:
        """The number that the next run will get; ``None`` where the number is not certain."""
        newest = self.runs[0].number if self.runs else 0
        if newest is None or self.run_count is None or newest < self.run_count:
            return None
        return newest + 1


def _newest_first(
    runs: Sequence[Run], work_order_id: str, run_count: int | None
) -> tuple[Run, ...]:
    """Return the runs in order, newest first, each with its work order's ID.

    Runs without numbers are numbered here only if the server lists every run (``run_count``) and
    each run has a timestamp. Otherwise the runs keep no numbers, and pages name them by ID. Runs
    without numbers and timestamps stay in the server's order.
    """
    runs = [run if run.work_order_id else replace(run, work_order_id=work_order_id) for run in runs]
    if all(run.number for run in runs):
        return tuple(sorted(runs, key=lambda run: run.number or 0, reverse=True))
    starts = {run.id: start for run in runs if (start := run.started_at or run.queued_at)}
    if len(starts) < len(runs):
        return tuple(runs)
    ordered = sorted(runs, key=lambda run: starts[run.id])
    if len(runs) == run_count and not any(run.number for run in runs):
        ordered = [replace(run, number=number) for number, run in enumerate(ordered, start=1)]
    return tuple(reversed(ordered))
