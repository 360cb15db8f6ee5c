"""One HTTP exchange with the runs API, bounded in time, in size and in the calls that wait.

httpx's own limits are not enough. Its time-outs start again with each phase and each chunk of a
response, so a server that sends one byte of a header at a time could occupy the thread for hours.
Its decoders have no limit, so a small compressed body could fill the memory.
"""

import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import httpx
from django.conf import settings

ACCEPT_ENCODING = "gzip"
"""The only content encoding to ask for: its decoder can limit the size of its output."""
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
POOL_WAIT_SECONDS = 0.1
"""How long a call may wait for one of the ``RUNS_API_MAX_CALLS`` connections."""
_waiting_calls = threading.BoundedSemaphore(settings.MAX_WAITING_CALLS)
_call = threading.local()
"""Holds ``deadline``: when this thread's call must be over, in ``time.monotonic()`` seconds."""


def exchange(
    http: httpx.Client,
    request: httpx.Request,
    *,
    deadline: float,
    limit: int,
    may_wait: Callable[[], bool],
) -> tuple[httpx.Response, bytes]:
    """Send the request; return the response and its decoded body.

    Args:
        deadline: when the exchange must be over, in seconds of ``time.monotonic()``.
        limit: the most bytes that the body may have, both encoded and decoded.
        may_wait: whether the call may wait when no connection is free.

    Raises:
        httpx.RequestError: see ``_read_body`` for what the limits raise.
    """
    _enforce_deadline(deadline, request)
    response = _send(http, request, may_wait)
    try:
        return response, _read_body(response, deadline=deadline, limit=limit)
    finally:
        response.close()


def _send(
    http: httpx.Client, request: httpx.Request, may_wait: Callable[[], bool]
) -> httpx.Response:
    """Send the request as soon as a connection is free.

    At most ``MAX_WAITING_CALLS`` calls wait for a connection, for ``POOL_WAIT_SECONDS`` each. No
    call waits while the API may be down, because all threads would soon be waiting.
    """
    timeout = request.extensions["timeout"]
    timeout["pool"] = 0
    try:
        return http.send(request, stream=True)
    except httpx.PoolTimeout:
        if not may_wait() or not _waiting_calls.acquire(blocking=False):
            raise
    timeout["pool"] = POOL_WAIT_SECONDS
    try:
        return http.send(request, stream=True)
    finally:
        _waiting_calls.release()


def _enforce_deadline(deadline: float, request: httpx.Request) -> None:
    """Make every network read of this request, sent by this thread, end at ``deadline``.

    httpcore's trace extension passes every new connection to ``trace``, which wraps its ``read``. A
    connection that is reused is wrapped already: its ``read`` looks up the deadline of the
    thread that calls it.

    Args:
        deadline: in seconds of ``time.monotonic()``.
        request: the request that this thread is about to send.
    """
    _call.deadline = deadline

    def trace(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            _bind_to_deadline(info["return_value"])

    request.extensions["trace"] = trace


def _bind_to_deadline(stream: Any) -> None:
    read = stream.read

    def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
        left = max(_call.deadline - time.monotonic(), 0.001)
        data: bytes = read(max_bytes, timeout=left if timeout is None else min(timeout, left))
        return data

    stream.read = read_in_time


def _read_body(response: httpx.Response, *, deadline: float, limit: int) -> bytes:
    """Return the decoded body.

    At most ``limit`` bytes and one network chunk are in memory at any time.

    Args:
        deadline: when reading must be over, in seconds of ``time.monotonic()``.
        limit: the most bytes that the body may have, both encoded and decoded.

    Raises:
        httpx.ReadError: the body has more than ``limit`` bytes.
        httpx.ReadTimeout: the deadline has passed.
        httpx.DecodingError: the content encoding is neither gzip nor identity, or the
            compressed data is broken.
    """
    decode = _decoder(response)
    content = bytearray()
    received = 0
    for chunk in cast("Iterable[bytes]", response.stream):
        received += len(chunk)
        content += decode(chunk, limit + 1 - len(content))
        if max(received, len(content)) > limit:
            raise httpx.ReadError("the answer is too large", request=response.request)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer took too long", request=response.request)
    return bytes(content)


def _decoder(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    """Return a function that decodes a chunk to at most the given number of bytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return lambda chunk, _: chunk
    if encoding != ACCEPT_ENCODING:
        raise httpx.DecodingError(f"the answer is encoded as {encoding}", request=response.request)
    decompress = zlib.decompressobj(_GZIP_WINDOW).decompress

    def decode(chunk: bytes, max_length: int) -> bytes:
        try:
            return decompress(chunk, max_length)
        except zlib.error as exc:
            raise httpx.DecodingError(str(exc), request=response.request) from exc

    return decode
