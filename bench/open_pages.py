"""Many open pages that poll as ``static/js/live.js`` does, in one cheap process.

The program reads a ``Watch`` as a JSON object from standard input. It prints the line
``measuring`` when the measurement begins, and a ``Seen`` as one line of JSON at the end.
"""

import asyncio
import gzip
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field

from bench.product_server import HTMX_HEADERS, joined, refresh_address

RESPONSE_SECONDS = 10
"""htmx's time-out, as ``base.html`` sets it. A page polls again one interval later."""
MEASURING = "measuring"


@dataclass(frozen=True, slots=True)
class Watch:
    """The orders for the open pages. A subject is a work order that some of the pages show.

    Attributes:
        pages: for each subject, the path that its page polls.
        cookies: ``Cookie`` headers; the pages use these in turn.
        count: the number of open pages.
        interval: seconds between two polls of a page.
        seed: for the random time of each page's first poll.
    """

    host: str
    port: int
    api_host: str
    api_port: int
    pages: list[str]
    changes: list[str]
    """For each subject, the path of the runs API whose POST changes the subject."""
    cookies: list[str]
    count: int
    interval: float
    warm_up_seconds: float
    seconds: float
    seed: int


@dataclass(slots=True)
class Seen:
    """The result.

    Attributes:
        refreshes: milliseconds until the response to each poll.
        failures: polls without a response of status 200 or 204.
        never_shown: how many pages did not show the change of their subject.
        cpu_seconds: CPU time of this process.
    """

    refreshes: list[float] = field(default_factory=list)
    failures: int = 0
    delays: list[list[float]] = field(default_factory=list)
    """For each change, the milliseconds until each page showed the change."""
    never_shown: int = 0
    cpu_seconds: float = 0


class Connection:
    """An HTTP connection that stays open until the server closes it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, request: bytes) -> tuple[int, str]:
        """Send a request; returns the status and the body of the response.

        Raises:
            OSError, IncompleteReadError: there is no complete response.
        """
        try:
            if self._reader is None or self._writer is None:
                self._reader, self._writer = await asyncio.open_connection(*self._address)
            self._writer.write(request)
            return await self._read(self._reader)
        except BaseException:
            self.close()
            raise

    async def _read(self, reader: asyncio.StreamReader) -> tuple[int, str]:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        length = _header(head, b"content-length")
        body = await reader.readexactly(int(length)) if length and status != 204 else b""
        if _header(head, b"content-encoding") == b"gzip":
            body = gzip.decompress(body)
        if _header(head, b"connection") == b"close":
            self.close()
        return status, body.decode()

    def close(self) -> None:
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None


def _header(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


class Pages:
    """The open pages of one ``Watch``."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._seen = Seen()
        self._measuring = False
        self._changed_at: dict[int, float] = {}
        """For each subject, the ``time.monotonic()`` timestamp of its change."""
        self._delays: dict[int, list[float]] = {}

    async def watch(self) -> Seen:
        chance = random.Random(self._watch.seed)
        pages = [
            asyncio.create_task(self._page(number, chance.uniform(0, self._watch.interval)))
            for number in range(self._watch.count)
        ]
        await asyncio.sleep(self._watch.warm_up_seconds)
        print(MEASURING, flush=True)
        self._measuring = True
        cpu = time.process_time()
        await self._change_each(self._watch.seconds)
        self._seen.cpu_seconds = time.process_time() - cpu
        self._measuring = False
        for page in pages:
            page.cancel()
        await asyncio.gather(*pages, return_exceptions=True)
        self._seen.delays = list(self._delays.values())
        shown = sum(map(len, self._seen.delays))
        changed = sum(
            1 for number in range(self._watch.count) if self._subject(number) in self._changed_at
        )
        self._seen.never_shown = changed - shown
        return self._seen

    async def _change_each(self, seconds: float) -> None:
        """Change the subjects in turn, then wait until every page can show the last change."""
        ends_at = time.monotonic() + seconds
        pause = max(seconds - 2 * self._watch.interval, 0) / len(self._watch.changes)
        api = Connection(self._watch.api_host, self._watch.api_port)
        for subject, path in enumerate(self._watch.changes):
            self._changed_at[subject] = time.monotonic()
            self._delays[subject] = []
            head = (
                f"POST {path} HTTP/1.1\r\nHost: {self._watch.api_host}\r\nContent-Length: 0\r\n\r\n"
            )
            await api.send(head.encode())
            await asyncio.sleep(pause)
        api.close()
        await asyncio.sleep(ends_at - time.monotonic())

    async def _page(self, number: int, offset: float) -> None:
        connection = Connection(self._watch.host, self._watch.port)
        address = self._watch.pages[self._subject(number)]
        waits_for_change = True
        await asyncio.sleep(offset)
        while True:
            began = time.monotonic()
            try:
                request = self._request(number, address)
                async with asyncio.timeout(RESPONSE_SECONDS):
                    status, body = await connection.send(request)
            except (OSError, asyncio.IncompleteReadError):
                status, body = 0, ""
            now = time.monotonic()
            if status == 200:
                address = joined(address, refresh_address(body))
            self._note(began, now, status)
            changed_at = self._changed_at.get(self._subject(number))
            if status == 200 and waits_for_change and changed_at is not None:
                self._delays[self._subject(number)].append((now - changed_at) * 1000)
                waits_for_change = False
            await asyncio.sleep(self._watch.interval)

    def _note(self, began: float, now: float, status: int) -> None:
        if not self._measuring:
            return
        if status in {200, 204}:
            self._seen.refreshes.append((now - began) * 1000)
        else:
            self._seen.failures += 1

    def _subject(self, number: int) -> int:
        return number % len(self._watch.pages)

    def _request(self, number: int, address: str) -> bytes:
        headers = HTMX_HEADERS | {
            "Host": f"{self._watch.host}:{self._watch.port}",
            "Cookie": self._watch.cookies[number % len(self._watch.cookies)],
        }
        lines = [
            f"GET {address} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def main() -> None:
    watch = Watch(**json.load(sys.stdin))
    print(json.dumps(asdict(asyncio.run(Pages(watch).watch()))))


if __name__ == "__main__":
    main()
