"""One dialog sent at the same moment to two dashboards that share a database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache

import pytest
from _pytest.mark import ParameterSet

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

type DesksFor = Callable[[Kind], list[Desk]]


@pytest.fixture(scope="module")
def desks_for(api: FaultyAPI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DesksFor]:
    """One operator at both dashboards, with htmx at the first and without scripts at the other.

    The dashboards are started anew when they are to be told something else of their server.
    """
    with ExitStack() as running:

        @lru_cache(maxsize=1)
        def start(*, honours_keys: bool) -> list[Desk]:
            running.close()
            data_dir = tmp_path_factory.mktemp("shared")
            settings = {
                "RUNS_API_URL": api.server.url,
                "RUNS_API_HONOURS_KEYS": str(int(honours_keys)),
                "RUNS_API_TRIGGER_TIMEOUT": "0.5",
                "RUNS_API_SETTLE_SECONDS": "0.1",
                "DATABASE_URL": new_database(data_dir),
                "SECRET_KEY": "shared-by-two-dashboards-" + "x" * 40,
                "WEB_PROCESSES": "1",
            }
            one, two = (
                running.enter_context(Product(data_dir / name, **settings))
                for name in ("one", "two")
            )
            cookies = sign_in(one)
            return [
                running.enter_context(desk_at(product, cookies, htmx=product is one))
                for product in (one, two)
            ]

        yield lambda kind: start(honours_keys=kind is Kind.KEYS)


def in_order(cases: Sequence[ParameterSet]) -> Sequence[ParameterSet]:
    """Servers that honour keys first."""
    return sorted(cases, key=lambda case: case.values[0] is not Kind.KEYS)


@pytest.mark.parametrize(("kind", "fault"), in_order(cases(Situation.TWO_PROCESSES)))
def test_two_processes(api: FaultyAPI, kind: Kind, desks_for: DesksFor, fault: Fault) -> None:
    desks = desks_for(kind)
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


@pytest.mark.parametrize("kind", LISTING[::-1], ids=lambda kind: kind.value)
def test_two_processes_that_do_not_reach_it(
    api: FaultyAPI, kind: Kind, desks_for: DesksFor
) -> None:
    desks = desks_for(kind)
    order = api.add(kind, runs=1)
    dialog = desks[0].open_dialog(order.id)
    api.server.go_away()
    screens = told_at_once(dialog, desks, max_iterations=TYPED)
    api.server.come_back()
    assert_retry_from_either_starts_it_once(api, screens, desks, order, dialog.key)
