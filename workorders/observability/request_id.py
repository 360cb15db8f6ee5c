"""One ID for a request: in the browser's answer, every log line and each call to the runs API."""

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
    """The ID of the request that is being answered; ``""`` outside of one."""
    return _current.get()


def taken_over(given: str) -> str:
    """The caller's ID where it has the form of one, else the request's own, else a new one."""
    return given if _WELL_FORMED.fullmatch(given) else current() or secrets.token_urlsafe(9)


@contextmanager
def carried(request_id: str) -> Iterator[str]:
    """Make it the current one inside the block."""
    before = _current.set(request_id)
    try:
        yield request_id
    finally:
        _current.reset(before)


class RequestIDMiddleware:
    """The first of all, so that no answer leaves without the header.

    An ID from outside counts only behind a proxy that is trusted: anybody else
    could write the ID of another request into the logs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "") if settings.TRUST_PROXY_HEADERS else ""
        with carried(taken_over(given)) as request_id:
            request.request_id = request_id  # type: ignore[attr-defined]  # for workorders.observability.log_format
            response = self._get_response(request)
            # The embedded API answers with the ID that its caller has sent.
            response.headers.setdefault(HEADER, request_id)
            # A file is read by the web server itself, without any code of ours.
            if isinstance(response, StreamingHttpResponse) and not isinstance(
                response, FileResponse
            ):
                response.streaming_content = _carrying_on(response.streaming_content)
        return response


def _carrying_on(parts: Any) -> Iterator[bytes]:
    """The parts of an answer are made after the middleware has ended, under the same ID."""
    end = object()
    return iter(partial(copy_context().run, next, iter(parts), end), end)  # type: ignore[arg-type]
