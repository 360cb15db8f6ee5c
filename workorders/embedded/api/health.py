"""Health endpoints. They need no API key, so they report nothing but the server's health."""

import time
from collections.abc import Sequence
from typing import Literal, TypedDict

from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.utils import timezone

from workorders.embedded.api.openapi import VERSION
from workorders.embedded.api.operations import Operation, Refusal
from workorders.embedded.api.responses import ApiError, ApiResponse, success
from workorders.embedded.api.schemas import Count, Timestamp
from workorders.embedded.api.serializers import timestamp


class Health(TypedDict):
    status: Literal["ok"]
    version: str
    timestamp: Timestamp


@Operation(tag="health", summary="Whether the server answers", returns=Health, says="It does.")
def health(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    data: Health = {"status": "ok", "version": VERSION, "timestamp": timestamp(timezone.now())}
    return success(data)


class Live(TypedDict):
    alive: Literal[True]
    timestamp: Timestamp


@Operation(tag="health", summary="Whether the process is alive", returns=Live, says="It is.")
def live(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    data: Live = {"alive": True, "timestamp": timestamp(timezone.now())}
    return success(data)


class Check(TypedDict):
    name: str
    healthy: bool
    message: str
    latencyMs: Count


class Ready(TypedDict):
    ready: Literal[True]
    checks: Sequence[Check]
    timestamp: Timestamp


@Operation(
    tag="health",
    summary="Whether the database answers",
    returns=Ready,
    says="It does.",
    refusals=(Refusal(503, ("NOT_READY",), "It does not."),),
)
def ready(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM embedded_workorder LIMIT 1")
    except DatabaseError as exc:
        raise ApiError(503, "NOT_READY", "The database does not answer") from exc
    check: Check = {
        "name": "database",
        "healthy": True,
        "message": "Database answers",
        "latencyMs": round((time.monotonic() - began) * 1000),
    }
    data: Ready = {"ready": True, "checks": [check], "timestamp": timestamp(timezone.now())}
    return success(data)
