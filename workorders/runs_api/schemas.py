"""The runs API's JSON as typed values.

Real servers leave fields out, add others and send nulls, so everything but an
ID may be missing here: a missing value is ``None`` (or empty) and the pages
say less. Only an answer without the IDs it is about raises ``ValueError``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from workorders.runs_api.json_values import (
    Json,
    as_object,
    as_objects,
    as_run_number,
    as_text,
    datetime_or_none,
    int_or_none,
    optional_id,
    required_id,
)
from workorders.text.legible import legible

FINAL_STATUSES = frozenset({"succeeded", "failed", "cancelled"})
WORK_ORDER_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
MAX_ITERATIONS_LIMIT = 100
LONGEST_STATUS = 40
"""Characters; what no page knows is one word on it all the same."""

LONGEST_NAME = 255
"""Characters of an API key's name."""
LONGEST_REASON = 1_000
"""Characters of why a worker does not isolate."""


def _status(value: object) -> str:
    """The status as the pages name it: both spellings of cancelled are one."""
    status = legible(as_text(value), LONGEST_STATUS) or "unknown"
    return "cancelled" if status == "canceled" else status


@dataclass(frozen=True, slots=True)
class Page[Item]:
    items: tuple[Item, ...]
    total: int | None
    limit: int
    offset: int
    has_more: bool

    @classmethod
    def parse(
        cls, data: Json, item: Callable[[Json], Item], *, limit: int = 0, offset: int = 0
    ) -> Self:
        items = tuple(item(entry) for entry in as_objects(data.get("items")))
        limit = int_or_none(data.get("limit")) or limit
        offset = int_or_none(data.get("offset")) or offset
        total = int_or_none(data.get("total"))
        # A total is worth more than hasMore, which some servers get wrong.
        more = data.get("hasMore") is True if total is None else offset + len(items) < total
        return cls(items, total, limit, offset, has_more=more and bool(items))


@dataclass(frozen=True, slots=True)
class Iteration:
    number: int
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    agent_exit_code: int | None
    verified: bool | None
    """Whether the verification passed; ``None``: it has not run."""
    verification_exit_code: int | None
    verification_output: str

    @classmethod
    def parse(cls, data: Json, position: int) -> Self:
        verification = as_object(data.get("verification"))
        passed = verification.get("passed")
        return cls(
            number=int_or_none(data.get("number")) or position,
            status=_status(data.get("status")),
            started_at=datetime_or_none(data.get("startedAt")),
            completed_at=datetime_or_none(data.get("completedAt")),
            agent_exit_code=int_or_none(data.get("agentExitCode")),
            verified=passed if isinstance(passed, bool) else None,
            verification_exit_code=int_or_none(verification.get("exitCode")),
            verification_output=as_text(verification.get("output")),
        )


@dataclass(frozen=True, slots=True)
class RunReference:
    """A run as other things name it: the answer to a trigger, a refusal, a run that waits."""

    id: str
    number: int | None = None

    @classmethod
    def required(cls, data: Json) -> Self:
        """``ValueError`` when no run is named."""
        return cls(required_id(data, "runId"), as_run_number(data.get("runNumber")))

    @classmethod
    def parse(cls, data: Json) -> Self | None:
        """``None`` when no run is named."""
        try:
            return cls.required(data)
        except ValueError:
            return None

    @property
    def label(self) -> str:
        return run_label(self.id, self.number)


def queue_position_of(data: Json, key: str = "queuePosition") -> int | None:
    """1 is next; ``None`` when not queued or not told."""
    return int_or_none(data.get(key), minimum=1)


