"""The JSON envelope of every response of the runs API.

A success is ``{"success": true, "data": {...}, "requestId": string}``. An error is
``{"success": false, "error": {"code": string, "message": string, "details": {...}},
"requestId": string}``. Servers may leave ``requestId``, ``message`` and ``details`` out.
"""

import json
from typing import Any, NamedTuple

import httpx
from django.conf import settings

from workorders.error_table import CODE_OF_STATUS
from workorders.errors import InvalidResponse, RunsAPIError
from workorders.runs_api.json_values import Json, as_object


class Envelope(NamedTuple):
    """A successful envelope."""

    data: Json
    request_id: str
    """The API's ID of the request; empty where the API gives none."""


def read_envelope(response: httpx.Response, content: bytes) -> Envelope:
    """Return the envelope of a successful response.

    Args:
        response: the status and headers; its body is not read.
        content: the decoded body.

    Raises:
        InvalidResponse: the body is not an envelope of the runs API.
        RunsAPIError: the envelope is an error.
    """
    status = response.status_code
    request_id = response.headers.get("x-request-id", "")
    try:
        envelope = _decoded(_without_key(content, response.request))
    except (ValueError, RecursionError):
        envelope = None
    if not _is_envelope(envelope, status):
        code = "RATE_LIMITED" if status == 429 else "UNKNOWN"
        raise InvalidResponse(
            f"HTTP {status} without the runs API's envelope",
            code=code,
            status=status,
            request_id=request_id,
            retry_after=_retry_after(response),
        )
    request_id = str(envelope.get("requestId") or request_id)
    if envelope["success"]:
        return Envelope(envelope["data"], request_id)
    error = as_object(envelope.get("error"))
    raise RunsAPIError(
        str(error.get("message") or ""),
        code=str(error.get("code") or CODE_OF_STATUS.get(status, "UNKNOWN")),
        status=status,
        details=as_object(error.get("details")),
        request_id=request_id,
        retry_after=_retry_after(response),
    )


def _is_envelope(value: Any, status: int) -> bool:
    """Return whether ``value`` is an unambiguous envelope.

    A success has a status below 400 and an object as data. An error has a code, or a status
    of 400 or above.
    """
    if not isinstance(value, dict):
        return False
    if value.get("success") is True:
        return status < 400 and isinstance(value.get("data"), dict)
    has_code = bool(as_object(value.get("error")).get("code"))
    return value.get("success") is False and (has_code or status >= 400)


def _decoded(content: bytes) -> Any:
    """Parse JSON, and replace lone surrogates in strings: no page could be encoded with them.

    Raises ``ValueError`` for what is not JSON in UTF-8, and ``RecursionError`` for JSON that
    is nested too deeply.
    """
    value = json.loads(content.decode("utf-8-sig"))
    if b"\\ud" in content.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _without_key(content: bytes, request: httpx.Request) -> bytes:
    """Return the body with the API key replaced by ``[key]``.

    Some servers repeat the key that they refuse in their message, and operators read that
    message. A key shorter than ``SHORTEST_SECRET`` is no secret and is not replaced, because
    its text could be a part of other words.
    """
    key = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    return content.replace(key, b"[key]") if len(key) >= settings.SHORTEST_SECRET else content


def _retry_after(response: httpx.Response) -> int | None:
    """Return the seconds in ``Retry-After`` (RFC 9110 10.2.3); None for a date or no header."""
    value = response.headers.get("retry-after", "")
    return int(value) if value.isdecimal() and len(value) < 7 else None
