"""Endpoints that report how busy the workers are and where a work order waits in the queue."""

from statistics import mean

from django.http import HttpRequest
from django.utils import timezone

from workorders.embedded.api.lookups import get_work_order
from workorders.embedded.api.responses import ApiResponse, not_found, success
from workorders.embedded.api.serializers import queue_positions, timestamp
from workorders.embedded.models import Run, Worker
from workorders.embedded.reaping import reap_in_passing

RECENT_RUNS = 20


def queue_health(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    """The state of the queue and of the workers.

    ``maxConcurrent`` is the number of live workers. ``averageWaitMs`` is in milliseconds, 0
    without recent runs. ``maxQueueSize`` is null, because the queue has no limit.
    ``utilization`` is running runs divided by workers. ``isolation`` counts the workers with
    and without isolation and lists the distinct reasons.
    """
    reap_in_passing()
    reasons = list(Worker.objects.live().values_list("not_isolated", flat=True))
    slots = len(reasons)
    waiting = Run.objects.queued().count()
    running = Run.objects.active().count()
    return success(
        {
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
    )


def _average_wait_ms() -> int:
    recent = (
        Run.objects.newest_first()
        .filter(started_at__isnull=False, imported=False)
        .values_list("queued_at", "started_at")[:RECENT_RUNS]
    )
    waits = [(started - queued).total_seconds() for queued, started in recent if started]
    return round(mean(waits) * 1000) if waits else 0


def queue_position(request: HttpRequest, work_order_id: str) -> ApiResponse:  # noqa: ARG001
    """The place of the work order's oldest queued run.

    ``{"workOrderId", "runId", "runNumber", "position", "ahead"}``; ``position`` is 1-based and
    ``ahead`` is the number of runs before this one. Raises ``ApiError`` (404) if the work order
    is unknown or none of its runs is queued.
    """
    work_order = get_work_order(work_order_id)
    while run := work_order.runs.queued().first():
        position = queue_positions([run]).get(run.pk)
        if position is not None:  # without a position, a worker has just taken the run
            return success(
                {
                    "workOrderId": work_order.pk,
                    "runId": run.pk,
                    "runNumber": run.number,
                    "position": position,
                    "ahead": position - 1,
                }
            )
    raise not_found(f"Work order not found in queue: {work_order_id}")
