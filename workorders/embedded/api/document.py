"""The endpoint for the OpenAPI document.

The response has no envelope, because tools expect the bare document.
"""

from django.http import HttpRequest

from workorders.embedded.api.openapi import DOCUMENT
from workorders.embedded.api.responses import ApiResponse


def show_document(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    return ApiResponse(200, DOCUMENT)
