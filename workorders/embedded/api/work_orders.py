"""Endpoints that list, create, show and cancel work orders."""

from django.db.models import Q
from django.http import HttpRequest

from workorders.embedded import transitions, workspace_roots
from workorders.embedded.api import serializers
from workorders.embedded.api.lookups import get_work_order
from workorders.embedded.api.paging import read_page, take
from workorders.embedded.api.responses import ApiResponse, conflict, success
from workorders.embedded.api.validation import Fields, read_body, read_query
from workorders.embedded.models import Status, WorkOrder
from workorders.embedded.profiles import MAX_ITERATIONS, MAX_TIME, load_profiles
from workorders.embedded.reaping import reap_in_passing

STATUSES = {
    "queued": Status.QUEUED,
    "running": Status.RUNNING,
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
}
MAX_SEARCH = 200
MAX_PROMPT = 100_000
MAX_PATH = 4_096
RUNS_SHOWN = 50


def list_work_orders(request: HttpRequest) -> ApiResponse:
    """A page of work orders, newest first. Query: ``status``, ``search``, ``limit``, ``offset``."""
    query = read_query(request)
    limit, offset = read_page(query)
    status = query.choice("status", STATUSES)
    search = query.text("search", maximum=MAX_SEARCH, label="Search")
    query.finish()
    reap_in_passing()
    work_orders = WorkOrder.objects.order_by("-created_at", "-id")
    if status:
        work_orders = work_orders.filter(status=status)
    if search:
        work_orders = work_orders.filter(Q(prompt__icontains=search) | Q(id__icontains=search))
    rows, total = take(work_orders, limit, offset)
    items = [serializers.work_order_item(row) for row in rows]
    return success(serializers.page(items, total, limit, offset))


def create_work_order(request: HttpRequest) -> ApiResponse:
    """Create a work order: 201 with the work order.

    Body: ``{"taskPrompt", "workspaceSource": {"type": "local", "path"}}``, and optionally
    ``profileName``, ``maxIterations`` and ``maxTime`` (seconds). Other members are ignored, as the
    reference server does whose responses were recorded: its clients send members such as
    ``agentType``, which profiles decide here.

    Raises ``ApiError`` (400) with all faults of the body.
    """
    body = read_body(request)
    prompt = body.text(
        "taskPrompt", minimum=10, maximum=MAX_PROMPT, label="Task prompt", required=True
    )
    path = _read_local_path(body)
    profile_name = body.text("profileName", maximum=64, label="Profile name")
    if profile_name and profile_name not in load_profiles():
        body.note(("profileName",), "invalid_enum_value", f"Unknown profile: {profile_name}")
    max_iterations = body.integer("maxIterations", minimum=1, maximum=MAX_ITERATIONS)
    max_time = body.integer("maxTime", minimum=1, maximum=MAX_TIME)
    body.finish()
    work_order = WorkOrder.objects.create(
        prompt=prompt,
        workspace_path=path,
        profile_name=profile_name,
        max_iterations=max_iterations,
        max_time=max_time,
    )
    return success(serializers.work_order_item(work_order), status=201)


def _read_local_path(body: Fields) -> str:
    """The path of the workspace; ``""`` if a fault was noted.

    The path need not exist yet: a run checks that when it starts, on the worker's machine.
    """
    source = body.section("workspaceSource", required=True)
    if source is None:
        return ""
    kind = source.text("type", maximum=100, required=True)
    if kind and kind != "local":
        message = "This server runs work orders of type 'local' only"
        source.note(("type",), "invalid_literal", message, expected="local")
    if kind != "local":
        return ""
    path = source.text("path", maximum=MAX_PATH, minimum=1, label="Workspace path", required=True)
    if path and not path.startswith("/"):
        source.note(("path",), "invalid_string", "Workspace path must be absolute")
    elif path and not workspace_roots.is_allowed(path):
        message = f"Workspace path must be below {workspace_roots.allowed_in_words()}"
        source.note(("path",), "invalid_string", f"{message} (WORKSPACE_ROOTS)")
    return path


def show_work_order(request: HttpRequest, work_order_id: str) -> ApiResponse:  # noqa: ARG001
    """A work order with its newest runs. Raises ``ApiError`` (404)."""
    reap_in_passing()
    work_order = get_work_order(work_order_id)
    runs = list(work_order.runs.order_by("-number")[:RUNS_SHOWN])
    return success(serializers.work_order_detail(work_order, runs, load_profiles()))


def cancel_work_order(request: HttpRequest, work_order_id: str) -> ApiResponse:  # noqa: ARG001
    """Cancel a work order for good: ``{"id", "status", "message", "wasRunning"}``.

    ``wasRunning`` is true if a run was active. Raises ``ApiError``: 404 for an unknown work order,
    409 for a work order that has succeeded or is canceled.
    """
    reap_in_passing()
    get_work_order(work_order_id)
    work_order, before, was_running = transitions.cancel_work_order(work_order_id)
    if before in {Status.SUCCEEDED, Status.CANCELED}:
        raise conflict(f"Cannot cancel work order in status '{before}'")
    return success(
        {
            "id": work_order.pk,
            "status": work_order.status,
            "message": "Work order canceled successfully",
            "wasRunning": was_running,
        }
    )
