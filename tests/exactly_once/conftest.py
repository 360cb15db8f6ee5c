"""A dashboard in this process at a runs API that fails as planned."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from tests.exactly_once.assertions import TYPED
from tests.exactly_once.operator_driver import Desk
from tests.support.faults import ABOUT
from tests.support.faulty_api import LISTING, Fault, FaultyAPI, Kind, Order, serve_faulty
from tests.support.runs_api import API_KEY
from workorders.runs_api.clients import default_client

PATIENT = 10
FOR_EVER = 1000
IMPATIENT = 0.2
"""Seconds: only where the answer never comes in time is it worth while to give up soon."""

every_kind = pytest.mark.parametrize("kind", LISTING, ids=lambda kind: kind.value)

type MakeOrder = Callable[..., Order]


def start_another(desk: Desk, order: Order, fault: Fault) -> int:
    """For a lie about another dialog's run there is one, which is over and not listed yet.

    Returns how many dialogs will have been sent, with the one to come.
    """
    if fault.lie is not ABOUT["another key's run"]:
        return 1
    desk.open_dialog(order.id).press("Start Run", max_iterations=TYPED)
    order.made[-1].status, order.made[-1].hidden_reads = "failed", FOR_EVER
    return 2


@pytest.fixture(scope="module")
def api() -> Iterator[FaultyAPI]:
    with serve_faulty() as api:
        yield api


@pytest.fixture(scope="module")
def client_for() -> Iterator[dict[str, object]]:
    """What the client at hand was made for: to make one costs more than a test."""
    made_for: dict[str, object] = {}
    yield made_for
    forget_client()


def forget_client() -> None:
    default_client()._http.close()
    default_client.cache_clear()


@pytest.fixture
def make_order(api: FaultyAPI, settings: Settings, client_for: dict[str, object]) -> MakeOrder:
    """A new work order, with the dashboard pointed at its server."""

    def make(kind: Kind, *, slow: bool = False, unreachable: bool = False) -> Order:
        wanted: dict[str, object] = {
            "RUNS_API_URL": api.server.url,
            "RUNS_API_KEY": API_KEY,
            "RUNS_API_HONOURS_KEYS": kind is Kind.KEYS,
            "RUNS_API_SETTLE_SECONDS": 0.1,
            "RUNS_API_CONNECT_TIMEOUT": IMPATIENT if unreachable else PATIENT,
            "RUNS_API_READ_TIMEOUT": PATIENT,
            "RUNS_API_TRIGGER_TIMEOUT": IMPATIENT if slow else PATIENT,
        }
        for name, value in wanted.items():
            setattr(settings, name, value)
        if client_for != wanted:
            forget_client()
            client_for.clear()
            client_for.update(wanted)
        return api.add(kind, runs=1)

    return make


@pytest.fixture(params=[True, False], ids=["htmx", "no-script"])
def desk(request: pytest.FixtureRequest, operator: Client) -> Desk:
    return Desk(operator, request.param)
