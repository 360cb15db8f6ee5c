"""The dashboard reads the work order before it starts a run, and when it looks for one."""

import pytest
from django.test import Client

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth
from tests.exactly_once.conftest import MakeOrder
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import BY_ID, LOST, REFUSALS
from tests.support.faulty_api import FaultyAPI, Kind
from tests.support.runs_api import Reply

FOR_EVER = 200
READS: dict[str, Reply] = {name: reply({}) for name, reply in LOST.items()} | dict(REFUSALS)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("start", ["", "closed-made"], ids=["before", "after"])
@pytest.mark.parametrize("kind", [Kind.KEYS, Kind.NO_KEYS], ids=lambda kind: kind.value)
def test_read_that_goes_wrong(
    *,
    api: FaultyAPI,
    make_order: MakeOrder,
    operator: Client,
    kind: Kind,
    read: str,
    start: str,
) -> None:
    order = make_order(kind)
    dialog = Desk(operator, htmx=kind is Kind.KEYS).open_dialog(order.id)
    order.plan = [BY_ID[start]] if start else []
    order.read_plan = [*([None] if start else []), *[READS[read]] * FOR_EVER]
    screen = told(dialog.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, dialog.key)
    if screen.form("Retry"):
        screen = told(screen.press("Retry"))
        assert_told_the_truth(screen, order, dialog.key)
    assert_started_once(api, screen, order, dialog.key)
