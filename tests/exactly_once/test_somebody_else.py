"""Somebody starts a run without the dashboard just when an answer is lost.

Where a server shows what a run was started with, that one is not taken for the operator's.
The recorded server shows nothing of the kind, so there it cannot be told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from django.test import Client

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth
from tests.exactly_once.conftest import MakeOrder
from tests.exactly_once.matrix import Situation, chosen
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import ALL_SLOW
from tests.support.faulty_api import Fault, FaultyAPI, Kind
from tests.support.runs_api import Reply
from tests.support.thorough import THOROUGH

OTHERS = {
    "other options": b'{"profileOverrides": {"loopStrategy": {"maxIterations": 3}}}',
    "no options": b"",
}


def started_meanwhile() -> Sequence[ParameterSet]:
    """Each fault once, with one of the two by turns."""
    faults = {fault.id: fault for _, fault in chosen(Situation.SOMEBODY_ELSE)}
    tried = [
        (fault, sent)
        for at, fault in enumerate(faults.values())
        for sent in (OTHERS if THOROUGH else [list(OTHERS)[at % 2]])
    ]
    return [pytest.param(fault, sent, id=f"{sent}-{fault.id}") for fault, sent in tried]


@pytest.mark.parametrize(("fault", "sent"), started_meanwhile())
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
