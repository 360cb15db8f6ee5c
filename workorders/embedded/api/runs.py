"""Runs: trigger, list, show, cancel."""

from django.http import HttpRequest

from workorders.embedded import transitions
from workorders.embedded.api import serializers
from workorders.embedded.api.lookups import get_run, is_id, no_such_work_order
from workorders.embedded.api.paging import read_page, take
from workorders.embedded.api.responses import ApiError, ApiResponse, caller, conflict, success
from workorders.embedded.api.validation import Fields, read_body, read_idempotency_key, read_query
from workorders.embedded.models import Run, Status
from workorders.embedded.profiles import MAX_ITERATIONS
from workorders.embedded.reaping import reap_in_passing
from workorders.embedded.triggering import Trigger, trigger_run

STATUSES = {status.value: status.value for status in Status} | {"cancelled": Status.CANCELED.value}


def trigger(request: HttpRequest, work_order_id: str) -> ApiResponse:
    key = read_idempotency_key(request)
    body = read_body(request)
    profile_name = body.text("profileName", maximum=64, label="Profile name")
    max_iterations = _read_overrides(body)
    body.refuse_unknown()
    body.finish()
    if not is_id(work_order_id):
        raise no_such_work_order(work_order_id)
    reap_in_passing()
    run, replayed = trigger_run(
        Trigger(
            work_order_id=work_order_id,
            profile_name=profile_name,
            max_iterations=max_iterations,
            sent=body.values,
            key=key,
            triggered_by=caller(request).name,
        )
    )
    return _triggered(run, {"Idempotency-Replayed": "true"} if replayed else {})


def _read_overrides(body: Fields) -> int | None:
    """Max iterations, or None when it is not overridden."""
    overrides = body.section("profileOverrides")
    loop = overrides.section("loopStrategy") if overrides else None
    max_iterations = None
    if loop:
        max_iterations = loop.integer("maxIterations", minimum=1, maximum=MAX_ITERATIONS)
        loop.refuse_unknown()
    if overrides:
        overrides.refuse_unknown()
    return max_iterations


def _triggered(run: Run, headers: dict[str, str]) -> ApiResponse:
    """What was true at the trigger, so a repeated request is told the same."""
    data = {"runId": run.pk, "runNumber": run.number, "status": Status.QUEUED.value}
    if run.answered_position is None:
        started = {"startedAt": None, "workOrderId": run.work_order_id}
        return success(data | started, 201, headers)
    return ApiError(
        202,
        "CAPACITY_EXCEEDED",
        "Server at capacity. The run has been queued.",
        data | {"queuePosition": run.answered_position},
        headers,
    ).response


def list_runs(request: HttpRequest) -> ApiResponse:
    query = read_query(request)
    work_order_id = query.text("workOrderId", maximum=64, label="Work order ID")
    status = query.choice("status", STATUSES)
    limit, offset = read_page(query)
    query.finish()
    reap_in_passing()
    runs = Run.objects.newest_first()
    if work_order_id:
        # Within a work order the number is the order, whatever the clocks said.
        runs = runs.filter(work_order=work_order_id).order_by("-number")
    if status:
        runs = runs.filter(status=status)
    rows, total = take(runs, limit, offset)
    return success(serializers.page(serializers.run_items(rows), total, limit, offset))


def show_run(request: HttpRequest, run_id: str) -> ApiResponse:  # noqa: ARG001
    reap_in_passing()
    return success(serializers.run_detail(get_run(run_id)))


def cancel_run(request: HttpRequest, run_id: str) -> ApiResponse:  # noqa: ARG001
    reap_in_passing()
    run = get_run(run_id)
    status = transitions.cancel_run(run)
    if status is None:
        run.refresh_from_db()
        raise conflict(f"Cannot cancel run in status '{run.status}'")
    asked = "Run canceled" if status == Status.CANCELED else "The run has been asked to stop"
    return success({"id": run.pk, "status": status, "message": asked}, status=202)
