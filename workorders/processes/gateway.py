"""The ASGI application between the web server and Django, which runs under WSGI.

Threads are scarce, so no slow client may occupy one. A request gets a thread only after its
complete body has arrived, and a response that its client does not read waits without a thread.
Health checks have threads of their own.
"""

import asyncio
import faulthandler
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workorders.processes.refusals import Refusals, RefusedError
from workorders.processes.sockets import ConnectionCloser, abort_unread
from workorders.processes.threads import Threads
from workorders.processes.wsgi import Response, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

logger = logging.getLogger(__name__)

LIVENESS = "/healthz"
PROBES = frozenset({"/readyz", "/metrics"})
PROBE_THREADS = 2
PASSWORD_THREADS = 2
"""Sign-ins wait for ``workorders.accounts.password_hashing`` here, not in the pages' threads."""
SMALL_BODY_BYTES = 65_536
"""A body up to this size is always received; longer ones share ``LARGE_BODIES_BYTES``."""
LARGE_BODIES_BYTES = 64 * 2**20
PIECE_BYTES = 16_384
"""Size of the pieces sent to the web server, which buffers about twenty for each connection."""
RETRY_AFTER_SECONDS = 5
BUSY = f"Too many are asking at this moment. Try again in {RETRY_AFTER_SECONDS} seconds."
MOST_WAITING = 1000
"""The most requests that wait for a thread of one process: a few seconds of work."""
MOST_PASSWORDS_WAITING = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process allows its clients.

    Attributes:
        threads: how many requests of pages and of the API are processed at the same time.
        body_bytes: the largest body of a request.
        body_seconds: how long a complete body may take to arrive.
        send_seconds: how long a client may take to read the next piece of a response.
        password_path: the path of the sign-in form, whose POST requests share few threads.
        hung_seconds: if the event loop does nothing for this time, or requests wait and no
            thread has finished one, the process ends and Granian starts another one.
    """

    threads: int
    body_bytes: int
    body_seconds: float
    send_seconds: float
    hung_seconds: float
    password_path: str


class ClientGoneError(Exception):
    """The client has closed its connection before its request was complete."""


class Gateway:
    """Runs a WSGI application in threads that no slow client can hold.

    Args:
        application: called once for each request. Its response is read part by part, each part
            by any free thread.
    """

    def __init__(self, application: "WSGIApplication", limits: Limits) -> None:
        self._application = application
        self._limits = limits
        self._threads = Threads("web", limits.threads, most_waiting=MOST_WAITING)
        self._probe_threads = Threads("probe", PROBE_THREADS, most_waiting=PROBE_THREADS)
        self._password_threads = Threads(
            "password", PASSWORD_THREADS, most_waiting=MOST_PASSWORDS_WAITING
        )
        self._large_bytes = 0
        self._closer = ConnectionCloser()
        self._refusals = Refusals()
        self._watchdog: asyncio.Task[None] | None = None

    async def __call__(
        self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        if scope["type"] != "http":
            return
        if self._watchdog is None:
            # The first request proves that the web server listens: it has no hook that says so.
            self._watchdog = asyncio.create_task(self._end_when_hung())
            abort_unread(self._limits.send_seconds)
        try:
            body = await self._body(scope, receive)
            response = await self._begin(scope, body)
        except ClientGoneError:
            return
        except RefusedError as refusal:
            await self._refusals.send(refusal, send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": response.headers,
                "trailers": False,
            }
        )
        if response.is_complete:
            await _send_part(send, response.part, more=False)
        else:
            await self._stream(scope, response, receive, send)

    async def _body(self, scope: "HTTPScope", receive: "ASGIReceiveCallable") -> bytes:
        """The complete body of the request.

        Raises:
            RefusedError: the body is too large, too slow, or too much memory is in use.
            ClientGoneError: the client has closed the connection.
        """
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        if declared == b"0" and b"transfer-encoding" not in headers:
            return b""
        if int(declared) > self._limits.body_bytes:
            raise RefusedError(413, "The request is too large.")
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._received(receive)
        except TimeoutError:
            raise RefusedError(408, "The request took too long to arrive.") from None

    async def _received(self, receive: "ASGIReceiveCallable") -> bytes:
        body = bytearray()
        with self._large_body() as grow:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientGoneError
                body += message["body"]
                if len(body) > self._limits.body_bytes:
                    raise RefusedError(413, "The request is too large.")
                grow(len(body))
                if not message["more_body"]:
                    return bytes(body)

    @contextmanager
    def _large_body(self) -> Iterator[Any]:
        """Account for one body in the memory that all large bodies share.

        Yields a function to call with the size of the body so far, in bytes. That function raises
        ``RefusedError`` (503) when the shared memory is used up.
        """
        counted = 0

        def grow(size: int) -> None:
            nonlocal counted
            if size <= SMALL_BODY_BYTES:
                return
            if self._large_bytes + size - counted > LARGE_BODIES_BYTES:
                raise RefusedError(503, BUSY, retry_after=RETRY_AFTER_SECONDS)
            self._large_bytes += size - counted
            counted = size

        try:
            yield grow
        finally:
            self._large_bytes -= counted

    async def _begin(self, scope: "HTTPScope", body: bytes) -> Response:
        """Call the application: the response with its first part. Raises ``RefusedError``."""
        environ = environ_of(scope, body)
        if scope["path"] == LIVENESS:
            return Response(self._application, environ)  # reads no database: no thread is needed
        threads = self._threads_for(scope)
        if threads.are_full:
            raise RefusedError(503, BUSY, retry_after=RETRY_AFTER_SECONDS)
        try:
            return await threads.run(Response, self._application, environ)
        except Exception:
            logger.exception("The application broke")
            raise RefusedError(500, "Something broke on our side.") from None

    def _threads_for(self, scope: "HTTPScope") -> Threads:
        if scope["path"] in PROBES:
            return self._probe_threads
        if scope["path"] == self._limits.password_path and scope["method"] == "POST":
            return self._password_threads
        return self._threads

    async def _end_when_hung(self) -> None:
        """Start a timer that ends the process, and start it again while the process gets on.

        The timer belongs to faulthandler and needs neither the event loop nor Python's lock. Before
        it ends the process, it writes to standard error what every thread is doing.
        """
        pause = self._limits.hung_seconds / 6
        try:
            while True:
                if self._threads.hung_seconds < pause:
                    faulthandler.dump_traceback_later(self._limits.hung_seconds, exit=True)
                await asyncio.sleep(pause)
        finally:
            faulthandler.cancel_dump_traceback_later()

    async def _stream(
        self,
        scope: "HTTPScope",
        response: Response,
        receive: "ASGIReceiveCallable",
        send: "ASGISendCallable",
    ) -> None:
        gone = asyncio.create_task(_wait_until_gone(receive))
        try:
            while not gone.done():
                for start in range(0, len(response.part), PIECE_BYTES):
                    async with asyncio.timeout(self._limits.send_seconds):
                        await _send_part(
                            send, response.part[start : start + PIECE_BYTES], more=True
                        )
                if response.is_complete:
                    await _send_part(send, b"", more=False)
                    return
                await self._threads.run(response.read)
        except Exception as exc:
            if not isinstance(exc, TimeoutError):
                logger.exception("A response broke")
            # A closed connection shows the client that the response is incomplete.
            if client := scope["client"]:
                self._closer.close((client[0], client[1] or 0))
        finally:
            gone.cancel()
            await self._threads.run(response.close)


async def _wait_until_gone(receive: "ASGIReceiveCallable") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_part(send: "ASGISendCallable", body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
