"""One dialog sent twice at the same moment, whatever becomes of the answer."""

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
from tests.exactly_once.operator_driver import Desk, same_browser, told_at_once
from tests.support.faults import ALL_SLOW, REFUSED
from tests.support.faulty_api import Fault, FaultyAPI, Kind

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("kind", "fault"), cases(Situation.DOUBLE_SUBMIT))
def test_double_submit(
    api: FaultyAPI, make_order: MakeOrder, operator: Client, kind: Kind, fault: Fault
) -> None:
    order = make_order(kind, slow=fault in ALL_SLOW)
    desks = Desk(operator, htmx=True), Desk(same_browser(operator), htmx=False)
    intents = start_another(desks[0], order, fault)
    dialog = desks[0].open_dialog(order.id)
    # Refused, either may be sent before the other is: both are refused then.
    order.plan = [fault] * (2 if fault in REFUSED else 1)
    screens = told_at_once(dialog, desks, max_iterations=TYPED)
    for screen in screens:
        assert_told_the_truth(screen, order, dialog.key)
    for screen in screens:
        assert_started_once(api, screen, order, dialog.key, intents=intents)
    if fault.lie:
        assert_old_runs_have_no_origin(api, screens[0], order)
