"""Whether the server is there and whole; open to all, so it says nothing else."""

import time

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.utils import timezone

from workorders.embedded.api.openapi import VERSION
from workorders.embedded.api.responses import ApiError, ApiResponse, success
from workorders.embedded.api.serializers import timestamp


def health(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    return success({"status": "ok", "version": VERSION, "timestamp": timestamp(timezone.now())})


def live(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    return success({"alive": True, "timestamp": timestamp(timezone.now())})


def ready(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
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
