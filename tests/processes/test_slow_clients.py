"""Strangers and slow clients: none of them holds a thread, and nobody else notices them.

One process with four threads; ``python -m bench.flood`` does the same with hundreds, and counts.
"""

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from bench.product_server import CSRF_TOKEN, ProductServer
from tests.support.product import DEADLINE_SECONDS, wait_until

THREADS = 4
MANY = 3 * THREADS
LOG_BYTES = 20_000_000
"""More than the kernel keeps for a connection whose client does not read."""
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Server:
    product: ProductServer
    cookies: list[str]
    log_path: str

    def connect(self) -> socket.socket:
        address = urlsplit(self.product.url)
        assert address.hostname
        assert address.port
        return socket.create_connection((address.hostname, address.port), DEADLINE_SECONDS)

    def send(self, connection: socket.socket, line: str, **headers: object) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{line} HTTP/1.1", f"Host: {urlsplit(self.product.url).netloc}"]
        lines += [f"{name}: {value}" for name, value in named.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())

    def answers(self) -> None:
        """A page and the health check, by connections of their own."""
        for path in ("/sign-in/", "/healthz"):
            response = httpx.get(self.product.url + path, timeout=DEADLINE_SECONDS, trust_env=False)
            assert response.status_code == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp("slow")
    product = ProductServer(
        data_dir,
        WORKERS="0",
        WEB_PROCESSES="1",
        WEB_THREADS=str(THREADS),
        WEB_BODY_SECONDS="2",
        WEB_SEND_SECONDS="2",
        WEB_DOWNLOADS=str(THREADS + 2),
        WEB_HUNG_SECONDS="3600",
        TRUST_PROXY_HEADERS="1",
        PASSWORD_ATTEMPTS="1000",  # each one is hashed
    )
    product.rows("prepare")
    (order,) = product.rows("work_order", runs=1)
    run_id = product.rows("log", work_order_id=order, size=LOG_BYTES)
    cookies = product.rows("sessions", count=3)
    with product:
        yield Server(product, cookies, f"/runs/{run_id}/log/")


