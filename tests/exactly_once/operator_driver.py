"""An operator at a browser, with htmx or without scripts, at a dashboard in this process or not."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Barrier
from time import sleep

import httpx
from django.db import connections
from django.test import Client

from tests.support.page_parser import Screen
from tests.support.product import Product, cookies_of_link
from tests.support.trigger_form import HTMX

MOST_REDIRECTS = 10


CHECKING = "Checking whether your run started…"
LOOKS_PAUSE_SECONDS = 0.02


@dataclass
class Desk:
    """``client`` is the browser's half that keeps cookies."""

    client: Client | httpx.Client
    htmx: bool

    def open_dialog(self, order_id: str) -> Screen:
        return self.send("get", f"/work-orders/{order_id}/trigger/", {})

    def send(self, method: str, url: str, fields: Mapping[str, str]) -> Screen:
        """Send it and follow to where the browser then is."""
        for _ in range(MOST_REDIRECTS):
            # Only the dialog is htmx's; what it leads to is a page.
            headers = dict(HTMX) if self.htmx and "/trigger/" in url else {}
            if method == "post":
                answer = self.client.post(url, data=dict(fields), headers=headers)
            else:
                answer = self.client.get(url, headers=headers)
            method = "get"
            place = answer.headers.get("HX-Redirect") or answer.headers.get("Location")
            if not place:
                return Screen(url, answer.status_code, answer.content.decode(), self.send)
            url = place
        raise AssertionError(f"redirected for ever, at last to {url}")


def told(screen: Screen) -> Screen:
    """What the operator reads once the dialog has done its checking, as its script does."""
    while CHECKING in screen.text:
        sleep(LOOKS_PAUSE_SECONDS)
        screen = screen.press("Check now")
    return screen


def told_at_once(
    shown: Screen, desks: Sequence[Desk], button: str = "Start Run", **typed: str
) -> list[Screen]:
    """The same dialog is sent from several tabs at the same moment; what each is told."""
    together = Barrier(len(desks))

    def submit(desk: Desk) -> Screen:
        together.wait()
        try:
            return told(shown.at(desk.send).press(button, **typed))
        finally:
            connections.close_all()  # this thread's own

    with ThreadPoolExecutor(len(desks)) as pool:
        return list(pool.map(submit, desks))


def same_browser(client: Client) -> Client:
    """Another tab: the same session, but no thread may share a client with another."""
    other = Client()
    other.cookies.update(client.cookies)
    return other


def sign_in(product: Product) -> httpx.Cookies:
    """The cookies of an operator who followed the printed link, which works once."""
    return cookies_of_link(product.sign_in_link)


@contextmanager
def desk_at(product: Product, cookies: httpx.Cookies, *, htmx: bool = True) -> Iterator[Desk]:
    address = product.url
    with httpx.Client(base_url=address, cookies=cookies, timeout=60, trust_env=False) as client:
        yield Desk(client, htmx)
