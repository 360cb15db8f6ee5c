"""Reads pages in tests: their HTML, their text, and the version that polling compares."""

import re
from html import unescape
from typing import Any

from django.test import Client

from tests.support.trigger_form import HTMX

PAGES = ["/work-orders/", "/work-orders/wo-1/", "/runs/run-1/"]
LOG = {"text": "last line\n", "offset": 90, "nextOffset": 100, "size": 100}


def text_of(html: str) -> str:
    """The text of the page without tags, with single spaces."""
    html = re.sub(r"</?(?:bdi|wbr)\b[^>]*>", "", html)  # these stand inside words and sentences
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def show(client: Client, path: str, status: int = 200, *, htmx: bool = False) -> str:
    """Get the page, check its status and return its HTML."""
    response = client.get(path, headers=HTMX if htmx else {})
    assert response.status_code == status
    return b"".join(response).decode()


def orders(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Items of the runs API's list of work orders."""
    return [
        {"id": f"wo-{number}", "taskPrompt": f"Task {number}", "status": "failed", "runCount": 1}
        for number in range(start, start + count)
    ]


def version_of(html: str) -> str:
    """The version token that the page's next poll sends."""
    found = re.search(r'hx-get="\?[^"]*version=([\w.-]+)', html)
    assert found
    return found[1]
