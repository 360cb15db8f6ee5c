"""What Granian runs in the test of a process that hangs: the gateway over a small application."""

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workorders.processes.gateway import Gateway, Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def answer_or_hang(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """The ID of the process; ``?hang`` gets no answer."""
    if environ["QUERY_STRING"] == "hang":
        time.sleep(3600)
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]


application = Gateway(
    answer_or_hang,
    Limits(
        threads=1,
        body_bytes=1000,
        body_seconds=60,
        send_seconds=60,
        hung_seconds=2,
        password_path="/sign-in/",
    ),
)
