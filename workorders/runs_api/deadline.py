"""One deadline for all reads of an HTTP call, however its answer trickles in."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx

_call = threading.local()
"""``deadline``: when this thread's call must be over, by ``time.monotonic()``."""


def enforce_deadline(deadline: float, request: httpx.Request) -> None:
    """Let every read of this thread's call end at ``deadline``, by ``time.monotonic()``.

    httpx's time-outs count anew for each phase and each piece of an answer, so
    a header that drips would hold its thread for hours. httpcore's trace hands
    out every new connection; a kept one is bound already, to its thread's call.
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
