"""Counts and measures the requests to pages, static files and the embedded API."""

from collections.abc import Callable

from django import db
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from workorders.observability import server_timing
from workorders.observability.metrics import HTTP_REQUESTS, REFRESHES

_METHODS = frozenset({"GET", "HEAD", "POST"})
_NOT_MODIFIED = frozenset({204, 304})


class MetricsMiddleware:
    """Counts and measures each request, and adds ``Server-Timing`` for signed-in users."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with server_timing.measured() as timing:
            response = self._get_response(request)
            total = timing.total
        view = _view(request)
        method = request.method if request.method in _METHODS else "other"
        HTTP_REQUESTS.labels(view, method, f"{response.status_code // 100}xx").observe(total)
        if "HX-Request" in request.headers and "version" in request.GET:
            REFRESHES.labels(view, _result(response)).inc()
        # Anonymous users get no exact times, which could help to guess the secrets that sign-in
        # compares.
        if _is_signed_in(request):
            response.headers[server_timing.HEADER] = timing.header(total)
        return response


def _view(request: HttpRequest) -> str:
    """Return the name of the URL pattern, which is a label. Paths are not bounded (see metrics)."""
    if match := request.resolver_match:
        return match.url_name or "api"  # the embedded API's URL patterns have no names
    # No URL pattern matched: static files, redirects to HTTPS, refused hosts, unknown paths.
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "other"


def _result(response: HttpResponseBase) -> str:
    """Return the result of a poll (``polling_page``), a label.

    ``changed``, ``unchanged``, ``failed`` (a status of 500 or above), or ``left`` (the page
    has to be left).
    """
    if response.status_code in _NOT_MODIFIED:
        return "unchanged"
    if response.status_code >= 500:
        return "failed"
    # The user has signed out, or the page's object is gone or has another address.
    is_left = response.status_code != 200 or "HX-Redirect" in response.headers
    return "left" if is_left else "changed"


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    try:
        return user is not None and user.is_authenticated
    except db.Error:
        return False
