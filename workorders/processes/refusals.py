"""Requests that are answered without Django: by a line of text, and a line in the log for many."""

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgiref.typing import ASGISendCallable

logger = logging.getLogger(__name__)

REPORT_SECONDS = 10.0
"""Refusals are counted for so long and logged together: a flood must not fill the disk."""


class RefusedError(Exception):
    """``retry_after``: seconds; 0 where trying again is of no use."""

    def __init__(self, status: int, text: str, *, retry_after: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_after = retry_after


class Refusals:
    """Sends refusals and counts them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    async def send(self, refusal: RefusedError, send: "ASGISendCallable") -> None:
        self._count(refusal)
        body = refusal.text.encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        if refusal.retry_after:
            headers.append((b"retry-after", str(refusal.retry_after).encode()))
        await send(
            {
                "type": "http.response.start",
                "status": refusal.status,
                "headers": headers,
                "trailers": False,
            }
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _count(self, refusal: RefusedError) -> None:
        if not self._counts:
            asyncio.get_running_loop().call_later(REPORT_SECONDS, self._report)
        self._counts[f"{refusal.status} {refusal.text}"] += 1

    def _report(self) -> None:
        counts, self._counts = self._counts, Counter()
        for refusal, count in counts.items():
            logger.warning("Refused %d requests within %g s: %s", count, REPORT_SECONDS, refusal)
