"""The OpenAPI document, as it is: tools expect no envelope around it."""

from django.http import HttpRequest

from workorders.embedded.api.openapi import DOCUMENT
from workorders.embedded.api.responses import Answer


def show_document(request: HttpRequest) -> Answer:  # noqa: ARG001
    return Answer(200, DOCUMENT)
