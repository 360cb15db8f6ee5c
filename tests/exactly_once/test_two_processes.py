"""One dialog sent at the same moment to two dashboards that share a database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest

from tests.exactly_once.desk import Desk, desk_at, sign_in, told
from tests.exactly_once.truth import TYPED, assert_started_once, assert_told_the_truth
from tests.faults import BY_ID
from tests.faulty_api import FaultyAPI, Kind
from tests.own_servers import new_database
from tests.product import Product
from tests.screen import Screen

FAULTS = [
    *(f"{name}-{makes}" for name in ("hang", "closed") for makes in ("not-made", "made")),
    *(f"{name}-made-later" for name in ("reset", "504 HTML", "500 enveloped")),
    *("HTML page-made", "truncated-made", "503 at capacity-made", "closed-made-last"),
]


@pytest.fixture(scope="module", params=Kind, ids=lambda kind: kind.value)
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
        "RUNS_API_SETTLE_SECONDS": "1",
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


@pytest.mark.parametrize("fault", FAULTS)
def test_two_processes(api: FaultyAPI, kind: Kind, desks: list[Desk], fault: str) -> None:
    order = api.add(kind, runs=1)
    dialog = desks[0].open_dialog(order.id)
    order.plan = [BY_ID[fault]]
    together = Barrier(len(desks))

    def submit(desk: Desk) -> Screen:
        together.wait()
        return told(dialog.at(desk.send).press("Start Run", max_iterations=TYPED))

    with ThreadPoolExecutor(len(desks)) as pool:
        screens = list(pool.map(submit, desks))
    for screen in screens:
        assert_told_the_truth(screen, order, dialog.key)
    for screen in screens:
        assert_started_once(api, screen, order, dialog.key)
