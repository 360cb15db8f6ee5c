"""From stored rows to the JSON of the contract: camelCase, times in UTC with milliseconds."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from workorders.embedded.models import Iteration, Run, Status, WorkOrder
from workorders.embedded.profiles import (
    DEFAULT_MAX_ITERATIONS,
    DEFAULT_TIME_LIMIT,
    Profile,
    Profiles,
)

type Json = dict[str, Any]


def timestamp(value: dt.datetime | None) -> str | None:
    if value is None:
        return None
    utc = value.astimezone(dt.UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page(items: Sequence[Json], total: int, limit: int, offset: int) -> Json:
    return {
        "items": items,
        "total": total,
        "limit": limit,
        "offset": offset,
        "hasMore": offset + len(items) < total,
    }


def work_order_item(work_order: WorkOrder) -> Json:
    return {
        "id": work_order.pk,
        "taskPrompt": work_order.prompt,
        "status": work_order.status,
        "workspaceSource": {"type": "local", "path": work_order.workspace_path},
        "createdAt": timestamp(work_order.created_at),
        "updatedAt": timestamp(work_order.updated_at),
        "runCount": work_order.run_count,
    }


def work_order_detail(work_order: WorkOrder, runs: Sequence[Run], profiles: Profiles) -> Json:
    """With the limits in force: the work order's own, else its profile's."""
    profile = profiles.named(work_order.profile_name)
    name = profile.name if profile else work_order.profile_name
    max_iterations = work_order.max_iterations or (
        profile.max_iterations if profile else DEFAULT_MAX_ITERATIONS
    )
    max_time = work_order.max_time or (profile.time_limit if profile else DEFAULT_TIME_LIMIT)
    return work_order_item(work_order) | {
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


def run_items(runs: Iterable[Run]) -> list[Json]:
    """Their places in the queue are those of one moment.

    A run that was taken from it after ``runs`` was read, and before the places were, has none:
    it is shown as it is by now.
    """
    runs = list(runs)
    positions = queue_positions(runs)
    left = [run.pk for run in runs if run.status == Status.QUEUED and run.pk not in positions]
    now = Run.objects.in_bulk(left)
    return [_run(now.get(run.pk, run), positions) for run in runs]


def run_detail(run: Run) -> Json:
    """The run with all its parts, read as of one moment of its life.

    A worker may claim it between two queries: a queued run would then wait for itself.
    """
    while True:
        response, status = _run_detail(run), run.status
        run.refresh_from_db()
        if run.status == status:
            return response


def _run_detail(run: Run) -> Json:
    blocking = run.work_order.runs.active().first() if run.status == Status.QUEUED else None
    return _run(run, queue_positions([run])) | {
        "iterations": [_iteration(iteration) for iteration in run.iterations.order_by("number")],
        "profileName": run.profile_name,
        "maxIterations": run.max_iterations,
        "maxTime": run.max_time,
        "overrides": run.overrides,
        "waitingFor": blocking and {"runId": blocking.pk, "runNumber": blocking.number},
        "error": run.error or None,
        "logSize": run.log_size,
    }


def queue_positions(runs: Sequence[Run]) -> dict[str, int]:
    """1-based places in the queue of those that are queued."""
    waiting = [run.queued_at for run in runs if run.status == Status.QUEUED]
    if not waiting:
        return {}
    queue = Run.objects.queued().filter(queued_at__lte=max(waiting))
    return {run_id: place for place, run_id in enumerate(queue.values_list("pk", flat=True), 1)}


def profile_item(profile: Profile) -> Json:
    return {
        "name": profile.name,
        "description": profile.description or None,
        "extends": None,
        "isBuiltIn": profile.built_in,
        "maxIterations": profile.max_iterations,
        "maxTime": profile.time_limit,
    }


def profile_detail(profile: Profile) -> Json:
    return {
        "name": profile.name,
        "description": profile.description or None,
        "extends": None,
        "isBuiltIn": profile.built_in,
        "loopStrategy": {"mode": "fixed", "maxIterations": profile.max_iterations},
        "executionLimits": {"maxWallClockSeconds": profile.time_limit},
    }


def _run(run: Run, positions: dict[str, int]) -> Json:
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


def _iteration(iteration: Iteration) -> Json:
    verified = iteration.verify_exit_code is not None
    return {
        "number": iteration.number,
        "status": iteration.status,
        "startedAt": timestamp(iteration.started_at),
        "completedAt": timestamp(iteration.completed_at),
        "agentExitCode": iteration.agent_exit_code,
        "verification": {
            "passed": iteration.verify_exit_code == 0,
            "exitCode": iteration.verify_exit_code,
            "output": iteration.verify_output,
        }
        if verified
        else None,
    }
