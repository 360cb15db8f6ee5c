"""One deadline for a whole HTTP call, even when its response arrives slowly, byte by byte."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx

_call = threading.local()
"""Holds ``deadline``: when this thread's call must be over, in ``time.monotonic()`` seconds."""


def enforce_deadline(deadline: float, request: httpx.Request) -> None:
    """Make every network read of this request, sent by this thread, end at ``deadline``.

    httpx's time-outs start again with each phase and each chunk of a response, so a server
    that sends one byte of a header at a time could occupy the thread for hours. httpcore's
    trace extension passes every new connection to ``trace``, which wraps its ``read``. A
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
