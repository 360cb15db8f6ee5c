"""Writes one log line for each request to a page or to the embedded API."""

import logging
import re
import time
from collections.abc import Callable

from django import db
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from workorders.observability import request_id

logger = logging.getLogger(__name__)

_UNLOGGED = re.compile(r"/(healthz|readyz|metrics|api/v1/health(/.*)?)$")
"""Paths that machines request every few seconds, which are not logged."""


class AccessLogMiddleware:
    """Logs the method, path without query, status, duration and user name of each request.

    The duration is in milliseconds and ends where the response begins.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        response = self._get_response(request)
        if not _UNLOGGED.match(request.path_info) and not _is_static(request):
            _log(request, response, round((time.monotonic() - started) * 1000))
        return response


def _log(request: HttpRequest, response: HttpResponseBase, milliseconds: int) -> None:
    fields = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "milliseconds": milliseconds,
        "user": _user_name(request),
    }
    # The embedded API responds with the request ID of its caller.
    id_of_response = response.headers.get(request_id.HEADER) or request_id.current()
    # 204: an open page has polled, and nothing has changed.
    logger.log(
        logging.DEBUG if response.status_code == 204 else logging.INFO,
        "%(method)s %(path)s: %(status)s in %(milliseconds)s ms, %(user)s",
        fields | {"user": fields["user"] or "nobody"},
        extra=fields | {"request_id": id_of_response},
    )


def _user_name(request: HttpRequest) -> str:
    """Return the user's name.

    Empty for an anonymous user, for a request that ended before the user was looked up, and
    where the database cannot be read.
    """
    user = getattr(request, "user", None)
    try:
        return user.get_username() if user is not None else ""
    except db.Error:
        return ""


def _is_static(request: HttpRequest) -> bool:
    return request.path.startswith(settings.STATIC_URL)
