"""Error pages: they state why a request was not carried out."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRefresh

from workorders.observability import request_id


def error_page(
    request: HttpRequest, status: int, title: str, text: str, *, retry: bool = False
) -> HttpResponse:
    """Render an error page with HTTP status ``status``.

    For an htmx request with a status below 500, the response makes the browser reload the page
    instead, because the open page is out of date.

    Args:
        text: the reason, in full sentences.
        retry: whether the page offers to send the request again.
    """
    context = {
        "title": title,
        "text": text,
        "status": status,
        "retry": retry,
        "request_id": request_id.current(),
    }
    if status < 500 and getattr(request, "htmx", False):
        if status == 403:  # The reload loses the reason, so a toast shows it.
            messages.error(request, text)
        response: HttpResponse = HttpResponseClientRefresh()
        response.status_code = status
    else:
        response = render(request, "error.html", context, status=status)
    # The same address may be permitted, or exist, later.
    patch_cache_control(response, no_store=True)
    return response


def too_busy(request: HttpRequest, text: str) -> HttpResponse:
    """Respond with 503 and the advice to try again in 30 seconds."""
    response = error_page(request, 503, "Too busy", f"{text} Try again later.", retry=True)
    response["Retry-After"] = "30"
    return response
