"""For what watches the dashboard, a supervisor, a load balancer, a monitoring system:
``/healthz``, ``/readyz`` and ``/metrics``.

Such a caller comes by IP address over plain HTTP and without a session, so all are
answered before any other middleware could refuse or redirect it. The health checks are
open to all and say no more than they must; the page ``runs_api_status`` says what is wrong.
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
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ENDPOINTS.get(request.path_info)
        if answer is None:
            return self._get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response


def _healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Alive: this process answers, whatever it depends on."""
    return JsonResponse({"alive": True})


def _readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready: database, disk and runs API can be used. The API is not asked, its record is read."""
    database = _database_answers()
    health = default_client().record.health
    # The embedded API lives in the database.
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


def _database_answers() -> bool:
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
