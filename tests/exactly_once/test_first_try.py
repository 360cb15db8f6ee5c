"""One dialog, sent once, whatever becomes of the answer."""

import pytest
from django.test import Client

from tests.exactly_once.assertions import (
    TYPED,
    assert_old_runs_have_no_origin,
    assert_started_once,
    assert_told_the_truth,
)
from tests.exactly_once.conftest import MakeOrder, every_kind, start_another
from tests.exactly_once.matrix import Situation, cases
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import ALL_SLOW
from tests.support.faulty_api import Fault, FaultyAPI, Kind


@pytest.mark.parametrize(("kind", "fault"), cases(Situation.FIRST_TRY))
def test_first_try(
    api: FaultyAPI, make_order: MakeOrder, operator: Client, kind: Kind, fault: Fault
) -> None:
    order = make_order(kind, slow=fault in ALL_SLOW)
    # Here without scripts where test_retry uses htmx, and the other way round.
    desk = Desk(operator, htmx=kind is Kind.RECORDED)
    intents = start_another(desk, order, fault)
    dialog = desk.open_dialog(order.id)
    order.plan = [fault]
    screen = told(dialog.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, dialog.key)
    assert_started_once(api, screen, order, dialog.key, intents=intents)
    if fault.lie:
        assert_old_runs_have_no_origin(api, screen, order)


@every_kind
def test_all_is_well(api: FaultyAPI, make_order: MakeOrder, desk: Desk, kind: Kind) -> None:
    order = make_order(kind)
    dialog = desk.open_dialog(order.id)
    screen = dialog.press("Start Run", max_iterations=TYPED)
    assert "/runs/" in screen.url
    assert_told_the_truth(screen, order, dialog.key)
    assert len(order.made_for(dialog.key)) == 1
    assert order.made[-1].sent.endswith(b'{"maxIterations":7}}}')
