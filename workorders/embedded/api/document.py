"""The endpoint for the OpenAPI document.

The response has no envelope, because tools expect the bare document.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from django.http import HttpRequest
from pydantic import with_config

from workorders.embedded.api import openapi
from workorders.embedded.api.operations import Operation
from workorders.embedded.api.responses import ApiResponse


@with_config(extra="allow")
class Document(TypedDict):
    openapi: str
    info: Mapping[str, Any]
    paths: Mapping[str, Any]


@Operation(
    tag="health",
    summary="This document",
    returns=Document,
    says="OpenAPI 3.1, without an envelope.",
    enveloped=False,
)
def document(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    return ApiResponse(200, openapi.document())
