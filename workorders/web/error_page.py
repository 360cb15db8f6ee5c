"""Pages that say why a request was not carried out."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRefresh

from workorders.observability import request_id


def error_page(
    request: HttpRequest, status: int, title: str, text: str, *, retry: bool = False
) -> HttpResponse:
    context = {
        "title": title,
        "text": text,
        "status": status,
        "retry": retry,
        "request_id": request_id.current(),
    }
    if status < 500 and getattr(request, "htmx", False):
        # A part of a page was asked for, and the page it is for is not true any more.
        if status == 403:
            messages.error(request, text)
        response: HttpResponse = HttpResponseClientRefresh()
        response.status_code = status
    else:
        response = render(request, "error.html", context, status=status)
    # What is refused today may be allowed, or exist, tomorrow.
    patch_cache_control(response, no_store=True)
    return response


def too_busy(request: HttpRequest, text: str) -> HttpResponse:
    """503: the same request may be answered in half a minute."""
    response = error_page(request, 503, "Too busy", f"{text} Try again later.", retry=True)
    response["Retry-After"] = "30"
    return response
