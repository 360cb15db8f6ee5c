"""Ends connections whose clients do not read. The web server has no option for this."""

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

type Peer = tuple[str, int]
"""IP address and port of a client."""

DESCRIPTORS = Path("/dev/fd")
"""The open files of this process, on Linux and on macOS."""
CLOSING_SECONDS = 1.0
"""Connections are closed in batches of this period: finding one means examining all."""


def abort_unread(seconds: float) -> None:
    """Let the kernel end connections whose clients receive nothing for ``seconds`` (RFC 5482).

    Only Linux supports this. A connection inherits the option from the socket that accepts it,
    so this process must listen before the call.
    """
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    for own in _own_sockets():
        if own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            milliseconds = round(seconds * 1000)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


class ConnectionCloser:
    """Closes connections of this process, found by the client's address."""

    def __init__(self) -> None:
        self._peers: set[Peer] = set()

    def close(self, peer: Peer) -> None:
        """Close within ``CLOSING_SECONDS``; the client sees that the response is incomplete."""
        if not self._peers:
            asyncio.get_running_loop().call_later(CLOSING_SECONDS, self._close_all)
        self._peers.add(peer)

    def _close_all(self) -> None:
        peers, self._peers = self._peers, set()
        for own in _own_sockets():
            with suppress(OSError):  # a listening socket has no peer
                if own.getpeername()[:2] in peers:
                    own.shutdown(socket.SHUT_RDWR)


def _own_sockets() -> Iterator[socket.socket]:
    """Every TCP socket of this process, as a copy that is closed after the loop's step."""
    for descriptor in DESCRIPTORS.iterdir():
        with suppress(OSError):  # the descriptor was closed during the loop
            copy = os.dup(int(descriptor.name))
            if not stat.S_ISSOCK(os.fstat(copy).st_mode):
                os.close(copy)
                continue
            with socket.socket(fileno=copy) as own:
                if own.family in {socket.AF_INET, socket.AF_INET6}:
                    yield own
