"""Endpoints that trigger, list, show and cancel runs."""

from django.http import HttpRequest

from workorders.embedded import transitions, triggering
from workorders.embedded.api import serializers
from workorders.embedded.api.lookups import get_run, is_id, no_such_work_order
from workorders.embedded.api.operations import CONFLICT, NOT_FOUND, Operation, Refusal
from workorders.embedded.api.paging import take
from workorders.embedded.api.requests import RunQuery, RunRequest
from workorders.embedded.api.responses import ApiError, ApiResponse, caller, conflict, success
from workorders.embedded.api.schemas import (
    ActiveRun,
    CanceledRun,
    QueuedRun,
    RunDetail,
    RunPage,
    TriggeredRun,
)
from workorders.embedded.api.validation import (
    BODY,
    read_idempotency_key,
    read_json,
    read_query,
    validated,
)
from workorders.embedded.models import Run, Status
from workorders.embedded.reaping import reap_in_passing

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any 1 to 255 printable ASCII characters. For 24 hours the same key with the"
    " same work order and body gives the same run and the same answer, also to requests that come"
    " at the same time; with another work order or body it is refused with 422. A key in double"
    " quotes, a structured field string as draft-ietf-httpapi-idempotency-key-header has it, is the"
    " same key as without them. After that it is free for a new request.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}
REPLAYED = {
    "Idempotency-Replayed": {
        "description": "true when the same key has been used before: this is the answer of then.",
        "schema": {"type": "string", "const": "true"},
    }
}


@Operation(
    tag="runs",
    summary="Trigger a new run",
    description="Refused while a run of the work order is building or running; a queued one does"
    " not refuse. With 202 the envelope says success: false, because the run could not start, and"
    " details names the run that now waits.",
    headers=[IDEMPOTENCY_KEY],
    body=RunRequest,
    without_body="May be left out or empty: nothing is overridden.",
    status=201,
    returns=TriggeredRun,
    says="A worker is free: the run starts now.",
    response_headers=REPLAYED,
    refusals=(
        Refusal(
            202,
            ("CAPACITY_EXCEEDED",),
            "No worker is free: the run exists and waits in the queue.",
            details=QueuedRun,
            always_has_details=True,
            headers=REPLAYED,
        ),
        Refusal(
            403,
            ("WORK_ORDER_COMPLETE", "FORBIDDEN"),
            "WORK_ORDER_COMPLETE: the work order has succeeded."
            " FORBIDDEN: the key's scope does not allow it.",
        ),
        NOT_FOUND,
        Refusal(
            409,
            ("RUN_ALREADY_ACTIVE", "CONFLICT"),
            "RUN_ALREADY_ACTIVE: a run of the work order is building or running."
            " CONFLICT: the work order is canceled.",
            details=ActiveRun,
        ),
        Refusal(
            422,
            ("IDEMPOTENCY_KEY_REUSED",),
            "The key was used before with another work order or body.",
        ),
    ),
)
def trigger_run(request: HttpRequest, work_order_id: str) -> ApiResponse:
    key = read_idempotency_key(request)
    sent = read_json(request)
    asked = validated(RunRequest, sent, BODY)
    if not is_id(work_order_id):
        raise no_such_work_order(work_order_id)
    reap_in_passing()
    run, replayed = triggering.trigger_run(
        triggering.Trigger(
            work_order_id=work_order_id,
            profile_name=asked.profile_name,
            max_iterations=asked.profile_overrides.loop_strategy.max_iterations,
            sent=sent,
            key=key,
            triggered_by=caller(request).name,
        )
    )
    return _triggered(run, {"Idempotency-Replayed": "true"} if replayed else {})


def _triggered(run: Run, headers: dict[str, str]) -> ApiResponse:
    """The response to a trigger.

    It describes the run as it was when it was created, so that a repeated request gets the same
    response. ``startedAt`` is therefore always null.
    """
    if run.answered_position is None:
        triggered: TriggeredRun = {
            "runId": run.pk,
            "runNumber": run.number,
            "status": "queued",
            "startedAt": None,
            "workOrderId": run.work_order_id,
        }
        return success(triggered, 201, headers)
    queued: QueuedRun = {
        "runId": run.pk,
        "runNumber": run.number,
        "status": "queued",
        "queuePosition": run.answered_position,
    }
    return ApiError(
        202,
        "CAPACITY_EXCEEDED",
        "Server at capacity. The run has been queued.",
        queued,
        headers,
    ).response


@Operation(
    tag="runs",
    summary="Runs, newest first",
    query=RunQuery,
    returns=RunPage,
    says="A page of them.",
)
def list_runs(request: HttpRequest) -> ApiResponse:
    query = read_query(RunQuery, request)
    reap_in_passing()
    runs = Run.objects.newest_first()
    if query.work_order_id:
        # Runs of one work order are sorted by number, because clocks of hosts differ.
        runs = runs.filter(work_order=query.work_order_id).order_by("-number")
    if query.status:
        runs = runs.filter(status=query.status)
    rows, paging = take(runs, query)
    page: RunPage = {"items": serializers.run_items(rows), **paging}
    return success(page)


@Operation(
    tag="runs",
    summary="A run with its iterations",
    returns=RunDetail,
    says="The run.",
    refusals=(NOT_FOUND,),
)
def show_run(request: HttpRequest, run_id: str) -> ApiResponse:  # noqa: ARG001
    reap_in_passing()
    return success(serializers.run_detail(get_run(run_id)))


@Operation(
    tag="runs",
    summary="Cancel one run",
    status=202,
    returns=CanceledRun,
    says="Canceled, or asked to stop.",
    refusals=(NOT_FOUND, CONFLICT),
)
def cancel_run(request: HttpRequest, run_id: str) -> ApiResponse:  # noqa: ARG001
    reap_in_passing()
    run = get_run(run_id)
    status = transitions.cancel_run(run)
    if status is None:
        run.refresh_from_db()
        raise conflict(f"Cannot cancel run in status '{run.status}'")
    asked = "Run canceled" if status == Status.CANCELED else "The run has been asked to stop"
    canceled: CanceledRun = {"id": run.pk, "status": status, "message": asked}
    return success(canceled, status=202)
