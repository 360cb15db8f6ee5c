"""The web server that ``serve`` runs: its port, its command, its watchdog."""

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
"""How long a slow machine may need until the first response."""
CONNECTIONS = 8192
"""Limit of simultaneous connections for one process. Each open page keeps one connection. Once
all are in use the ``Watchdog`` cannot connect either, and the server would count as lost."""


def wanted_address() -> Address:
    """The settings ``HOST`` and ``PORT``; port 0 stands for any free port."""
    return settings.HOST, settings.PORT


@contextmanager
def reserved_address(host: str, port: int) -> Iterator[Address]:
    """Reserve a port inside the ``with`` block; port 0 reserves any free one.

    The web server listens with ``SO_REUSEPORT``, so a second product on the same port would
    silently get half of the requests. The socket made here is first bound without that option,
    which fails if the port is in use, and then allows sharing. It never listens, so it gets no
    requests.

    Raises:
        CommandError: the port is in use, or the host is no address of this machine.
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
        bound = holder.getsockname()  # IPv6 addresses have two more values
        yield bound[0], bound[1]


def allow_open_files() -> None:
    """Raise this process's limit of open files to what the connections need; children inherit it.

    A shell's soft limit is often 1024 or 256. Every process may raise it up to the hard limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def command(address: Address) -> list[str]:
    """The command that starts Granian, which speaks HTTP; ``dashboard.asgi`` has the threads.

    A request occupies a thread while a runs API hangs (two seconds by default), so there are
    many more threads than cores. RUNS_API_MAX_CALLS keeps some threads free of such calls.
    """
    options = {
        "interface": "asginl",  # ASGI without lifespan events
        "host": address[0],
        "port": address[1],
        "workers": settings.WEB_PROCESSES,
        # Granian's default is 512 for two processes.
        "backpressure": CONNECTIONS,
        "http": 1,
        # Limits the headers of a request, and the buffer of a connection that does not read.
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
    """The dashboard's URL for an operator's browser, without a trailing slash."""
    if settings.SECURE_SSL_REDIRECT:  # behind a proxy that ends HTTPS
        return f"https://{_accepted_host()}"
    host, port = reachable(address)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable(address: Address) -> Address:
    """An address to connect to: loopback when the given address means every interface."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    return loopback.get(address[0], address[0]), address[1]


class Watchdog(threading.Thread):
    """Requests ``/healthz`` of the web server repeatedly and remembers the last response.

    The supervisor notices processes that have ended, but not a process that is alive and no
    longer responds. ``last_response`` is a ``time.monotonic()`` timestamp; 0: none yet.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.last_response = 0.0
        self._hung_seconds = settings.WEB_HUNG_SECONDS
        self._address = address

    def run(self) -> None:
        while True:
            responded = self._responds()
            if responded:
                self.last_response = time.monotonic()
            time.sleep(self._hung_seconds / 6 if responded else RETRY_SECONDS)

    def is_lost(self, started_at: float) -> bool:
        """Whether a server started at ``started_at`` (``time.monotonic()``) stopped responding."""
        responded = self.last_response > started_at
        patience = self._hung_seconds if responded else max(self._hung_seconds, STARTING_SECONDS)
        return time.monotonic() - max(self.last_response, started_at) > patience

    def _responds(self) -> bool:
        host, port = reachable(self._address)
        connection = http.client.HTTPConnection(host, port, timeout=self._hung_seconds / 3)
        try:
            connection.request("GET", "/healthz")
            # Status 503 means that the server is alive and its threads hang.
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _accepted_host() -> str:
    """A host name that ``ALLOWED_HOSTS`` accepts."""
    first = settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "127.0.0.1"
    return "127.0.0.1" if first == "*" else first.lstrip(".")
