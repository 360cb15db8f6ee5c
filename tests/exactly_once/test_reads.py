"""The dashboard reads the work order before it starts a run, and when it looks for one."""

from collections.abc import Sequence
from itertools import product

import pytest
from _pytest.mark import ParameterSet
from django.test import Client

from tests.exactly_once.assertions import TYPED, assert_started_once, assert_told_the_truth
from tests.exactly_once.conftest import MakeOrder
from tests.exactly_once.matrix import trouble_of
from tests.exactly_once.operator_driver import Desk, told
from tests.support.faults import BY_ID, LOST, REFUSALS
from tests.support.faulty_api import FaultyAPI, Kind
from tests.support.runs_api import Reply
from tests.support.thorough import THOROUGH

FOR_EVER = 200
STARTS = {"before": "", "after": "closed-made"}
"""The start that a read comes before or after: none yet, or one whose response was lost."""
READS: dict[str, Reply] = {name: reply({}) for name, reply in LOST.items()} | dict(REFUSALS)


def wrong_reads() -> Sequence[ParameterSet]:
    """Each read once, and one of each trouble before and after a start, with both servers."""
    ways = list(product((Kind.KEYS, Kind.NO_KEYS), STARTS))
    seen: set[str] = set()
    found = []
    for at, read in enumerate(READS):
        is_first = trouble_of(read) not in seen
        seen.add(trouble_of(read))
        tried = ways if is_first or THOROUGH else [ways[at % len(ways)]]
        found += [
            pytest.param(kind, STARTS[when], read, id=f"{kind.value}-{when}-{read}")
            for kind, when in tried
        ]
    return found


@pytest.mark.parametrize(("kind", "start", "read"), wrong_reads())
def test_read_that_goes_wrong(
    *,
    api: FaultyAPI,
    make_order: MakeOrder,
    operator: Client,
    kind: Kind,
    read: str,
    start: str,
) -> None:
    order = make_order(kind)
    dialog = Desk(operator, htmx=kind is Kind.KEYS).open_dialog(order.id)
    order.plan = [BY_ID[start]] if start else []
    order.read_plan = [*([None] if start else []), *[READS[read]] * FOR_EVER]
    screen = told(dialog.press("Start Run", max_iterations=TYPED))
    assert_told_the_truth(screen, order, dialog.key)
    if screen.form("Retry"):
        screen = told(screen.press("Retry"))
        assert_told_the_truth(screen, order, dialog.key)
    assert_started_once(api, screen, order, dialog.key)