def run_label(run_id: str, number: int | None) -> str:
    """How people call a run: by number where the API gives one, else by ID."""
    return f"Run #{number}" if number else f"Run {legible(run_id)}"


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    status: str
    work_order_id: str = ""
    number: int | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    iteration_count: int | None = None
    iterations: tuple[Iteration, ...] = ()
    profile_name: str = ""
    max_iterations: int | None = None
    max_time: int | None = None
    """Seconds."""
    overrides: Json = field(default_factory=dict)
    shows_overrides: bool = False
    """Whether empty ``overrides`` say that there are none."""
    queue_position: int | None = None
    """1 is next; ``None`` when not queued or not told."""
    waiting_for: RunReference | None = None
    error: str = ""
    log_size: int | None = None
    """Bytes; ``None``: this API keeps no log."""
    triggered_by: str = ""
    """The name of the API key that a script used; empty: an operator, or not told."""
    imported: bool = False
    """History from elsewhere: it was not executed by this API."""

    @classmethod
    def parse(cls, data: Json) -> Self:
        iterations = as_objects(data.get("iterations"))
        return cls(
            id=required_id(data),
            status=_status(data.get("status")),
            work_order_id=as_text(data.get("workOrderId")),
            number=as_run_number(data.get("runNumber")),
            queued_at=datetime_or_none(data.get("queuedAt")),
            started_at=datetime_or_none(data.get("startedAt")),
            completed_at=datetime_or_none(data.get("completedAt")),
            iteration_count=int_or_none(data.get("iterationCount")),
            iterations=tuple(Iteration.parse(it, i) for i, it in enumerate(iterations, start=1)),
            profile_name=as_text(data.get("profileName")),
            max_iterations=int_or_none(data.get("maxIterations")),
            max_time=int_or_none(data.get("maxTime")),
            overrides=as_object(data.get("overrides")),
            shows_overrides=isinstance(data.get("overrides"), Mapping),
            queue_position=queue_position_of(data),
            waiting_for=RunReference.parse(as_object(data.get("waitingFor"))),
            error=as_text(data.get("error")),
            log_size=int_or_none(data.get("logSize")),
            triggered_by=legible(as_text(data.get("triggeredBy")), LONGEST_NAME),
            imported=data.get("imported") is True,
        )

    @property
    def label(self) -> str:
        return run_label(self.id, self.number)

    @property
    def is_queued(self) -> bool:
        return self.status == "queued"

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def is_active(self) -> bool:
        """Neither waiting nor over. A status nobody knows counts as active: better
        a button that waits than a second run beside one that may be at work."""
        return not self.is_queued and not self.is_final


