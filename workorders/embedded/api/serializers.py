"""The JSON of the API, made from stored rows. ``schemas`` describes every member.

Times are strings such as ``2025-01-31T09:30:00.000Z`` (UTC, ISO 8601), or null if the event has
not happened.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import overload

from workorders.embedded.api import schemas
from workorders.embedded.models import Iteration, Run, Status, WorkOrder
from workorders.embedded.profiles import (
    DEFAULT_MAX_ITERATIONS,
    DEFAULT_TIME_LIMIT,
    Profile,
    Profiles,
)


@overload
def timestamp(value: dt.datetime) -> str: ...
@overload
def timestamp(value: None) -> None: ...
def timestamp(value: dt.datetime | None) -> str | None:
    """The time as a string in UTC with milliseconds and ``Z``; None for None."""
    if value is None:
        return None
    utc = value.astimezone(dt.UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def work_order_item(work_order: WorkOrder) -> schemas.WorkOrder:
    """A work order as an item of a list."""
    return {
        "id": work_order.pk,
        "taskPrompt": work_order.prompt,
        "status": work_order.status,
        "workspaceSource": {"type": "local", "path": work_order.workspace_path},
        "createdAt": timestamp(work_order.created_at),
        "updatedAt": timestamp(work_order.updated_at),
        "runCount": work_order.run_count,
    }


def work_order_detail(
    work_order: WorkOrder, runs: Sequence[Run], profiles: Profiles
) -> schemas.WorkOrderDetail:
    """A work order with its newest runs and the limits that apply to its next run.

    A limit is the work order's own, otherwise the limit of its profile.
    """
    profile = profiles.named(work_order.profile_name)
    name = profile.name if profile else work_order.profile_name
    max_iterations = work_order.max_iterations or (
        profile.max_iterations if profile else DEFAULT_MAX_ITERATIONS
    )
    max_time = work_order.max_time or (profile.time_limit if profile else DEFAULT_TIME_LIMIT)
    return {
        **work_order_item(work_order),
        "profileName": name,
        "maxIterations": max_iterations,
        "maxTime": max_time,
        "runs": run_items(runs),
        "harness": {
            "profile": name,
            "loopStrategy": {"mode": "fixed", "maxIterations": max_iterations},
            "verification": {"waitForCI": False, "skipLevels": []},
            "gitOps": {"mode": "local"},
        },
    }


def run_items(runs: Iterable[Run]) -> list[schemas.Run]:
    """The runs as items of a list, with their places in the queue from one query.

    A worker may take a run between the query for ``runs`` and the query for the places. Such a
    run has no place any more, so it is read again and shown with its new status.
    """
    runs = list(runs)
    positions = queue_positions(runs)
    taken = [run.pk for run in runs if run.status == Status.QUEUED and run.pk not in positions]
    reread = Run.objects.in_bulk(taken)
    return [_run(reread.get(run.pk, run), positions) for run in runs]


def run_detail(run: Run) -> schemas.RunDetail:
    """The run with its iterations and its blocking run, all read while its status was the same.

    A worker may claim the run between two queries. The response would then say that a queued run
    waits for itself, so the queries are repeated until the status has not changed.
    """
    while True:
        detail, status = _run_detail(run), run.status
        run.refresh_from_db()
        if run.status == status:
            return detail


def _run_detail(run: Run) -> schemas.RunDetail:
    blocking = run.work_order.runs.active().first() if run.status == Status.QUEUED else None
    return {
        **_run(run, queue_positions([run])),
        "iterations": [_iteration(iteration) for iteration in run.iterations.order_by("number")],
        "profileName": run.profile_name,
        "maxIterations": run.max_iterations,
        "maxTime": run.max_time,
        "overrides": run.overrides,
        "waitingFor": {"runId": blocking.pk, "runNumber": blocking.number} if blocking else None,
        "error": run.error or None,
        "logSize": run.log_size,
    }


def queue_positions(runs: Sequence[Run]) -> dict[str, int]:
    """The 1-based places in the queue, by run ID. Runs that are not queued are left out."""
    waiting = [run.queued_at for run in runs if run.status == Status.QUEUED]
    if not waiting:
        return {}
    queue = Run.objects.queued().filter(queued_at__lte=max(waiting))
    return {run_id: place for place, run_id in enumerate(queue.values_list("pk", flat=True), 1)}


def profile_item(profile: Profile) -> schemas.Profile:
    """A profile as an item of a list."""
    return {
        "name": profile.name,
        "description": profile.description or None,
        "extends": None,
        "isBuiltIn": profile.built_in,
        "maxIterations": profile.max_iterations,
        "maxTime": profile.time_limit,
    }


def profile_detail(profile: Profile) -> schemas.ProfileDetail:
    """A profile with its limits."""
    return {
        "name": profile.name,
        "description": profile.description or None,
        "extends": None,
        "isBuiltIn": profile.built_in,
        "loopStrategy": {"mode": "fixed", "maxIterations": profile.max_iterations},
        "executionLimits": {"maxWallClockSeconds": profile.time_limit},
    }


def _run(run: Run, positions: dict[str, int]) -> schemas.Run:
    """A run as an item of a list."""
    return {
        "id": run.pk,
        "runNumber": run.number,
        "status": run.status,
        "queuedAt": timestamp(run.queued_at),
        "startedAt": timestamp(run.started_at),
        "completedAt": timestamp(run.completed_at),
        "iterationCount": run.iteration_count,
        "workOrderId": run.work_order_id,
        "queuePosition": positions.get(run.pk),
        "triggeredBy": run.triggered_by or None,
        "imported": run.imported,
    }


def _iteration(iteration: Iteration) -> schemas.Iteration:
    exit_code = iteration.verify_exit_code
    return {
        "number": iteration.number,
        "status": iteration.status,
        "startedAt": timestamp(iteration.started_at),
        "completedAt": timestamp(iteration.completed_at),
        "agentExitCode": iteration.agent_exit_code,
        "verification": None
        if exit_code is None
        else {
            "passed": exit_code == 0,
            "exitCode": exit_code,
            "output": iteration.verify_output,
        },
    }
