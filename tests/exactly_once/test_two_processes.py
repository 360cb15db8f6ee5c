"""One dialog sent at the same moment to two dashboards that share a database."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.exactly_once.assertions import (
    TYPED,
    assert_old_runs_have_no_origin,
    assert_started_once,
    assert_told_the_truth,
)
from tests.exactly_once.conftest import start_another
from tests.exactly_once.matrix import Situation, cases
from tests.exactly_once.operator_driver import Desk, desk_at, sign_in, told_at_once
from tests.exactly_once.test_not_reached import assert_retry_from_either_starts_it_once
from tests.support.faults import REFUSED
from tests.support.faulty_api import LISTING, Fault, FaultyAPI, Kind
from tests.support.product import Product
from tests.support.test_databases import new_database


@pytest.fixture(scope="module")
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="module")
def desks(
    api: FaultyAPI, kind: Kind, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Desk]]:
    """One operator at both dashboards, with htmx at the first and without scripts at the other."""
    data_dir = tmp_path_factory.mktemp("shared")
    settings = {
        "RUNS_API_URL": api.server.url,
        "RUNS_API_HONOURS_KEYS": str(int(kind is Kind.KEYS)),
        "RUNS_API_TRIGGER_TIMEOUT": "0.5",
        "RUNS_API_SETTLE_SECONDS": "0.1",
        "DATABASE_URL": new_database(data_dir),
        "SECRET_KEY": "shared-by-two-dashboards-" + "x" * 40,
        "WEB_PROCESSES": "1",
    }
    with (
        Product(data_dir / "one", **settings) as one,
        Product(data_dir / "two", **settings) as two,
        ExitStack() as open_desks,
    ):
        cookies = sign_in(one)
        yield [
            open_desks.enter_context(desk_at(product, cookies, htmx=product is one))
            for product in (one, two)
        ]


@pytest.mark.parametrize(("kind", "fault"), cases(Situation.TWO_PROCESSES), indirect=["kind"])
def test_two_processes(api: FaultyAPI, kind: Kind, desks: list[Desk], fault: Fault) -> None:
    order = api.add(kind, runs=1)
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


@pytest.mark.parametrize("kind", LISTING, indirect=True, ids=lambda kind: kind.value)
def test_two_processes_that_do_not_reach_it(api: FaultyAPI, kind: Kind, desks: list[Desk]) -> None:
    order = api.add(kind, runs=1)
    dialog = desks[0].open_dialog(order.id)
    api.server.go_away()
    screens = told_at_once(dialog, desks, max_iterations=TYPED)
    api.server.come_back()
    assert_retry_from_either_starts_it_once(api, screens, desks, order, dialog.key)
