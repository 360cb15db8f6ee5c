"""The runs API's JSON as typed values.

Real servers omit fields, add others and send null. Only IDs are required: ``parse`` raises
``ValueError`` where a required ID is missing. Any other missing value is ``None`` or empty,
and the pages then leave that fact out. Unknown fields are ignored.

JSON shapes, unless a class says otherwise: names are camelCase; timestamps are ISO 8601 strings,
here ``datetime`` in UTC; counts are integers.
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
"""The most characters that a page shows of a status, which may be one that it does not know."""

LONGEST_NAME = 255
"""The most characters of an API key's name."""
LONGEST_REASON = 1_000
"""The most characters of the reason why a worker does not isolate commands."""


def _status(value: object) -> str:
    """Return a status as the pages name it, ``unknown`` if missing.

    The API may spell ``cancelled`` with one l; the pages use two.
    """
    status = legible(as_text(value), LONGEST_STATUS) or "unknown"
    return "cancelled" if status == "canceled" else status


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """One page of a list: ``{"items": [...], "total", "limit", "offset", "hasMore"}``."""

    items: tuple[Item, ...]
    total: int | None
    """How many items there are on all pages; ``None``: the API does not say."""
    limit: int
    """The most items that the page may have."""
    offset: int
    """How many items come before this page."""
    has_more: bool
    """Whether there are items after this page."""

    @classmethod
    def parse(
        cls, data: Json, item: Callable[[Json], Item], *, limit: int = 0, offset: int = 0
    ) -> Self:
        items = tuple(item(entry) for entry in as_objects(data.get("items")))
        """Parse a page.

        Args:
            data: the JSON object.
            item: parses one item.
            limit: the limit that was requested, for servers that do not repeat it.
            offset: the offset that was requested, for servers that do not repeat it.
        """
        limit = int_or_none(data.get("limit")) or limit
        offset = int_or_none(data.get("offset")) or offset
        total = int_or_none(data.get("total"))
        # Some servers send a wrong hasMore, so the total takes precedence.
        more = data.get("hasMore") is True if total is None else offset + len(items) < total
        return cls(items, total, limit, offset, has_more=more and bool(items))


@dataclass(frozen=True, slots=True)
class Iteration:
    """One iteration of a run's loop: the agent works, then the verification checks the result."""

    number: int
    """Counted from 1."""
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    agent_exit_code: int | None
    verified: bool | None
    """Whether the verification passed; ``None``: the verification has not run."""
    verification_exit_code: int | None
    verification_output: str

    @classmethod
    def parse(cls, data: Json, position: int) -> Self:
        """Parse an iteration. ``position``, counted from 1, replaces a missing number."""
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
    """A run as other objects refer to it: ``{"runId": string, "runNumber": integer or null}``.

    Responses to triggers, details of errors and runs that wait for another run have this shape.
    """

    id: str
    number: int | None = None
    """Counted from 1 within the work order; ``None``: the API gives no numbers."""

    @classmethod
    def required(cls, data: Json) -> Self:
        """Parse a reference. Raises ``ValueError`` if the object names no run."""
        return cls(required_id(data, "runId"), as_run_number(data.get("runNumber")))

    @classmethod
    def parse(cls, data: Json) -> Self | None:
        """Parse a reference; ``None`` if the object names no run."""
        try:
            return cls.required(data)
        except ValueError:
            return None

    @property
    def label(self) -> str:
        return run_label(self.id, self.number)


def queue_position_of(data: Json, key: str = "queuePosition") -> int | None:
    """Return a position in the queue.

    1 is next; ``None``: the run is not queued, or the API does not say.
    """
    return int_or_none(data.get(key), minimum=1)


