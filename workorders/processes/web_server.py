"""The web server that ``serve`` runs: its port, its command, its first response."""

import http.client
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError

type Address = tuple[str, int]
"""IP address and port."""

RESPONSE_SECONDS = 2
CONNECTIONS = 8192
"""Limit of simultaneous connections for one process. Each open page keeps one connection."""


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

    Granian replaces each of its processes that ends, so also one that has ended itself because
    it hangs (``Gateway``). A request occupies a thread while a runs API hangs (two seconds by
    default), so there are many more threads than cores. RUNS_API_MAX_CALLS keeps some threads free
    of such calls.
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


def responds(address: Address) -> bool:
    """Whether the server responds to a request for ``/healthz`` within ``RESPONSE_SECONDS``."""
    connection = http.client.HTTPConnection(*reachable(address), timeout=RESPONSE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _accepted_host() -> str:
    """A host name that ``ALLOWED_HOSTS`` accepts."""
    first = settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "127.0.0.1"
    return "127.0.0.1" if first == "*" else first.lstrip(".")
