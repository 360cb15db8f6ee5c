"""The production web server as ``serve`` runs it: its port, its command, its watchdog."""

import http.client
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError

type Address = tuple[str, int]
"""IP address and port."""

RETRY_SECONDS = 0.1
STARTING_SECONDS = 60
"""A slow machine may need this long to the first answer."""
CONNECTIONS = 8192
"""Of one process, at the same time. An open page keeps one all the time; with all of them in
use others are accepted by nobody, ``Watchdog`` among them, and the server would count as lost."""


def wanted_address() -> Address:
    """``HOST`` and ``PORT``; 0 takes any free port."""
    return settings.HOST, settings.PORT


@contextmanager
def reserved_address(host: str, port: int) -> Iterator[Address]:
    """Hold a port, any free one for 0, for as long as the product runs.

    The server itself shares its port with whoever asks (``SO_REUSEPORT``), so
    that a second product on the same port would quietly take half of the
    requests. The socket here is bound alone, which fails when anyone is there,
    and only then opened for sharing; it never listens, so it gets no requests.

    Raises ``CommandError`` when the port or the address is not to be had.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as exc:
        raise CommandError(f"HOST is {host!r}, which is no address of this machine.") from exc
    with socket.socket(family, kind) as holder:
        # A port whose last connections are still closing is free.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(address)
        except OSError as exc:
            raise CommandError(
                f"Cannot listen on {host}:{port} ({exc.strerror}). "
                "Is it running already? PORT=8001 chooses another port."
            ) from exc
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound = holder.getsockname()  # IPv6 adds two values more
        yield bound[0], bound[1]


def allow_open_files() -> None:
    """As many as the connections need, or as the machine allows; children inherit that.

    A shell's limit is often 1024, or 256, and may be raised by anybody up to the hard one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def command(address: Address) -> list[str]:
    """Granian: its Rust half speaks HTTP, ``dashboard.asgi`` gives requests to threads.

    A request holds a thread for as long as a runs API hangs (two seconds by
    default), so there are many more threads than cores; RUNS_API_MAX_CALLS
    keeps some of them free of it.
    """
    options = {
        "interface": "asginl",  # ASGI without lifespan events
        "host": address[0],
        "port": address[1],
        "workers": settings.WEB_PROCESSES,
        # Granian's own is 512 for two processes.
        "backpressure": CONNECTIONS,
        "http": 1,
        # The longest header, and what is kept for each connection that does not read.
        "http1-buffer-size": 65_536,
        "log-level": "error",
        "respawn-interval": 0.5,
        "workers-kill-timeout": 3,
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [
        *(sys.executable, "-m", "workorders.processes.concealment", "granian"),
        *(*flags, "--no-ws", "--respawn-failed-workers"),
        "dashboard.asgi:application",
    ]


def public_url(address: Address) -> str:
    """Where an operator's browser finds the dashboard, without a slash at the end."""
    if settings.SECURE_SSL_REDIRECT:  # behind a proxy that ends HTTPS
        return f"https://{_accepted_host()}"
    host, port = reachable(address)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable(address: Address) -> Address:
    """An address to connect to, where the given one may mean every interface."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    return loopback.get(address[0], address[0]), address[1]


class Watchdog(threading.Thread):
    """Asks the web server for its health again and again and remembers the last answer.

    Processes that live but answer nothing are noticed by nobody else: clients
    that send half a request each can hold every thread.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.last_answer = 0.0
        self._hung_seconds = settings.WEB_HUNG_SECONDS
        self._address = address

    def run(self) -> None:
        while True:
            answered = self._answers()
            if answered:
                self.last_answer = time.monotonic()
            time.sleep(self._hung_seconds / 6 if answered else RETRY_SECONDS)

    def is_lost(self, started_at: float) -> bool:
        """Whether the server that was started then (``time.monotonic()``) answers no more."""
        answered = self.last_answer > started_at
        patience = self._hung_seconds if answered else max(self._hung_seconds, STARTING_SECONDS)
        return time.monotonic() - max(self.last_answer, started_at) > patience

    def _answers(self) -> bool:
        host, port = reachable(self._address)
        connection = http.client.HTTPConnection(host, port, timeout=self._hung_seconds / 3)
        try:
            connection.request("GET", "/healthz")
            # 503: the server lives, its threads hang.
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _accepted_host() -> str:
    """A host name that the product accepts."""
    first = settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "127.0.0.1"
    return "127.0.0.1" if first == "*" else first.lstrip(".")
