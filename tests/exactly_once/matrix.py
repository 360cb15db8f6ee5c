"""Which faults are tried with which servers, in which situations.

All of them together are 2,100 cases, and most prove the same: what the dashboard does depends on
what its client makes of a response, not on which of a dozen ways a connection has broken in. So
faults that the client cannot tell apart are one kind of trouble, and

* every single fault is tried once, when a dialog is sent once;
* every trouble is tried in every situation, each time by another one of its faults;
* every trouble is tried with every server, which takes turns from situation to situation.

So each pair of trouble, server and situation is there. ``THOROUGH`` tries the whole product.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import product

import pytest
from _pytest.mark import ParameterSet

from tests.support.faults import ALL_QUICK, ALL_SLOW, LIES, LOST, SLOW
from tests.support.faulty_api import LISTING, Fault, Kind
from tests.support.thorough import THOROUGH

EVERY_FAULT = [*ALL_SLOW, *ALL_QUICK, *LIES]
BROKEN = (
    "reset",
    "closed",
    "half a header",
    "reset mid-answer",
    "truncated",
    "no HTTP",
    "broken chunks",
)
"""The connection ends before the response does."""


class Situation(Enum):
    """What the operator does with one dialog, and what others do meanwhile."""

    FIRST_TRY = 0
    RETRY = 1
    DOUBLE_SUBMIT = 2
    SOMEBODY_ELSE = 3
    TWO_PROCESSES = 4


def trouble_of(name: str) -> str:
    """What the client makes of the response to a trigger, or to a read, with that name."""
    status = name.partition(" ")[0]
    if name in SLOW:
        return "no response in time"
    if name in BROKEN:
        return "no response"
    if name not in LOST:
        return REFUSED_ALIKE.get(name, name)  # each refusal has a code of its own
    if status in {"502", "504"}:
        return "lost behind a gateway"
    if status in {"500", "503"}:
        return "the server's own failure" if name.endswith("enveloped") else "somebody's failure"
    return "not a response of the API"


REFUSED_ALIKE: Mapping[str, str] = {
    "429 with Retry-After": "429",
    "429 HTML with Retry-After": "429 HTML",
    "text/html": "text/plain",
}


def troubles() -> Sequence[Sequence[Fault]]:
    """The faults that prove the same, and make their run at the same time."""
    alike: dict[tuple[object, ...], list[Fault]] = {}
    for fault in EVERY_FAULT:
        trouble = fault.lie or trouble_of(fault.name)
        alike.setdefault((trouble, fault.makes), []).append(fault)
    return list(alike.values())


def chosen(situation: Situation) -> Sequence[tuple[Kind, Fault]]:
    """What is tried in a situation: a server, and its fault."""
    if THOROUGH:
        return list(product(LISTING, EVERY_FAULT))
    turn = situation.value
    found = [
        (LISTING[(at + turn) % len(LISTING)], faults[turn % len(faults)])
        for at, faults in enumerate(troubles())
    ]
    if situation is Situation.FIRST_TRY:
        tried = {fault.id for _, fault in found}
        rest = [fault for fault in EVERY_FAULT if fault.id not in tried]
        found += [(LISTING[at % len(LISTING)], fault) for at, fault in enumerate(rest)]
    return found


def cases(situation: Situation) -> Sequence[ParameterSet]:
    """Parameters ``kind`` and ``fault``."""
    return [
        pytest.param(kind, fault, id=f"{kind.value}-{fault.id}")
        for kind, fault in chosen(situation)
    ]