def run_label(run_id: str, number: int | None) -> str:
    """Return the name of a run on pages: by number where the API gives one, else by ID."""
    return f"Run #{number}" if number else f"Run {legible(run_id)}"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a work order."""

    id: str
    status: str
    work_order_id: str = ""
    number: int | None = None
    """Counted from 1 within the work order; ``None``: the API gives no numbers."""
    queued_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    iteration_count: int | None = None
    iterations: tuple[Iteration, ...] = ()
    profile_name: str = ""
    max_iterations: int | None = None
    max_time: int | None = None
    """The most seconds that the run may take."""
    overrides: Json = field(default_factory=dict)
    """What was set for this run, in the shape of ``RunOverrides.body``."""
    shows_overrides: bool = False
    """Whether the API reports overrides. If true, empty ``overrides`` mean that none were set."""
    queue_position: int | None = None
    """1 is next; ``None``: the run is not queued, or the API does not say."""
    waiting_for: RunReference | None = None
    """The run that must end before this run can start."""
    error: str = ""
    """Why the run failed."""
    log_size: int | None = None
    """Bytes; ``None``: the API keeps no log of the run."""
    triggered_by: str = ""
    """The name of the API key that started the run.

    Empty: an operator started the run, or the API does not say.
    """
    imported: bool = False
    """Whether the run is imported history, which this API did not execute."""

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
        """Whether the run is over: its status does not change any more."""
        return self.status in FINAL_STATUSES

    @property
    def is_active(self) -> bool:
        """Whether the run is neither queued nor over.

        A run with an unknown status counts as active, because it may be at work: a disabled
        button is better than a second run beside the first.
        """
        return not self.is_queued and not self.is_final


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A task for the agent, which can have many runs."""

    id: str
    prompt: str
    status: str
    """One of ``WORK_ORDER_STATUSES``, or another word of the API."""
    workspace: str = ""
    """The path, repository or URL of the workspace, with the branch in parentheses if named."""
    profile_name: str = ""
    max_iterations: int | None = None
    max_time: int | None = None
    """The most seconds that a run may take."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    run_count: int | None = None
    runs: tuple[Run, ...] = ()
    """Newest first; lists of work orders omit the runs."""
    lists_runs: bool = False
    """Whether ``runs`` is known to be the work order's runs.

    If false, the server has omitted the runs, and empty ``runs`` do not mean that there are none.
    """

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
        """Return a copy with all runs of the work order, which another call has read."""
        ordered = _newest_first(runs, self.id, self.run_count)
        return replace(self, runs=ordered, lists_runs=True)

    def with_run(self, run: Run) -> "WorkOrder":
        """Return a copy in which ``run`` replaces its older version, or is added as newest."""
        if any(listed.id == run.id for listed in self.runs):
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


def _workspace(source: Json) -> str:
    """Return the location of ``{"path" or "repo" or "url": string, "branch": string or null}``."""
    location = (
        as_text(source.get("path")) or as_text(source.get("repo")) or as_text(source.get("url"))
    )
    branch = as_text(source.get("branch"))
    return f"{location} ({branch})" if location and branch else location


def _newest_first(
    runs: Sequence[Run], work_order_id: str, run_count: int | None
) -> tuple[Run, ...]:
    """Return the runs in order, newest first, each with its work order's ID.

    Runs without numbers are numbered here only if the server lists every run (``run_count``) and
    each run has a timestamp. Otherwise the runs keep no numbers, and pages name them by ID. Runs
    without numbers and timestamps stay in the server's order.
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
    """A named set of defaults for runs."""

    name: str
    description: str = ""
    max_iterations: int | None = None
    """``None``: the API does not say."""

    @classmethod
    def parse(cls, data: Json) -> Self:
        max_iterations = int_or_none(data.get("maxIterations"))
        if max_iterations is None:
            max_iterations = int_or_none(as_object(data.get("loopStrategy")).get("maxIterations"))
        return cls(required_id(data, "name"), as_text(data.get("description")), max_iterations)


@dataclass(frozen=True, slots=True)
class Isolation:
    """How many workers isolate the commands of runs from their machine.

    ``{"isolated": integer, "notIsolated": integer, "reasons": [string, ...]}``
    """

    isolated: int
    not_isolated: int
    reasons: tuple[str, ...]
    """Why workers do not isolate commands, as sentences for people."""

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
    """The load of the runs API.

    ``{"stats": {"waiting", "running", "maxConcurrent": integer or null}, "isolation": {...}}``
    """

    waiting: int | None
    """How many runs are queued; ``None``: the API does not say."""
    running: int | None
    """How many runs are at work; ``None``: the API does not say."""
    slots: int | None
    """How many runs can be at work at once; ``None``: the API does not say."""
    isolation: Isolation
    """Zero workers and no reasons where the API does not report isolation."""

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
    """Part of a run's log."""

    text: str
    offset: int
    """Where the part begins, in bytes of the log."""
    next_offset: int
    """Where the next part begins, in bytes of the log."""
    size: int
    """The size of the log so far, in bytes."""
    complete: bool
    """Whether the run is over and the part reaches the end of its log."""

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
    """The run in the response to a trigger."""

    status: str = ""
    work_order_id: str = ""
    """The work order that the response names; empty where the response names none."""
    request_id: str = ""
    """The API's ID of the trigger request."""

    @classmethod
    def required(cls, data: Json) -> Self:
        """Parse the response. Raises ``ValueError`` if the response names no run."""
        run = RunReference.required(data)
        work_order_id = optional_id(data, "workOrderId")
        return cls(run.id, run.number, _status(data.get("status")), work_order_id)


@dataclass(frozen=True, slots=True)
class RunOverrides:
    """What the operator set for one run.

    ``None`` for ``max_iterations`` means that the profile's value applies, and an empty
    ``profile_name`` that the work order's profile applies.
    """

    max_iterations: int | None = None
    profile_name: str = ""

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
        """Parse overrides in the shape of ``body``; missing parts are not overridden."""
        strategy = as_object(as_object(body.get("profileOverrides")).get("loopStrategy"))
        return cls(int_or_none(strategy.get("maxIterations")), as_text(body.get("profileName")))
