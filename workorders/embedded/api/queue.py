"""Endpoints that report how busy the workers are and where a work order waits in the queue."""

from collections.abc import Sequence
from statistics import mean
from typing import Annotated, Literal, TypedDict

from django.http import HttpRequest
from django.utils import timezone
from pydantic import Field

from workorders.embedded.api.lookups import get_work_order
from workorders.embedded.api.operations import NOT_FOUND, Operation
from workorders.embedded.api.responses import ApiResponse, not_found, success
from workorders.embedded.api.schemas import Count, Id, Number, Timestamp
from workorders.embedded.api.serializers import queue_positions, timestamp
from workorders.embedded.models import Run, Worker
from workorders.embedded.reaping import reap_in_passing

RECENT_RUNS = 20


class QueueStats(TypedDict):
    waiting: Count
    running: Count
    maxConcurrent: Annotated[
        int, Field(ge=0, description="Live workers; each executes one run at a time.")
    ]
    averageWaitMs: Annotated[int, Field(ge=0, description="0 without recent runs.")]
    maxQueueSize: Annotated[None, Field(description="The queue has no limit.")]
    accepting: bool


class QueueIsolation(TypedDict):
    """Of the live workers: whether commands are isolated from the worker's machine, and why not."""

    isolated: Count
    notIsolated: Count
    reasons: Sequence[str]


class QueueIndicators(TypedDict):
    accepting: bool
    canStartImmediately: bool
    queueDepth: Count
    runningCount: Count


class QueueHealth(TypedDict):
    status: Annotated[
        Literal["healthy", "unhealthy"], Field(description="unhealthy: no worker is alive.")
    ]
    stats: QueueStats
    isolation: QueueIsolation
    utilization: Annotated[float, Field(ge=0, description="Running runs, divided by workers.")]
    timestamp: Timestamp
    indicators: QueueIndicators


@Operation(tag="queue", summary="How busy the workers are", returns=QueueHealth, says="Now.")
def queue_health(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    reap_in_passing()
    reasons = list(Worker.objects.live().values_list("not_isolated", flat=True))
    slots = len(reasons)
    waiting = Run.objects.queued().count()
    running = Run.objects.active().count()
    health: QueueHealth = {
        "status": "healthy" if slots else "unhealthy",
        "stats": {
            "waiting": waiting,
            "running": running,
            "maxConcurrent": slots,
            "averageWaitMs": _average_wait_ms(),
            "maxQueueSize": None,
            "accepting": True,
        },
        "isolation": {
            "isolated": reasons.count(""),
            "notIsolated": sum(1 for reason in reasons if reason),
            "reasons": sorted({reason for reason in reasons if reason}),
        },
        "utilization": round(running / slots, 2) if slots else 0,
        "timestamp": timestamp(timezone.now()),
        "indicators": {
            "accepting": True,
            "canStartImmediately": running + waiting < slots,
            "queueDepth": waiting,
            "runningCount": running,
        },
    }
    return success(health)


def _average_wait_ms() -> int:
    recent = (
        Run.objects.newest_first()
        .filter(started_at__isnull=False, imported=False)
        .values_list("queued_at", "started_at")[:RECENT_RUNS]
    )
    waits = [(started - queued).total_seconds() for queued, started in recent if started]
    return round(mean(waits) * 1000) if waits else 0


class QueuePosition(TypedDict):
    """Of the work order's oldest queued run."""

    workOrderId: Id
    runId: Id
    runNumber: Number
    position: Number
    ahead: Annotated[int, Field(ge=0, description="How many runs come before this run.")]


@Operation(
    tag="queue",
    summary="Where a work order waits",
    returns=QueuePosition,
    says="Its place.",
    refusals=(NOT_FOUND,),
)
def queue_position(request: HttpRequest, work_order_id: str) -> ApiResponse:  # noqa: ARG001
    work_order = get_work_order(work_order_id)
    while run := work_order.runs.queued().first():
        position = queue_positions([run]).get(run.pk)
        if position is not None:  # without a position, a worker has just taken the run
            place: QueuePosition = {
                "workOrderId": work_order.pk,
                "runId": run.pk,
                "runNumber": run.number,
                "position": position,
                "ahead": position - 1,
            }
            return success(place)
    raise not_found(f"Work order not found in queue: {work_order_id}")
