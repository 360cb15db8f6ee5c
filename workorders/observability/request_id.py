"""Gives each request an ID, which the response, all log lines and calls to the runs API contain."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Return the ID of the current request; ``""`` outside of a request."""
    return _current.get()


def taken_over(given: str) -> str:
    """Return the caller's ID if it is well-formed, else the current request's ID, else a new ID.

    A well-formed ID has 1 to 64 characters: ASCII letters, digits, ``_`` and ``-``.
    """
    return given if _WELL_FORMED.fullmatch(given) else current() or secrets.token_urlsafe(9)


@contextmanager
def carried(request_id: str) -> Iterator[str]:
    """Make ``request_id`` the current ID inside the ``with`` block."""
    before = _current.set(request_id)
    try:
        yield request_id
    finally:
        _current.reset(before)


class RequestIDMiddleware:
    """Sets the request's ID. It is the first middleware, so every response has the header.

    The ID in the request's header is used only behind a trusted proxy. Otherwise anybody could
    write the ID of another request into the logs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "") if settings.TRUST_PROXY_HEADERS else ""
        with carried(taken_over(given)) as request_id:
            request.request_id = request_id  # type: ignore[attr-defined]  # for workorders.observability.log_format
            response = self._get_response(request)
            # The embedded API has set the header to the ID that its caller sent.
            response.headers.setdefault(HEADER, request_id)
            # The web server reads files itself, so no code of the dashboard runs for them.
            if isinstance(response, StreamingHttpResponse) and not isinstance(
                response, FileResponse
            ):
                response.streaming_content = _carrying_on(response.streaming_content)
        return response


def _carrying_on(parts: Any) -> Iterator[bytes]:
    """Produce the parts of a streaming response under the request's ID.

    The parts are produced after the middleware has ended, so they need a copy of the context.
    """
    end = object()
    return iter(partial(copy_context().run, next, iter(parts), end), end)  # type: ignore[arg-type]
