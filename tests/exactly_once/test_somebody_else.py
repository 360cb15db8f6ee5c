"""Somebody starts a run without the dashboard just when an answer is lost.

Where a server shows what a run was started with, that one is not taken for the operator's.
The recorded server shows nothing of the kind, so there it cannot be told.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth
from tests.exactly_once.conftest import MakeOrder, every_fault
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import ALL_SLOW
from tests.support.faulty_api import Fault, FaultyAPI, Kind
from tests.support.runs_api import Reply

OTHERS = {
    "other options": b'{"profileOverrides": {"loopStrategy": {"maxIterations": 3}}}',
    "no options": b"",
}


@every_fault
@pytest.mark.parametrize("sent", OTHERS)
def test_somebody_else(
    api: FaultyAPI, make_order: MakeOrder, operator: Client, fault: Fault, sent: str
) -> None:
    order = make_order(Kind.NO_KEYS, slow=fault in ALL_SLOW)
    dialog = Desk(operator, htmx=sent == "no options").open_dialog(order.id)

    def meanwhile(true: Mapping[str, Any]) -> Reply:
        api.start_elsewhere(order, OTHERS[sent])
        return fault.answering(true)

    order.plan = [Fault(fault.name, meanwhile, fault.makes, fault.lie)]
    screen = told(dialog.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, dialog.key)
    assert_started_once(api, screen, order, dialog.key)
