"""The ASGI application between the web server and Django, which runs under WSGI.

A thread is what there are few of, so no client may hold one. A request takes a thread only
when its body is here as a whole, and a response that its client does not read waits without
one. Health checks need none of the threads that pages use.
"""

import asyncio
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
"""They wait for ``workorders.accounts.password_hashing``, so that no thread of the pages does."""
SMALL_BODY_BYTES = 65_536
"""A body up to this size is always received; longer ones share ``LARGE_BODIES_BYTES``."""
LARGE_BODIES_BYTES = 64 * 2**20
PIECE_BYTES = 16_384
"""What the web server is given at a time: it keeps about twenty pieces for each connection."""
RETRY_AFTER_SECONDS = 5
BUSY = f"Too many are asking at this moment. Try again in {RETRY_AFTER_SECONDS} seconds."
MOST_WAITING = 1000
"""Requests that wait for a thread of one process: some seconds' work."""
MOST_PASSWORDS_WAITING = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process grants its clients.

    Attributes:
        threads: requests of pages and of the API that are answered at the same time.
        body_bytes: the longest body of a request.
        body_seconds: how long a body may take to arrive as a whole.
        send_seconds: how long a client may take to read the next piece of a response.
        password_path: where passwords are sent, which few may try at the same time.
        hung_seconds: after this time in which no thread has finished anything, although
            requests wait, the process says that it is not alive.
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
        application: runs once for each request; what it returns is read part by part, by
            whichever thread is free.
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
        self._listens = False

    async def __call__(
        self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        if scope["type"] != "http":
            return
        if not self._listens:
            # The web server tells nobody when it has begun to listen.
            self._listens = True
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
        """The whole body of the request."""
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
        """Yields a function that is told how long the body is by now."""
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
        """The response with its first part."""
        environ = environ_of(scope, body)
        if scope["path"] == LIVENESS:
            if self._threads.hung_seconds > self._limits.hung_seconds:
                raise RefusedError(503, "The threads of this process hang.")
            return Response(self._application, environ)  # asks nothing, so no thread is needed
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
            # What the client has by now must not look like all of it.
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
