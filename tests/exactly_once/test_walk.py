"""Several operators with several dialogs at one work order, and faults in any order."""

from random import Random

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth
from tests.exactly_once.conftest import MakeOrder, every_kind
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import ALL_QUICK, BY_ID, REFUSED
from tests.support.faulty_api import FaultyAPI, Kind
from tests.support.thorough import THOROUGH
from workorders.accounts.users import ensure_account

STEPS = 8


@pytest.fixture
def desks(operator: Client, operator_user: User) -> list[Desk]:
    colleague = Client()
    colleague.force_login(ensure_account("colleague", can_trigger=True))
    return [Desk(operator, htmx=True), Desk(colleague, htmx=False)]


@pytest.mark.parametrize("seed", range(15 if THOROUGH else 4))
@every_kind
def test_walk(
    api: FaultyAPI, make_order: MakeOrder, desks: list[Desk], kind: Kind, seed: int
) -> None:
    chance = Random(seed)
    order = make_order(kind)
    opened = [desks[0].open_dialog(order.id)]
    for _ in range(STEPS):
        for run in order.made:
            run.status = chance.choice(["failed", run.status])
        if chance.random() < 0.6:
            dialog = chance.choice(desks).open_dialog(order.id)
            if not dialog.form("Start Run"):
                continue
            opened.append(dialog)
        dialog = chance.choice(opened)  # the back button brings old ones again
        plan = chance.choices(ALL_QUICK, k=chance.randrange(3))
        # A server that honours keys refuses no key that has a run, or may have one.
        known = kind is Kind.KEYS and (len(plan) > 1 or order.made_for(dialog.key))
        order.plan = [fault for fault in plan if not known or fault not in REFUSED]
        screen = told(dialog.press("Start Run", max_iterations=TYPED))
        assert_told_the_truth(screen, order, dialog.key)
        if screen.form("Retry"):
            screen = told(screen.press("Retry"))
            assert_told_the_truth(screen, order, dialog.key)
        assert_started_once(api, screen, order, dialog.key, intents=len(opened))
    for dialog in opened:
        assert len(order.made_for(dialog.key)) <= 1


def test_run_that_is_not_listed_yet_is_not_taken_for_another_start(
    api: FaultyAPI, make_order: MakeOrder, desks: list[Desk]
) -> None:
    """The first start was accepted under a provisional ID, the second was lost."""
    order = make_order(Kind.RECORDED)
    first, second = (desk.open_dialog(order.id) for desk in desks)
    first.press("Start Run", max_iterations=TYPED)
    order.made[-1].hidden_reads = 2
    order.plan = [BY_ID["closed-not-made"]]
    screen = told(second.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, second.key)
