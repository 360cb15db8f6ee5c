"""A fake runs API on a local port: tests set its replies, and it records the requests."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

API_KEY = "the-key-that-no-browser-may-see"
REQUEST_ID = "req-42"
LAST_DRIP = 400
"""The number of pieces of a dripping response, 20 a second: longer than any test's deadline."""


@dataclass(frozen=True)
class Asked:
    """A received request; ``path`` is relative to ``/api/v1`` and still quoted."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = Callable[["Handler", Asked], None]
"""Writes one response, or misbehaves as servers do."""


def answer(
    status: int, body: bytes, content_type: str = "application/json", **headers: str
) -> Reply:
    def reply(handler: "Handler", asked: Asked) -> None:
        handler.send_response(status)
        sent = {"Content-Type": content_type, "Content-Length": str(len(body))}
        for name, value in (sent | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return _named(f"{status} {content_type}", reply)


def _named(name: str, reply: Reply) -> Reply:
    """Set the name of the reply in the IDs of parametrized tests."""
    reply.__name__ = name
    return reply


def data(value: Any, status: int = 200) -> Reply:
    body = {"success": True, "data": value, "requestId": REQUEST_ID}
    return answer(status, json.dumps(body).encode())


def refusal(
    status: int,
    code: str,
    message: str = "As the API says it",
    details: Mapping[str, Any] | None = None,
    **headers: str,
) -> Reply:
    error: dict[str, Any] = {"code": code, "message": message}
    if details is not None:
        error["details"] = details
    body = {"success": False, "error": error, "requestId": REQUEST_ID}
    return _named(f"{status} {code}", answer(status, json.dumps(body).encode(), **headers))


def items(*entries: Any, total: int | None = None, **more: Any) -> Reply:
    count = len(entries) if total is None else total
    return data({"items": entries, "total": count, **more})


def reset(handler: "Handler", asked: Asked) -> None:
    """Reset the connection instead of sending a response."""
    at_once = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    handler.close_connection = True
    handler.rfile.close()  # the open file would keep the connection open
    handler.connection.close()


def silence(handler: "Handler", asked: Asked) -> None:
    """Send no response while the test runs; a caller without a deadline gets one in the end."""
    if not handler.runs_api.released.wait(LAST_DRIP / 20):
        handler.runs_api.waited_out.set()
    data({"runId": "too-late", "id": "too-late"})(handler, asked)


def hang(handler: "Handler", asked: Asked) -> None:
    """Send no response while the server runs; only for callers with a deadline."""
    handler.runs_api.released.wait()
    reset(handler, asked)


def dripping_header(handler: "Handler", asked: Asked) -> None:
    """Send a valid response whose header takes too long, although every byte arrives in time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler, b"x")
    body = b'{"success": true, "data": {"id": "too-late", "runId": "too-late"}}'
    handler.wfile.write(b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def dripping_body(handler: "Handler", asked: Asked) -> None:
    """Send a valid response whose body takes too long, although every byte arrives in time."""
    body = b'{"success": true, "data": {"id": "too-late", "runId": "too-late"}}'
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LAST_DRIP + len(body)))
    _drip(handler, b" ")
    handler.wfile.write(body)


def _drip(handler: "Handler", piece: bytes) -> None:
    for _ in range(LAST_DRIP):
        if handler.runs_api.released.is_set():
            return
        handler.wfile.write(piece)
        time.sleep(1 / 20)
    handler.runs_api.waited_out.set()


@dataclass
class RunsAPI:
    """Replies by method and unquoted path relative to ``/api/v1``, and the received requests."""

    url: str
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    waited_out: threading.Event = field(default_factory=threading.Event)
    """Set when a caller waited until the end of a response that takes too long."""
    go_away: Callable[..., None] = lambda **_: None
    """Refuse connections from now on, and break the open ones except ``spare``, until
    ``come_back()``."""
    stop_listening: Callable[[], None] = lambda: None
    """Like ``go_away``, but open connections keep working."""
    come_back: Callable[[], None] = lambda: None

    def on(self, method: str, path: str, reply: Reply) -> None:
        self.replies[method, path] = reply

    def has(self, **fields: Any) -> None:
        """Set the response for a work order with its runs; failed and without runs by default."""
        work_order = {"id": "wo-1", "taskPrompt": "Fix the login", "status": "failed"} | fields
        work_order.setdefault("runs", [])
        work_order.setdefault("runCount", len(work_order["runs"]))
        self.on("GET", f"/work-orders/{work_order['id']}", data(work_order))

    def has_run(self, **fields: Any) -> None:
        """Set the response for a run; failed run 1 of ``wo-1`` by default."""
        run = {"id": "run-1", "workOrderId": "wo-1", "runNumber": 1, "status": "failed"} | fields
        self.on("GET", f"/runs/{run['id']}", data(run))

    def triggers(self, reply: Reply, work_order_id: str = "wo-1") -> None:
        """Set the reply to a trigger of the work order."""
        self.on("POST", f"/work-orders/{work_order_id}/runs", reply)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def triggered(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == "POST"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body would wait for the acknowledgement of the header
    runs_api: RunsAPI

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/api/v1")
        length = int(self.headers.get("Content-Length", 0))
        asked = Asked(
            method=self.command,
            path=path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        self.runs_api.asked.append(asked)
        unknown = refusal(404, "NOT_FOUND", "Nothing is known of this")
        reply = self.runs_api.replies.get((self.command, unquote(path)), unknown)
        try:
            reply(self, asked)
        except OSError:  # the caller did not wait
            self.close_connection = True

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):  # reset() has closed the connection
            return

    def log_message(self, *arguments: object) -> None:
        """Write no access log into the output of the tests."""


class Server(ThreadingHTTPServer):
    """Records its connections, so that a server that goes away can break kept-alive ones too."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connections: list[socket.socket] = []

    def server_bind(self) -> None:
        """Without asking the resolver for the host's name, as ``HTTPServer`` does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(request)
        super().finish_request(request, client_address)


class Port:
    """A listening port, whose number stays the same when it is closed and opened again."""

    def __init__(self, handler: type[Handler], number: int, tls: ssl.SSLContext | None) -> None:
        self._handler = handler
        self._tls = tls
        # Keeps the number while nobody listens: no other process is given it meanwhile.
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind(("127.0.0.1", number))
        self.number: int = self._holder.getsockname()[1]
        self.open()

    def open(self) -> None:
        self._server = Server(("127.0.0.1", self.number), self._handler)
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop_listening(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def close(self, spare: socket.socket | None = None) -> None:
        """Stop listening and break all connections but ``spare``, which is still in use."""
        self.stop_listening()
        for connection in self._server.connections:
            if connection is spare:
                continue
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)

    def give_up(self) -> None:
        """Let others have the number."""
        self._holder.close()


@contextmanager
def serve(port: int = 0, *, tls: ssl.SSLContext | None = None) -> Iterator[RunsAPI]:
    class OwnHandler(Handler):
        pass

    opened = Port(OwnHandler, port, tls)
    runs_api = RunsAPI(f"http://127.0.0.1:{opened.number}")
    OwnHandler.runs_api = runs_api
    runs_api.go_away, runs_api.come_back = opened.close, opened.open
    runs_api.stop_listening = opened.stop_listening
    try:
        yield runs_api
    finally:
        runs_api.released.set()
        opened.close()
        opened.give_up()
