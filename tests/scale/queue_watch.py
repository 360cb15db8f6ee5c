"""Looks at the queue again and again, through the runs API of all web servers."""

import threading
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, Self

import httpx

from tests.scale.cluster import API_KEY
from tests.support.product import Product

PAGE = 100


class QueueWatch(threading.Thread):
    """``lies`` are the answers whose places in the queue were not those of one moment."""

    def __init__(self, web: Sequence[Product]) -> None:
        super().__init__(name="queue watch")
        self.lies: list[str] = []
        self.looks = 0
        self.longest = 0
        self._web = cycle(web)
        self._ended = threading.Event()

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        with httpx.Client(headers=headers, timeout=120, trust_env=False) as client:
            while not self._ended.wait(0.05):
                url = f"{next(self._web).url}/api/v1/runs"
                answer = client.get(url, params={"status": "queued", "limit": PAGE})
                items = answer.json()["data"]["items"]
                if lie := lie_in(items):
                    self.lies.append(lie)
                self.looks += 1
                self.longest = max(self.longest, *(item["queuePosition"] or 0 for item in items), 0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def lie_in(items: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with a page of the queue, newest first; ``""``: nothing."""
    queued = [item for item in items if item["status"] == "queued"]
    places = [item["queuePosition"] for item in queued]
    times = [item["queuedAt"] for item in queued]
    if times != sorted(times, reverse=True):
        return f"not in the order in which they were queued: {times}"
    if any(place is None for place in places):
        return f"queued without a place: {places}"
    if places and places != list(range(places[0], places[0] - len(places), -1)):
        return f"gaps or doubles: {places}"
    if places and len(items) < PAGE and places[-1] != 1:
        return f"the whole queue, but nobody is first: {places}"
    return ""
