"""Endpoints that list, create, show and cancel work orders."""

from django.db.models import Q
from django.http import HttpRequest

from workorders.embedded import transitions
from workorders.embedded.api import serializers
from workorders.embedded.api.lookups import get_work_order
from workorders.embedded.api.operations import CONFLICT, NOT_FOUND, Operation
from workorders.embedded.api.paging import take
from workorders.embedded.api.requests import NewWorkOrder, WorkOrderQuery
from workorders.embedded.api.responses import ApiResponse, conflict, success
from workorders.embedded.api.schemas import (
    RUNS_SHOWN,
    CanceledWorkOrder,
    WorkOrderDetail,
    WorkOrderPage,
)
from workorders.embedded.api.schemas import WorkOrder as WorkOrderData
from workorders.embedded.api.validation import BODY, read_json, read_query, validated
from workorders.embedded.models import Status, WorkOrder
from workorders.embedded.profiles import load_profiles
from workorders.embedded.reaping import reap_in_passing


@Operation(
    tag="work orders",
    summary="Work orders, newest first",
    query=WorkOrderQuery,
    returns=WorkOrderPage,
    says="A page of them.",
)
def list_work_orders(request: HttpRequest) -> ApiResponse:
    query = read_query(WorkOrderQuery, request)
    reap_in_passing()
    work_orders = WorkOrder.objects.order_by("-created_at", "-id")
    if query.status:
        work_orders = work_orders.filter(status=query.status)
    if query.search:
        found = Q(prompt__icontains=query.search) | Q(id__icontains=query.search)
        work_orders = work_orders.filter(found)
    rows, paging = take(work_orders, query)
    page: WorkOrderPage = {
        "items": [serializers.work_order_item(row) for row in rows],
        **paging,
    }
    return success(page)


@Operation(
    tag="work orders",
    summary="Create a work order; no run starts by itself",
    body=NewWorkOrder,
    status=201,
    returns=WorkOrderData,
    says="Created.",
)
def create_work_order(request: HttpRequest) -> ApiResponse:
    asked = validated(NewWorkOrder, read_json(request), BODY)
    work_order = WorkOrder.objects.create(
        prompt=asked.task_prompt,
        workspace_path=asked.workspace_source.path,
        profile_name=asked.profile_name,
        max_iterations=asked.max_iterations,
        max_time=asked.max_time,
    )
    return success(serializers.work_order_item(work_order), status=201)


@Operation(
    tag="work orders",
    summary="A work order with its newest runs",
    returns=WorkOrderDetail,
    says="The work order.",
    refusals=(NOT_FOUND,),
)
def show_work_order(request: HttpRequest, work_order_id: str) -> ApiResponse:  # noqa: ARG001
    reap_in_passing()
    work_order = get_work_order(work_order_id)
    runs = list(work_order.runs.order_by("-number")[:RUNS_SHOWN])
    return success(serializers.work_order_detail(work_order, runs, load_profiles()))


@Operation(
    tag="work orders",
    summary="Cancel a work order for good",
    returns=CanceledWorkOrder,
    says="Canceled; its queued runs too, its active one is asked to stop.",
    refusals=(NOT_FOUND, CONFLICT),
)
def cancel_work_order(request: HttpRequest, work_order_id: str) -> ApiResponse:  # noqa: ARG001
    reap_in_passing()
    get_work_order(work_order_id)
    work_order, before, was_running = transitions.cancel_work_order(work_order_id)
    if before in {Status.SUCCEEDED, Status.CANCELED}:
        raise conflict(f"Cannot cancel work order in status '{before}'")
    canceled: CanceledWorkOrder = {
        "id": work_order.pk,
        "status": work_order.status,
        "message": "Work order canceled successfully",
        "wasRunning": was_running,
    }
    return success(canceled)
