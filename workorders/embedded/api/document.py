"""The OpenAPI document, as it is: tools expect no envelope around it."""

from django.http import HttpRequest

from workorders.embedded.api.openapi import DOCUMENT
from workorders.embedded.api.responses import ApiResponse


def show_document(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    return ApiResponse(200, DOCUMENT)
