"""Counts and times every request but those of health checks and of the scraper itself."""

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
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with server_timing.measured() as timing:
            response = self._get_response(request)
            total = timing.total
        view = _view(request)
        method = request.method if request.method in _METHODS else "other"
        HTTP_REQUESTS.labels(view, method, f"{response.status_code // 100}xx").observe(total)
        if "HX-Request" in request.headers and "seen" in request.GET:
            REFRESHES.labels(view, _result(response)).inc()
        # A stranger gets no clock without the network's noise: sign-in compares secrets.
        if _is_signed_in(request):
            response.headers[server_timing.HEADER] = timing.header(total)
        return response


def _view(request: HttpRequest) -> str:
    """The URL's name; never the path, which anybody can make up."""
    if match := request.resolver_match:
        return match.url_name or "api"  # the embedded API's have none
    # Redirects to HTTPS, refused hosts and addresses that nothing lives at.
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "other"


def _result(response: HttpResponseBase) -> str:
    """Of a page's refresh (``polling_page``)."""
    if response.status_code in _NOT_MODIFIED:
        return "unchanged"
    if response.status_code >= 500:
        return "failed"
    # Signed out meanwhile, or what the page was about is gone or elsewhere.
    is_left = response.status_code != 200 or "HX-Redirect" in response.headers
    return "left" if is_left else "changed"


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    try:
        return user is not None and user.is_authenticated
    except db.Error:
        return False
