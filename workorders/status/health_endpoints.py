"""``/healthz``, ``/readyz`` and ``/metrics``, for supervisors, load balancers and monitoring.

Such clients connect by IP address, over plain HTTP and without a session. Other middleware would
refuse or redirect their requests, so this middleware responds before any other runs.

The health checks are public and therefore contain no details. The page ``runs_api_status`` shows
signed-in people what is wrong.
"""

from collections.abc import Callable

from django import db
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from workorders.processes.disk_space import free_bytes
from workorders.runs_api.clients import default_client
from workorders.status.metrics_endpoint import metrics


class HealthEndpointsMiddleware:
    """Respond to the paths in ``ENDPOINTS``, and pass all other requests on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        endpoint = ENDPOINTS.get(request.path_info)
        if endpoint is None:
            return self._get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = endpoint(request)
        response["Cache-Control"] = "no-store"
        return response


def _healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """``{"alive": true}``: this process can respond, whatever the state of other services."""
    return JsonResponse({"alive": True})


def _readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Report whether the database, the disk and the runs API can be used: 200 or 503.

    JSON: ``ready`` (boolean), ``database`` ("ok" or "unreachable"), ``disk`` ("ok" or "full"),
    ``runsApi`` (a value of ``runs_api.health.State``, or "embedded").

    The check sends no request to the runs API; it reads the result of the latest calls.
    """
    database = _database_is_reachable()
    health = default_client().record.health
    # The embedded API needs nothing but the database.
    api = health.is_well if settings.RUNS_API_URL else database
    has_room = _disk_has_room()
    ready = database and api and has_room
    body = {
        "ready": ready,
        "database": "ok" if database else "unreachable",
        "disk": "ok" if has_room else "full",
        "runsApi": health.state.value if settings.RUNS_API_URL else "embedded",
    }
    return JsonResponse(body, status=200 if ready else 503)


def _database_is_reachable() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except db.Error:
        return False
    return True


def _disk_has_room() -> bool:
    try:
        return free_bytes(settings.DATA_DIR) > 0
    except OSError:
        return False


ENDPOINTS = {"/healthz": _healthz, "/readyz": _readyz, "/metrics": metrics}