def status_of(connection: socket.socket) -> int:
    with connection.makefile("rb") as response:
        return int(response.readline().split()[1])


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has ended it; what is left in it is not read."""
    with suppress(AttributeError):  # there is none on macOS
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1
    return True


@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/work-orders"])
def test_slow_bodies_hold_nobody_up(server: Server, path: str) -> None:
    with ExitStack() as kept:
        slow = [kept.enter_context(server.connect()) for _ in range(MANY)]
        for connection in slow:
            server.send(
                connection,
                f"POST {path}",
                Authorization=f"Bearer {server.product.api_key}",
                Cookie=f"csrftoken={CSRF_TOKEN}",
                Content_Type=FORM,
                Content_Length=1000,
            )
            connection.sendall(b"x")
        server.answers()
        assert {status_of(connection) for connection in slow} == {408}


def test_body_that_is_declared_too_large_is_not_waited_for(server: Server) -> None:
    with server.connect() as connection:
        server.send(connection, "POST /sign-in/", Content_Type=FORM, Content_Length=10_000_000)
        assert status_of(connection) == 413


def test_body_that_grows_too_large_is_ended(server: Server) -> None:
    with server.connect() as connection:
        server.send(connection, "POST /sign-in/", Content_Type=FORM, Transfer_Encoding="chunked")
        with suppress(OSError):  # the server may close before it was sent all
            for _ in range(41):
                connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert status_of(connection) == 413


def test_form_in_chunks_arrives(server: Server) -> None:
    with server.connect() as connection:
        cookie = f"csrftoken={CSRF_TOKEN}"
        headers = {"Content_Type": FORM, "Cookie": cookie, "Transfer_Encoding": "chunked"}
        server.send(connection, "POST /preferences/", **headers)
        body = f"csrfmiddlewaretoken={CSRF_TOKEN}".encode()
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert status_of(connection) != 403  # the token was found in it


def test_log_arrives_as_a_whole(server: Server) -> None:
    log = httpx.get(
        server.product.url + server.log_path,
        headers={"Cookie": server.cookies[0]},
        timeout=DEADLINE_SECONDS,
        trust_env=False,
    )
    assert len(log.content) == LOG_BYTES
    assert log.headers["cache-control"] == "no-store"


def test_readers_that_do_not_read_hold_nobody_up(server: Server) -> None:
    with ExitStack() as kept:
        readers = [kept.enter_context(server.connect()) for _ in range(MANY)]
        for number, connection in enumerate(readers):
            cookie = server.cookies[number % 2]
            server.send(connection, f"GET {server.log_path}", Cookie=cookie)
        statuses = Counter(status_of(connection) for connection in readers)
        assert statuses == {200: THREADS + 2, 503: MANY - THREADS - 2}
        server.answers()
        downloading = readers  # the refused ones may stay connected
        wait_until(lambda: sum(map(is_closed, downloading)) >= THREADS + 2)
        # What was sent until then does not look like the whole log.
        ended = next(connection for connection in readers if is_closed(connection))
        assert not everything_in(ended).endswith(b"0\r\n\r\n")
    # There is room again.
    wait_until(lambda: log_status(server) == 200)


def everything_in(connection: socket.socket) -> bytes:
    received = bytearray()
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            received += piece
    return bytes(received)


def log_status(server: Server) -> int:
    with server.connect() as connection:
        server.send(connection, f"GET {server.log_path}", Cookie=server.cookies[2])
        return status_of(connection)


def test_wrong_passwords_hold_nobody_up(server: Server) -> None:
    code = (
        "from workorders.accounts.users import ensure_operator; user = ensure_operator(); "
        "user.set_password('correct horse'); user.save()"
    )
    server.product.manage("shell", "--no-imports", "-c", code)
    typed = {"username": "operator", "password": "wrong", "csrfmiddlewaretoken": CSRF_TOKEN}

    def sign_in(_: int) -> httpx.Response:
        return httpx.post(
            f"{server.product.url}/sign-in/",
            data=typed,
            headers={"Cookie": f"csrftoken={CSRF_TOKEN}"},
            timeout=DEADLINE_SECONDS,
            trust_env=False,
        )

    with ThreadPoolExecutor(4 * MANY) as pool:
        responses = list(pool.map(sign_in, range(4 * MANY)))
    refused = [response for response in responses if response.status_code == 503]
    assert refused
    assert {response.headers["retry-after"] for response in refused} == {"5"}
    assert {response.status_code for response in responses} == {200, 503}
    server.answers()


def test_header_name_with_an_underscore_is_no_other_one(server: Server) -> None:
    """A proxy that sets X-Request-ID itself does not know the other spelling."""

    def answered_with(name: str) -> str:
        headers = {name: "made-by-the-client"}
        response = httpx.get(f"{server.product.url}/healthz", headers=headers, trust_env=False)
        return response.headers["x-request-id"]

    assert answered_with("X-Request-ID") == "made-by-the-client"
    assert answered_with("X_Request_ID") != "made-by-the-client"


MALFORMED = {
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a length that is none": b"POST /sign-in/ HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
    "chunks that are none": b"POST /sign-in/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\nxx",
    "a space before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "a header without end": b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 200_000,
    "an address without end": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED)
def test_request_that_is_malformed_is_refused(server: Server, request_bytes: bytes) -> None:
    with server.connect() as connection:
        with suppress(OSError):
            connection.sendall(request_bytes)
        response = everything_in(connection)
    assert response.startswith(b"HTTP/1.1 4") or not response
    assert response.count(b"HTTP/1.1 ") <= 1  # nothing of it was taken for a second request


def test_requests_in_a_row_are_answered_in_a_row(server: Server) -> None:
    with server.connect() as connection:
        for path in ("/healthz", "/no-such-page/"):
            server.send(connection, f"GET {path}")
        server.send(connection, "GET /healthz", Connection="close")
        responses = everything_in(connection).split(b"HTTP/1.1 ")[1:]
    assert [response[:3] for response in responses] == [b"200", b"404", b"200"]
