"""Many open pages that stay true, as ``static/js/live.js`` does it, in one cheap process.

Reads its orders as JSON from standard input (``Watch``), prints a line when it
begins to measure and its result (``Seen``) as JSON when it ends.
"""

import asyncio
import gzip
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field

from bench.product_server import HTMX_HEADERS, joined, refresh_address

ANSWER_SECONDS = 10
"""As htmx is told in ``base.html``; then a page asks again after its interval."""
MEASURING = "measuring"


@dataclass(frozen=True, slots=True)
class Watch:
    """What to do. ``pages`` are the refresh addresses of one page of each subject."""

    host: str
    port: int
    api_host: str
    api_port: int
    pages: list[str]
    changes: list[str]
    """Of each subject: the path that changes it, sent to the runs API."""
    cookies: list[str]
    count: int
    interval: float
    warm_up_seconds: float
    seconds: float
    seed: int


@dataclass(slots=True)
class Seen:
    """Milliseconds of each refresh, and from each change to each page that shows it."""

    refreshes: list[float] = field(default_factory=list)
    failures: int = 0
    delays: list[list[float]] = field(default_factory=list)
    """One list a change."""
    never_shown: int = 0
    cpu_seconds: float = 0


class Connection:
    """One kept open for as long as the other side does."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[int, str]:
        """Status and body; ``OSError`` or ``IncompleteReadError`` when there is no answer."""
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
    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._seen = Seen()
        self._measuring = False
        self._changed_at: dict[int, float] = {}
        """When each subject was changed, by ``time.monotonic()``."""
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
        """One subject after the other, and time for every page to show the last of them."""
        ends_at = time.monotonic() + seconds
        pause = max(seconds - 2 * self._watch.interval, 0) / len(self._watch.changes)
        api = Connection(self._watch.api_host, self._watch.api_port)
        for subject, path in enumerate(self._watch.changes):
            self._changed_at[subject] = time.monotonic()
            self._delays[subject] = []
            head = (
                f"POST {path} HTTP/1.1\r\nHost: {self._watch.api_host}\r\nContent-Length: 0\r\n\r\n"
            )
            await api.ask(head.encode())
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
                async with asyncio.timeout(ANSWER_SECONDS):
                    status, body = await connection.ask(request)
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
