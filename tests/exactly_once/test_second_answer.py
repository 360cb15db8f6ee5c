"""The answer was lost, and the API is asked again with the same key: what it says then is no
word on the first time, unless it gives the run."""

import pytest
from django.test import Client

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth
from tests.exactly_once.conftest import MakeOrder
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import BY_ID, REFUSALS, always
from tests.support.faulty_api import Fault, FaultyAPI, Kind
from tests.support.runs_api import refusal

IN_PROGRESS = refusal(409, "CONFLICT", "A request with this Idempotency-Key is in progress")
"""What a server may say while it works on the first request (IETF draft, section 2.6)."""
ACTIVE = refusal(409, "RUN_ALREADY_ACTIVE", details={"runId": "run-that-is-not-known"})
"""What a server says of its own run, where it looks for a key only after that."""
SECOND = {"409 in progress": IN_PROGRESS, "409 active, named": ACTIVE} | {
    name: REFUSALS[name]
    for name in ("401", "403", "409 active", "418 unknown code", "429", "429 HTML")
}


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", ["closed-made", "closed-made-later", "closed-not-made"])
@pytest.mark.parametrize("times", [1, 100], ids=["once", "always"])
def test_second_answer(
    *,
    api: FaultyAPI,
    make_order: MakeOrder,
    operator: Client,
    first: str,
    second: str,
    times: int,
) -> None:
    order = make_order(Kind.KEYS)
    desk = Desk(operator, htmx=times == 1)
    dialog = desk.open_dialog(order.id)
    order.plan = [BY_ID[first], *[Fault(second, always(SECOND[second]))] * times]
    screen = told(dialog.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, dialog.key)
    if screen.form("Retry"):
        screen = told(screen.press("Retry"))
        assert_told_the_truth(screen, order, dialog.key)
    assert_started_once(api, screen, order, dialog.key)
