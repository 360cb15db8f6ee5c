"""Responses to requests that never reach Django, and one log line for many of them."""

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgiref.typing import ASGISendCallable

logger = logging.getLogger(__name__)

REPORT_SECONDS = 10.0
"""Refusals of this period share one log line: a flood of requests must not fill the disk."""


class RefusedError(Exception):
    """A request is refused.

    Attributes:
        status: the HTTP status of the response.
        text: the body of the response, one line.
        retry_after: seconds for the ``Retry-After`` header; 0: trying again is no use.
    """

    def __init__(self, status: int, text: str, *, retry_after: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_after = retry_after


class Refusals:
    """Sends refusals as plain text and logs how many there were."""

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
