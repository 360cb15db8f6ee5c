"""The shapes of the API's responses: what ``data`` and ``error.details`` hold.

The OpenAPI document is generated from these types, and mypy holds ``serializers`` and the views to
them. They are typed dictionaries, so a response costs nothing but its dictionary. Names are those
of the JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field, GetPydanticSchema

from workorders.embedded.api.requests import WORKSPACE_PATH, Iterations, RunRequest, Seconds
from workorders.embedded.models import Status

RUNS_SHOWN = 50
"""The most runs in the details of a work order."""


def _one_of(*statuses: Status) -> Any:
    return Field(json_schema_extra={"enum": [status.value for status in statuses]})


_DATE_TIME = Field(json_schema_extra={"format": "date-time"})

type Id = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
type Timestamp = Annotated[str, _DATE_TIME, Field(description="UTC, with milliseconds.")]
type TimestampOrNull = Annotated[str, _DATE_TIME] | None
type RunStatus = Annotated[
    str, _one_of(*Status), Field(description="building: the workspace is being copied.")
]
type WorkOrderStatus = Annotated[
    str,
    _one_of(*(status for status in Status if status != Status.BUILDING)),
    Field(
        description="A failed work order with a new queued run stays failed until that run starts."
    ),
]
Number = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


class Paging(TypedDict):
    total: Count
    limit: Annotated[int, Field(ge=1, le=100)]
    offset: Count
    hasMore: bool


class WorkspaceSource(TypedDict):
    type: Literal["local"]
    path: Annotated[str, WORKSPACE_PATH]


class WorkOrder(TypedDict):
    id: Id
    taskPrompt: str
    status: WorkOrderStatus
    workspaceSource: WorkspaceSource
    createdAt: Timestamp
    updatedAt: Timestamp
    runCount: Annotated[int, Field(ge=0, description="With the runs that were removed.")]


class WorkOrderPage(Paging):
    items: Sequence[WorkOrder]


class Run(TypedDict):
    id: Id
    runNumber: Number
    status: RunStatus
    queuedAt: Timestamp
    startedAt: TimestampOrNull
    completedAt: TimestampOrNull
    iterationCount: Count
    workOrderId: Id
    queuePosition: Annotated[Number | None, Field(description="1 is next; null unless queued.")]
    triggeredBy: Annotated[
        str | None,
        Field(
            description="The name of the API key that it was started with; null: the server's own."
        ),
    ]
    imported: Annotated[bool, Field(description="History that was never executed on this server.")]


class RunPage(Paging):
    items: Sequence[Run]


class Verification(TypedDict):
    passed: bool
    exitCode: int
    output: Annotated[str, Field(description="The last 8 KB of what it printed.")]


class Iteration(TypedDict):
    number: Number
    status: Annotated[str, Field(json_schema_extra={"enum": ["running", "passed", "failed"]})]
    startedAt: Timestamp
    completedAt: TimestampOrNull
    agentExitCode: Annotated[
        int | None, Field(description="Negative: ended by that signal. null: not ended yet.")
    ]
    verification: Annotated[
        Verification | None,
        Field(description="null when the agent failed or the iteration is not that far."),
    ]


class RunReference(TypedDict):
    runId: Id
    runNumber: Number


class RunDetail(Run):
    iterations: Sequence[Iteration]
    profileName: str
    maxIterations: Iterations
    maxTime: Seconds
    overrides: Annotated[
        Mapping[str, Any],
        GetPydanticSchema(lambda _, handler: handler(RunRequest)),
        Field(description="The body of the trigger as it was sent."),
    ]
    waitingFor: Annotated[
        RunReference | None,
        Field(description="The active run of the same work order that this queued run waits for."),
    ]
    error: str | None
    logSize: Annotated[int, Field(ge=0, description="Bytes.")]


class LoopStrategy(TypedDict):
    mode: Literal["fixed"]
    maxIterations: Iterations


class VerificationLevels(TypedDict):
    waitForCI: bool
    skipLevels: Sequence[str]


class GitOps(TypedDict):
    mode: Literal["local"]


class Harness(TypedDict):
    profile: str
    loopStrategy: LoopStrategy
    verification: VerificationLevels
    gitOps: GitOps


class WorkOrderDetail(WorkOrder):
    profileName: str
    maxIterations: Annotated[
        Iterations, Field(description="In force: the work order's own, else its profile's.")
    ]
    maxTime: Seconds
    runs: Annotated[
        Sequence[Run],
        Field(
            max_length=RUNS_SHOWN,
            description=f"The newest {RUNS_SHOWN}, newest first; the rest is in GET /runs.",
        ),
    ]
    harness: Harness


class TriggeredRun(RunReference):
    status: Literal["queued"]
    startedAt: None
    workOrderId: Id


class QueuedRun(RunReference):
    status: Literal["queued"]
    queuePosition: Number


class ActiveRun(RunReference):
    status: Annotated[str, _one_of(Status.BUILDING, Status.RUNNING)]
    startedAt: TimestampOrNull


class CanceledRun(TypedDict):
    id: Id
    status: Annotated[
        str,
        _one_of(Status.BUILDING, Status.RUNNING, Status.CANCELED),
        Field(description="canceled when it was queued; an active run has been asked to stop."),
    ]
    message: str


class CanceledWorkOrder(TypedDict):
    id: Id
    status: Annotated[str, _one_of(Status.CANCELED)]
    message: str
    wasRunning: Annotated[bool, Field(description="Whether a run was active.")]


class _ProfileName(TypedDict):
    name: str
    description: str | None
    extends: None
    isBuiltIn: bool


class Profile(_ProfileName):
    maxIterations: Iterations
    maxTime: Seconds


class ProfileList(TypedDict):
    items: Sequence[Profile]
    total: Count


class ExecutionLimits(TypedDict):
    maxWallClockSeconds: Seconds


class ProfileDetail(_ProfileName):
    loopStrategy: LoopStrategy
    executionLimits: ExecutionLimits
