"""A network link on loopback that can be cut: a TCP proxy in front of one server."""

import contextlib
import selectors
import socket
import threading
from enum import Enum
from typing import Self


class Cut(Enum):
    REFUSED = "connections are closed and new ones refused, as by a server that restarts"
    SILENT = (
        "nothing arrives any more and no connection is closed, as by a firewall or a pulled cable"
    )


class CutLink(threading.Thread):
    """Forwards between ``port`` on loopback and the server until it is cut."""

    def __init__(self, server_port: int) -> None:
        super().__init__(name="link", daemon=True)
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._cut: Cut | None = None
        self._ended = threading.Event()

    def cut(self, how: Cut) -> None:
        self._cut = how

    def heal(self) -> None:
        self._cut = None

    def run(self) -> None:
        was_cut: Cut | None = None
        while not self._ended.is_set():
            is_cut = self._cut
            if is_cut is not was_cut and (is_cut is Cut.REFUSED or was_cut is Cut.SILENT):
                self._close_all()  # data that was sent while the link was silent is lost
            was_cut = is_cut
            if is_cut is Cut.SILENT:
                self._ended.wait(0.01)
                continue
            for key, _ in self._selector.select(0.01):
                if key.fileobj is self._listener:
                    self._accept(refuse=is_cut is Cut.REFUSED)
                elif isinstance(key.fileobj, socket.socket):
                    self._forward(key.fileobj)
        self._close_all()
        self._listener.close()

    def _accept(self, *, refuse: bool) -> None:
        client, _ = self._listener.accept()
        if refuse:
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self._server_port))
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, source: socket.socket) -> None:
        if source not in self._peers:  # closed in this round, together with its peer
            return
        data = b""
        with contextlib.suppress(OSError):
            if data := source.recv(65_536):
                self._peers[source].sendall(data)
                return
        self._close(source)

    def _close(self, one: socket.socket) -> None:
        other = self._peers.pop(one)
        self._peers.pop(other)
        for end in (one, other):
            self._selector.unregister(end)
            end.close()

    def _close_all(self) -> None:
        while self._peers:
            self._close(next(iter(self._peers)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
