"""The dashboard killed with -9 at each step of a start, and the same form sent again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import lru_cache
from threading import Event
from typing import Any

import httpx
import pytest
from _pytest.mark import ParameterSet

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth
from tests.exactly_once.operator_driver import Desk, desk_at, sign_in, told
from tests.restart.killing import kill_and_start, kill_web_workers, wait_for_answer
from tests.support.faults import always, hang
from tests.support.faulty_api import Fault, FaultyAPI, Kind, Makes, Order, serve_faulty
from tests.support.product import DEADLINE_SECONDS, Product
from tests.support.runs_api import Asked, Handler, Reply, data
from tests.support.thorough import THOROUGH

type Plan = Callable[[Order, Event], None]


def reached(step: Event, reply: Reply) -> Reply:
    def and_said(handler: Handler, asked: Asked) -> None:
        step.set()
        reply(handler, asked)

    return and_said


def while_it_reads(order: Order, step: Event) -> None:
    """After the attempt was written down and claimed, before anything was sent."""
    order.read_plan = [reached(step, hang)]


def while_it_waits(makes: Makes) -> Plan:
    def plan(order: Order, step: Event) -> None:
        order.plan = [Fault("hang", always(reached(step, hang)), makes)]

    return plan


def with_the_answer(order: Order, step: Event) -> None:
    """About when it is written down that there is a run."""

    def answering(true: Mapping[str, Any]) -> Reply:
        return reached(step, data(true, 201))

    order.plan = [Fault("answer", answering, Makes.FIRST)]


STEPS: dict[str, Plan] = {
    "while it reads": while_it_reads,
    "before a run is made": while_it_waits(Makes.NOTHING),
    "after a run is made": while_it_waits(Makes.FIRST),
    "before a run is made late": while_it_waits(Makes.LATER),
    "before a run is made at last": while_it_waits(Makes.LAST),
    "with the answer": with_the_answer,
}


@pytest.fixture(scope="module")
def api() -> Iterator[FaultyAPI]:
    with serve_faulty() as api:
        yield api


KILLS: dict[str, Callable[[Product], None]] = {
    "the web server": kill_web_workers,
    "everything": kill_and_start,
}
type ProductFor = Callable[[Kind], Product]


def killed() -> Sequence[ParameterSet]:
    """Each step with each server, and with both ways to be killed by turns."""
    return [
        pytest.param(kind, step, kill, id=f"{kind.value}, {step}, {kill}")
        for turn, kind in enumerate(Kind)
        for at, step in enumerate(STEPS)
        for kill in (KILLS if THOROUGH else [list(KILLS)[(turn + at) % 2]])
    ]


@pytest.fixture(scope="module")
def product_for(api: FaultyAPI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductFor]:
    """One that is told that its server honours keys, then one that is not."""
    with ExitStack() as running:

        @lru_cache(maxsize=1)
        def start(*, honours_keys: bool) -> Product:
            running.close()
            settings = {
                "RUNS_API_URL": api.server.url,
                "RUNS_API_HONOURS_KEYS": str(int(honours_keys)),
                "RUNS_API_TRIGGER_TIMEOUT": "1",
                "RUNS_API_SETTLE_SECONDS": "0.5",
                "WEB_PROCESSES": "1",
            }
            directory = tmp_path_factory.mktemp("starts")
            return running.enter_context(Product(directory, **settings))

        yield lambda kind: start(honours_keys=kind is Kind.KEYS)


@pytest.fixture(scope="module")
def cookies_of() -> Callable[[Product], httpx.Cookies]:
    """Its link works once."""
    return lru_cache(maxsize=1)(sign_in)


@pytest.mark.parametrize(("kind", "step", "kill"), killed())
def test_killed(
    *,
    api: FaultyAPI,
    kind: Kind,
    product_for: ProductFor,
    cookies_of: Callable[[Product], httpx.Cookies],
    step: str,
    kill: str,
) -> None:
    product = product_for(kind)
    cookies = cookies_of(product)
    order = api.add(kind, runs=1)
    with desk_at(product, cookies) as before, ThreadPoolExecutor(1) as pool:
        dialog = before.open_dialog(order.id)
        reached = Event()
        STEPS[step](order, reached)
        click = pool.submit(dialog.press, "Start Run", max_iterations=TYPED)
        assert reached.wait(DEADLINE_SECONDS)
        KILLS[kill](product)
        click.exception()
    wait_for_answer(product)
    with desk_at(product, cookies) as after:
        screen = told(dialog.at(after.send).press("Start Run", max_iterations=TYPED))
        assert_told_the_truth(screen, order, dialog.key)
        if screen.form("Retry"):
            screen = told(screen.press("Retry"))
            assert_told_the_truth(screen, order, dialog.key)
        assert_started_once(api, screen, order, dialog.key)
        assert_another_starts(after, order)
        assert len(order.made_here) <= 2, f"two starts: {order.made_here}"


def assert_another_starts(desk: Desk, order: Order) -> None:
    """Nothing that was cut off stands in its way."""
    for run in order.made:
        run.status = "failed"
    dialog = desk.open_dialog(order.id)
    screen = told(dialog.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, dialog.key)
    assert len(order.made_for(dialog.key)) == 1, screen.text
