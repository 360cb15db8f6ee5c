"""What the gateway does while the application under it does not answer, or breaks."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from workorders.processes import gateway
from workorders.processes.gateway import Gateway, Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Message = dict[str, Any]
LIMITS = Limits(
    threads=1,
    body_bytes=1000,
    body_seconds=60,
    send_seconds=60,
    hung_seconds=60,
    password_path="/sign-in/",
)


class Application:
    """Answers health checks; every other request waits until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.waits = threading.Semaphore(0)
        """Released once by each request that waits."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] not in {"/healthz", "/readyz"}:
            self.waits.release()
            self.released.wait()
        start_response("200 OK", [])
        return [b"answer"]


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    yield application
    application.released.set()


async def sent(server: Gateway, path: str, method: str = "GET") -> list[Message]:
    """What the gateway sends for a request without a body."""
    messages: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        messages.append(message)

    scope: Any = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "headers": [],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 1),
    }
    await server(scope, receive, send)  # type: ignore[arg-type]  # dictionaries will do
    return messages


async def status(server: Gateway, path: str, method: str = "GET") -> int:
    return int((await sent(server, path, method))[0]["status"])


def run_beside_waiting(
    application: Application,
    test: Callable[[Gateway], Awaitable[None]],
    *requests: tuple[str, str],
    limits: Limits = LIMITS,
) -> None:
    """Run the test while the requests (path, method) wait for the application."""

    async def run() -> None:
        server = Gateway(application, limits)
        tasks = [asyncio.create_task(sent(server, *request)) for request in requests]
        await asyncio.to_thread(application.waits.acquire)
        await test(server)
        application.released.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_health_is_told_while_every_thread_waits(application: Application) -> None:
    async def test(server: Gateway) -> None:
        assert await status(server, "/healthz") == 200
        assert await status(server, "/readyz") == 200

    run_beside_waiting(application, test, ("/work-orders/", "GET"), ("/work-orders/", "GET"))


def test_passwords_wait_for_each_other_and_not_for_ever(application: Application) -> None:
    most = gateway.PASSWORD_THREADS + gateway.MOST_PASSWORDS_WAITING

    async def test(server: Gateway) -> None:
        start, body = await sent(server, "/sign-in/", "POST")
        assert start["status"] == 503
        assert dict(start["headers"])[b"retry-after"] == b"5"
        assert b"Try again in 5 seconds." in body["body"]
        await asyncio.to_thread(application.waits.acquire)  # the first one was waited for
        assert not application.waits.acquire(timeout=0)
        page = asyncio.create_task(sent(server, "/sign-in/", "GET"))
        await asyncio.to_thread(application.waits.acquire)
        application.released.set()
        await page

    run_beside_waiting(application, test, *[("/sign-in/", "POST")] * most)


def test_response_that_breaks_does_not_look_complete() -> None:
    def application(_: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"x" * 100_000
        raise OSError

    messages = asyncio.run(sent(Gateway(application, LIMITS), "/work-orders/"))
    assert sum(len(message.get("body", b"")) for message in messages) == 100_000
    assert all(message["more_body"] for message in messages[1:])
