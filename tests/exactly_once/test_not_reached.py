"""The request provably never went out: Retry is offered at once."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from django.test import Client

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth, end_of
from tests.exactly_once.conftest import MakeOrder, every_kind
from tests.exactly_once.operator_driver import Desk, same_browser, told_at_once
from tests.support.faulty_api import FaultyAPI, Kind, Order
from tests.support.page_parser import Screen
from workorders.runs_api.clients import default_client

NOT_REACHED = "Could not connect to server. Please try again."


@contextmanager
def full(port: int) -> Iterator[None]:
    """A server whose queue of connections is full: connecting takes for ever."""
    with ExitStack() as open_sockets:
        server = open_sockets.enter_context(socket.create_server(("127.0.0.1", port), backlog=0))
        for _ in range(4):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(server.getsockname())
        yield


def assert_retry_starts_it(api: FaultyAPI, screen: Screen, order: Order, key: str) -> None:
    assert NOT_REACHED in screen.text
    assert_told_the_truth(screen, order, key)
    screen = screen.press("Retry")
    assert_told_the_truth(screen, order, key)
    assert len(order.made_for(key)) == 1
    assert_started_once(api, screen, order, key)


def assert_retry_from_either_starts_it_once(
    api: FaultyAPI, screens: Sequence[Screen], desks: Sequence[Desk], order: Order, key: str
) -> None:
    for screen in screens:
        assert NOT_REACHED in screen.text
        assert_told_the_truth(screen, order, key)
    screens = told_at_once(screens[0], desks, "Retry")
    for screen in screens:
        assert_told_the_truth(screen, order, key)
        assert end_of(screen, key) in {"started", "accepted"}
    assert len(order.made_for(key)) == 1
    assert_started_once(api, screens[0], order, key)


@pytest.mark.django_db(transaction=True)
@every_kind
def test_refused_to_both_of_a_double_submit(
    api: FaultyAPI, make_order: MakeOrder, operator: Client, kind: Kind
) -> None:
    order = make_order(kind)
    desks = Desk(operator, htmx=True), Desk(same_browser(operator), htmx=False)
    dialog = desks[0].open_dialog(order.id)
    api.server.go_away()
    screens = told_at_once(dialog, desks, max_iterations=TYPED)
    api.server.come_back()
    assert_retry_from_either_starts_it_once(api, screens, desks, order, dialog.key)


@every_kind
def test_refused(api: FaultyAPI, make_order: MakeOrder, desk: Desk, kind: Kind) -> None:
    order = make_order(kind)
    dialog = desk.open_dialog(order.id)
    api.leave_after_read(order)
    desk.open_dialog(order.id)
    screen = dialog.press("Start Run", max_iterations=TYPED)
    api.server.come_back()
    assert_retry_starts_it(api, screen, order, dialog.key)


@every_kind
def test_refused_between_the_read_and_the_start(
    api: FaultyAPI, make_order: MakeOrder, desk: Desk, kind: Kind
) -> None:
    order = make_order(kind)
    dialog = desk.open_dialog(order.id)
    api.leave_after_read(order)
    screen = dialog.press("Start Run", max_iterations=TYPED)
    api.server.come_back()
    assert_retry_starts_it(api, screen, order, dialog.key)


def test_name_that_does_not_resolve(api: FaultyAPI, make_order: MakeOrder, desk: Desk) -> None:
    """From one moment to the next: the dialog was opened while it did."""
    order = make_order(Kind.KEYS)
    dialog = desk.open_dialog(order.id)
    http, url = default_client()._http, api.server.url
    http.base_url = httpx.URL(url.replace("127.0.0.1", "no.such.host.invalid"))
    screen = dialog.press("Start Run", max_iterations=TYPED)
    http.base_url = httpx.URL(url)
    assert_retry_starts_it(api, screen, order, dialog.key)


@every_kind
def test_no_connection_in_time(
    api: FaultyAPI, make_order: MakeOrder, desk: Desk, kind: Kind
) -> None:
    order = make_order(kind, unreachable=True)
    dialog = desk.open_dialog(order.id)
    api.leave_after_read(order)
    desk.open_dialog(order.id)  # its read is the last
    with full(api.server.port):
        screen = dialog.press("Start Run", max_iterations=TYPED)
    api.server.come_back()
    assert_retry_starts_it(api, screen, order, dialog.key)
