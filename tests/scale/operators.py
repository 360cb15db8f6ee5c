"""Operators who start runs at the same time, in browsers at one or the other web server."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from time import sleep

import httpx

from tests.exactly_once.assertions import NOTHING_STARTED
from tests.exactly_once.operator_driver import Desk, told
from tests.support.page_parser import Screen
from tests.support.product import Product, cookies_of_link

LINKS = """
from workorders.accounts.sign_in_links import sign_in_path
from workorders.accounts.users import ensure_account
for number in range({count}):
    print(sign_in_path(ensure_account(f"operator-{{number}}", can_trigger=True)))
"""


class Operator:
    """Signed in at all web servers by one cookie, as behind a load balancer."""

    def __init__(self, desks: Sequence[Desk]) -> None:
        self._desks = desks

    def start_run(self, work_order_id: str, *, twice: bool) -> str:
        """The ID of the run that a dialog has started.

        ``twice``: the form goes to both web servers at the same moment, as by a click that a
        proxy repeats.
        """
        while True:
            dialog = self._open(work_order_id)
            desks = self._desks if twice else self._desks[:1]
            dialogs = [dialog.at(desk.send) for desk in desks]
            with ThreadPoolExecutor(len(dialogs)) as pool:
                runs = {run_of(screen) for screen in pool.map(press, dialogs)}
            assert len(runs) == 1, f"one dialog has led to {runs}"
            if run_id := runs.pop():
                return run_id

    def _open(self, work_order_id: str) -> Screen:
        """The dialog, once no run of the work order is in progress."""
        while not (screen := self._desks[0].open_dialog(work_order_id)).form("Start Run"):
            sleep(1)
        return screen


def press(dialog: Screen) -> Screen:
    screen = told(dialog.press("Start Run"))
    while screen.form("Retry"):
        screen = told(screen.press("Retry"))
    return screen


def run_of(screen: Screen) -> str:
    """The run whose page it is; ``""``: none was started, because the work order has changed."""
    if "/runs/" in screen.url:
        return screen.url.split("/")[2]
    assert any(words in screen.text for words in NOTHING_STARTED), screen.text
    return ""


@contextmanager
def signed_in_operators(web: Sequence[Product], count: int) -> Iterator[list[Operator]]:
    printed = web[0].manage("shell", "--no-imports", "-c", LINKS.format(count=count))
    first = cycle((web, web[::-1]))
    with ExitStack() as browsers:
        operators = []
        for path in printed.split():
            cookies = cookies_of_link(web[0].url + path)
            desks = [
                Desk(
                    browsers.enter_context(
                        httpx.Client(
                            base_url=product.url, cookies=cookies, timeout=120, trust_env=False
                        )
                    ),
                    htmx=True,
                )
                for product in next(first)
            ]
            operators.append(Operator(desks))
        yield operators