@dataclass(frozen=True, slots=True)
class WorkOrder:
    id: str
    prompt: str
    status: str
    workspace: str = ""
    profile_name: str = ""
    max_iterations: int | None = None
    max_time: int | None = None
    """Seconds."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    run_count: int | None = None
    runs: tuple[Run, ...] = ()
    """Newest first; a list of work orders leaves them out."""
    lists_runs: bool = False
    """Whether it says which there are: a server that leaves them out does not say none."""

    @classmethod
    def parse(cls, data: Json) -> Self:
        harness = as_object(data.get("harness"))
        profile = as_text(data.get("profileName")) or as_text(harness.get("profile"))
        max_iterations = int_or_none(data.get("maxIterations"))
        if max_iterations is None:
            max_iterations = int_or_none(
                as_object(harness.get("loopStrategy")).get("maxIterations")
            )
        work_order_id = required_id(data)
        run_count = int_or_none(data.get("runCount"))
        runs = [Run.parse(entry) for entry in as_objects(data.get("runs"))]
        return cls(
            id=work_order_id,
            prompt=as_text(data.get("taskPrompt")),
            status=_status(data.get("status")),
            workspace=_workspace(as_object(data.get("workspaceSource"))),
            profile_name=profile,
            max_iterations=max_iterations,
            max_time=int_or_none(data.get("maxTime")),
            created_at=datetime_or_none(data.get("createdAt")),
            updated_at=datetime_or_none(data.get("updatedAt")),
            run_count=run_count,
            runs=_newest_first(runs, work_order_id, run_count),
            lists_runs=isinstance(data.get("runs"), list) and bool(runs or not run_count),
        )

    def with_runs(self, runs: Sequence[Run]) -> "WorkOrder":
        """All of them, from elsewhere."""
        ordered = _newest_first(runs, self.id, self.run_count)
        return replace(self, runs=ordered, lists_runs=True)

    def with_run(self, run: Run) -> "WorkOrder":
        """The same at the moment at which ``run`` was read."""
        if any(listed.id == run.id for listed in self.runs):
            runs = tuple(run if listed.id == run.id else listed for listed in self.runs)
        else:
            runs = (run, *self.runs)
        return replace(self, runs=runs)

    @property
    def active_run(self) -> Run | None:
        return next((run for run in self.runs if run.is_active), None)

    @property
    def queued_runs(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.is_queued)

    @property
    def state_token(self) -> str:
        """What a dialog was opened on: another token, and it shows what is not true any more."""
        newest = f"{self.runs[0].status}/{self.runs[0].id}" if self.runs else "/"
        return f"{self.status}/{newest}"

    @property
    def next_run_number(self) -> int | None:
        """The number the next run will get; ``None`` where that is not certain."""
        newest = self.runs[0].number if self.runs else 0
        if newest is None or self.run_count is None or newest < self.run_count:
            return None
        return newest + 1


def _workspace(source: Json) -> str:
    place = as_text(source.get("path")) or as_text(source.get("repo")) or as_text(source.get("url"))
    branch = as_text(source.get("branch"))
    return f"{place} ({branch})" if place and branch else place


def _newest_first(
    runs: Sequence[Run], work_order_id: str, run_count: int | None
) -> tuple[Run, ...]:
    """Order runs, say whose they are, and number them where that is certain.

    A server that gives no numbers is counted for only when it lists every run
    and each has a start time; otherwise runs keep the names of their IDs.
    """
    runs = [replace(run, work_order_id=run.work_order_id or work_order_id) for run in runs]
    if all(run.number for run in runs):
        return tuple(sorted(runs, key=lambda run: run.number or 0, reverse=True))
    starts = {run.id: start for run in runs if (start := run.started_at or run.queued_at)}
    if len(starts) < len(runs):
        return tuple(runs)
    ordered = sorted(runs, key=lambda run: starts[run.id])
    if len(runs) == run_count and not any(run.number for run in runs):
        ordered = [replace(run, number=number) for number, run in enumerate(ordered, start=1)]
    return tuple(reversed(ordered))


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    description: str = ""
    max_iterations: int | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        max_iterations = int_or_none(data.get("maxIterations"))
        if max_iterations is None:
            max_iterations = int_or_none(as_object(data.get("loopStrategy")).get("maxIterations"))
        return cls(required_id(data, "name"), as_text(data.get("description")), max_iterations)


@dataclass(frozen=True, slots=True)
class Isolation:
    """How many workers isolate the commands of runs from their machine; why others do not."""

    isolated: int
    not_isolated: int
    reasons: tuple[str, ...]

    @classmethod
    def parse(cls, data: Json) -> Self:
        reasons = data.get("reasons")
        return cls(
            int_or_none(data.get("isolated"), minimum=0) or 0,
            int_or_none(data.get("notIsolated"), minimum=0) or 0,
            tuple(legible(as_text(reason), LONGEST_REASON) for reason in reasons)
            if isinstance(reasons, list)
            else (),
        )


@dataclass(frozen=True, slots=True)
class QueueHealth:
    waiting: int | None
    running: int | None
    slots: int | None
    """How many runs can be at work at once."""
    isolation: Isolation
    """All zero where the API does not tell."""

    @classmethod
    def parse(cls, data: Json) -> Self:
        stats = as_object(data.get("stats"))
        return cls(
            int_or_none(stats.get("waiting")),
            int_or_none(stats.get("running")),
            int_or_none(stats.get("maxConcurrent")),
            Isolation.parse(as_object(data.get("isolation"))),
        )


@dataclass(frozen=True, slots=True)
class LogPart:
    text: str
    offset: int
    next_offset: int
    size: int
    complete: bool

    @classmethod
    def parse(cls, data: Json) -> Self:
        offset = int_or_none(data.get("offset")) or 0
        next_offset = int_or_none(data.get("nextOffset")) or offset
        return cls(
            text=as_text(data.get("text")),
            offset=offset,
            next_offset=next_offset,
            size=int_or_none(data.get("size")) or next_offset,
            complete=data.get("complete") is True,
        )


@dataclass(frozen=True, slots=True)
class TriggeredRun(RunReference):
    """What a trigger's answer says of the run it made."""

    status: str = ""
    work_order_id: str = ""
    """The work order that the answer says it is about; empty where it does not say."""
    request_id: str = ""
    """The API's own of the answer."""

    @classmethod
    def required(cls, data: Json) -> Self:
        run = RunReference.required(data)
        work_order_id = optional_id(data, "workOrderId")
        return cls(run.id, run.number, _status(data.get("status")), work_order_id)


@dataclass(frozen=True, slots=True)
class RunOverrides:
    """What the operator set for one run; ``None`` and ``""``: as the profile says."""

    max_iterations: int | None = None
    profile_name: str = ""

    def body(self) -> Json | None:
        """The request's body; none at all when nothing is overridden."""
        body: dict[str, Any] = {}
        if self.max_iterations is not None:
            body["profileOverrides"] = {"loopStrategy": {"maxIterations": self.max_iterations}}
        if self.profile_name:
            body["profileName"] = self.profile_name
        return body or None

    @classmethod
    def parse(cls, body: Json) -> Self:
        strategy = as_object(as_object(body.get("profileOverrides")).get("loopStrategy"))
        return cls(int_or_none(strategy.get("maxIterations")), as_text(body.get("profileName")))
