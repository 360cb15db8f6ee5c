"""One dialog sent twice at the same moment, whatever becomes of the answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client

from tests.exactly_once.conftest import MakeOrder, every_fault, every_kind
from tests.exactly_once.desk import Desk, told
from tests.exactly_once.truth import TYPED, assert_started_once, assert_told_the_truth
from tests.faults import ALL_SLOW, REFUSED
from tests.faulty_api import Fault, FaultyAPI, Kind
from tests.screen import Screen

pytestmark = pytest.mark.django_db(transaction=True)


@every_fault
@every_kind
def test_double_submit(
    api: FaultyAPI, make_order: MakeOrder, operator: Client, kind: Kind, fault: Fault
) -> None:
    order = make_order(kind, slow=fault in ALL_SLOW)
    desks = Desk(operator, htmx=True), Desk(same_browser(operator), htmx=False)
    dialog = desks[0].open_dialog(order.id)
    # Refused, either may be sent before the other is: both are refused then.
    order.plan = [fault] * (2 if fault in REFUSED else 1)
    together = Barrier(len(desks))

    def submit(desk: Desk) -> Screen:
        together.wait()
        try:
            return told(dialog.at(desk.send).press("Start Run", max_iterations=TYPED))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(desks)) as pool:
        screens = list(pool.map(submit, desks))
    for screen in screens:
        assert_told_the_truth(screen, order, dialog.key)
    for screen in screens:
        assert_started_once(api, screen, order, dialog.key)


def same_browser(client: Client) -> Client:
    """Another tab: the same session, but no thread may share a client with another."""
    other = Client()
    other.cookies.update(client.cookies)
    return other
