"""The API goes on failing in the same way, and the operator presses Retry where it is offered."""

import pytest
from django.test import Client

from tests.exactly_once.assertions import (
    TYPED,
    assert_old_runs_have_no_origin,
    assert_started_once,
    assert_told_the_truth,
)
from tests.exactly_once.conftest import MakeOrder, start_another
from tests.exactly_once.matrix import Situation, cases
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import ALL_SLOW
from tests.support.faulty_api import Fault, FaultyAPI, Kind

MOST_RETRIES = 2
FOR_EVER = 200


@pytest.mark.parametrize(("kind", "fault"), cases(Situation.RETRY))
def test_retry(
    api: FaultyAPI, make_order: MakeOrder, operator: Client, kind: Kind, fault: Fault
) -> None:
    order = make_order(kind, slow=fault in ALL_SLOW)
    desk = Desk(operator, htmx=kind is not Kind.RECORDED)
    intents = start_another(desk, order, fault)
    dialog = desk.open_dialog(order.id)
    order.plan = [fault] * FOR_EVER
    screen = told(dialog.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, dialog.key)
    for _ in range(MOST_RETRIES):
        if screen.form("Retry"):
            screen = told(screen.press("Retry"))
            assert_told_the_truth(screen, order, dialog.key)
    assert_started_once(api, screen, order, dialog.key, intents=intents)
    if fault.lie:
        assert_old_runs_have_no_origin(api, screen, order)
