"""Translates an ASGI request to WSGI (PEP 3333) and reads the WSGI response in parts."""

import io
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from asgiref.typing import HTTPScope

PART_BYTES = 65_536
PART_SECONDS = 0.05
"""A part of a response ends once it has this size, or this time has passed."""

_SEPARATORS = {"HTTP_COOKIE": "; "}


def environ_of(scope: "HTTPScope", body: bytes) -> "WSGIEnvironment":
    """The request as a WSGI environment, without headers whose names contain an underscore.

    WSGI gives ``X-Real-User`` and ``X_Real_User`` the same name. A client could send the second
    one past a proxy that removes the first.
    """
    server, port = scope["server"] or ("localhost", 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name = f"HTTP_{raw_name.decode('latin-1').upper().replace('-', '_')}"
        value = raw_value.decode("latin-1")
        if name in environ:
            value = f"{environ[name]}{_SEPARATORS.get(name, ',')}{value}"
        environ[name] = value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ.pop("HTTP_CONTENT_LENGTH", None)
    if body:  # a chunked request has no Content-Length header
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


class Response:
    """The response of a WSGI application, read part by part.

    Attributes:
        part: the bytes that were read last.
        is_complete: whether no part follows.
    """

    def __init__(self, application: "WSGIApplication", environ: "WSGIEnvironment") -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.part = b""
        self.is_complete = False
        self._result = application(environ, self._start)
        self._parts: Iterator[bytes] = iter(self._result)
        self.read()

    def read(self) -> None:
        """Read the next part into ``part``. Each call may come from another thread.

        Raises what the application raises, after closing the response.
        """
        ends_at = time.monotonic() + PART_SECONDS
        pieces: list[bytes] = []
        size = 0
        try:
            for piece in self._parts:
                pieces.append(piece)
                size += len(piece)
                if size >= PART_BYTES or time.monotonic() >= ends_at:
                    break
            else:
                self.close()
        except BaseException:
            self.close()
            raise
        self.part = pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close the application's response (PEP 3333), so that it releases files and locks."""
        if not self.is_complete:
            self.is_complete = True
            close = getattr(self._result, "close", None)
            if close is not None:
                close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:  # noqa: ARG002
        self.status = int(status[:3])
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        return None
