"""The envelope around every answer of the runs API: its data, or the error it means."""

import json
from typing import Any, NamedTuple

import httpx
from django.conf import settings

from workorders.error_table import CODE_OF_STATUS
from workorders.errors import InvalidResponse, RunsAPIError
from workorders.runs_api.json_values import Json, as_object


class Answer(NamedTuple):
    """A successful envelope; ``request_id`` is empty where the API names none."""

    data: Json
    request_id: str


def read_envelope(response: httpx.Response, content: bytes) -> Answer:
    """The successful envelope; raises what any other answer means."""
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
        return Answer(envelope["data"], request_id)
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
    """Whether it says one thing: data with a status of success, or an error that is named."""
    if not isinstance(value, dict):
        return False
    if value.get("success") is True:
        return status < 400 and isinstance(value.get("data"), dict)
    has_code = bool(as_object(value.get("error")).get("code"))
    return value.get("success") is False and (has_code or status >= 400)


def _decoded(content: bytes) -> Any:
    """JSON; half a surrogate pair in a string, which no page could be encoded with, is replaced."""
    value = json.loads(content.decode("utf-8-sig"))
    if b"\\ud" in content.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _without_key(content: bytes, request: httpx.Request) -> bytes:
    """Some servers repeat the key they refuse, and the operator reads what they say.

    A key so short that it is no secret would be found inside other words.
    """
    key = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    return content.replace(key, b"[key]") if len(key) >= settings.SHORTEST_SECRET else content


def _retry_after(response: httpx.Response) -> int | None:
    value = response.headers.get("retry-after", "")
    return int(value) if value.isdecimal() and len(value) < 7 else None
