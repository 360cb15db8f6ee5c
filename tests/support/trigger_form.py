"""The trigger dialog as the two kinds of browser use it: with htmx and without scripts."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http.response import HttpResponseBase
from django.test import Client

HTMX = {"HX-Request": "true"}
"""Headers by which a request is htmx's."""
KINDS: Mapping[str, Mapping[str, str]] = {"htmx": HTMX, "no-script": {}}


@dataclass
class Answered:
    """What came back to the operator, the same for both kinds of browser."""

    response: HttpResponseBase
    client: Client

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def location(self) -> str:
        """Where the browser is sent; empty: the dialog stays."""
        headers = self.response.headers
        return str(headers.get("HX-Redirect") or headers.get("Location") or "")

    @property
    def html(self) -> str:
        return self.response.content.decode()  # type: ignore[attr-defined, no-any-return]

    @property
    def next_page(self) -> str:
        return self.client.get(self.location).content.decode()


@dataclass
class TriggerForm:
    """One opened dialog of one work order: every ``send`` carries the same key."""

    client: Client
    headers: Mapping[str, str]
    work_order_id: str = "wo-1"
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def url(self) -> str:
        return f"/work-orders/{self.work_order_id}/trigger/"

    def send(self, **typed: str) -> Answered:
        response = self.client.post(self.url, {"key": self.key} | typed, headers=self.headers)
        return Answered(response, self.client)

    def open(self) -> Answered:
        return Answered(self.client.get(self.url, headers=self.headers), self.client)
