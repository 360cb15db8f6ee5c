"""Health endpoints. They need no API key, so they report nothing but the server's health.

All times are UTC in ISO 8601 with milliseconds; ``latencyMs`` is in milliseconds.
"""

import time

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.utils import timezone

from workorders.embedded.api.openapi import VERSION
from workorders.embedded.api.responses import ApiError, ApiResponse, success
from workorders.embedded.api.serializers import timestamp


def health(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    """``{"status": "ok", "version", "timestamp"}``, where ``version`` is the API's version."""
    return success({"status": "ok", "version": VERSION, "timestamp": timestamp(timezone.now())})


def live(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    """``{"alive": true, "timestamp"}``: the process responds."""
    return success({"alive": True, "timestamp": timestamp(timezone.now())})


def ready(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    """``{"ready": true, "checks": [{"name", "healthy", "message", "latencyMs"}], "timestamp"}``.

    Raises ``ApiError`` (503 NOT_READY) if the database cannot be queried.
    """
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM embedded_workorder LIMIT 1")
    except DatabaseError as exc:
        raise ApiError(503, "NOT_READY", "The database does not answer") from exc
    latency = round((time.monotonic() - began) * 1000)
    check = {
        "name": "database",
        "healthy": True,
        "message": "Database answers",
        "latencyMs": latency,
    }
    return success({"ready": True, "checks": [check], "timestamp": timestamp(timezone.now())})
