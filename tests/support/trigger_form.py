"""The trigger dialog as both kinds of browsers use it: with htmx and without scripts."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http.response import HttpResponseBase
from django.test import Client

HTMX = {"HX-Request": "true"}
"""The header that marks a request as sent by htmx."""
KINDS: Mapping[str, Mapping[str, str]] = {"htmx": HTMX, "no-script": {}}


@dataclass
class Answered:
    """The response to an operator, with the same attributes for both kinds of browsers."""

    response: HttpResponseBase
    client: Client

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def location(self) -> str:
        """The URL that the browser is sent to; empty when the dialog stays open."""
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
    """One opened dialog of one work order; every ``send`` has the same idempotency key."""

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
