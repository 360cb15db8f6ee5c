"""Endpoints that trigger, list, show and cancel runs."""

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
    """Trigger a run of the work order.

    Body, all members optional:
    ``{"profileName", "profileOverrides": {"loopStrategy": {"maxIterations"}}}``.
    The response is 201 with the run if a worker is free, or 202 CAPACITY_EXCEEDED with the
    place in the queue. A repeated idempotency key gets the response of the first request, with
    the header ``Idempotency-Replayed: true``.

    Raises:
        ApiError: 400 for a wrong body, 403 or 409 if the work order may not run, 404 if it is
            unknown, 422 for a key of another request, 503 if the database cannot be used.
    """
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
    """The requested maximum of iterations, or None if the request does not override it."""
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
    """The response to a trigger.

    It describes the run as it was when it was created, so that a repeated request gets the same
    response. ``startedAt`` is therefore always null.
    """
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
    """A page of runs, newest first. Query: ``workOrderId``, ``status``, ``limit``, ``offset``."""
    query = read_query(request)
    work_order_id = query.text("workOrderId", maximum=64, label="Work order ID")
    status = query.choice("status", STATUSES)
    limit, offset = read_page(query)
    query.finish()
    reap_in_passing()
    runs = Run.objects.newest_first()
    if work_order_id:
        # Runs of one work order are sorted by number, because clocks of hosts differ.
        runs = runs.filter(work_order=work_order_id).order_by("-number")
    if status:
        runs = runs.filter(status=status)
    rows, total = take(runs, limit, offset)
    return success(serializers.page(serializers.run_items(rows), total, limit, offset))


def show_run(request: HttpRequest, run_id: str) -> ApiResponse:  # noqa: ARG001
    """A run with its iterations and limits. Raises ``ApiError`` (404) for an unknown run."""
    reap_in_passing()
    return success(serializers.run_detail(get_run(run_id)))


def cancel_run(request: HttpRequest, run_id: str) -> ApiResponse:  # noqa: ARG001
    """Cancel a queued run or ask an active run to stop: 202 ``{"id", "status", "message"}``.

    Raises ``ApiError``: 404 for an unknown run, 409 for a run that has already ended.
    """
    reap_in_passing()
    run = get_run(run_id)
    status = transitions.cancel_run(run)
    if status is None:
        run.refresh_from_db()
        raise conflict(f"Cannot cancel run in status '{run.status}'")
    asked = "Run canceled" if status == Status.CANCELED else "The run has been asked to stop"
    return success({"id": run.pk, "status": status, "message": asked}, status=202)
