"""Whether what an operator was told of a start is true, and whether it started once."""

import re

from tests.faulty_api import FaultyAPI, Kind, Order
from tests.screen import Screen

TYPED = "7"
"""The iterations that the operator asks for, so that typed values can be seen to be kept."""
NOT_KNOWN = "We could not find out"
NOTHING_STARTED = (
    "The run was not started",
    "Could not connect to server",
    "No run was started",
    "no run was started",
    "nothing was started",
    "A run is already in progress for this work order",
    "This work order has already succeeded",
    "This work order was cancelled",
    "This work order no longer exists",
)
ACCEPTED = "Run accepted, "
"""Nothing is said of whether its run exists."""
STARTED = re.compile(r"Run (\S+) started")


def assert_told_the_truth(screen: Screen, order: Order, key: str) -> None:
    """At the moment when the operator reads it."""
    made = order.made_for(key)
    assert screen.status != 500, screen.text
    names = {name for run in made for name in (run.id, f"#{run.number}")}
    for name in STARTED.findall(screen.text):
        assert name in names, f"{name} is not a run of this start: {made}"
    if "/runs/" in screen.url and ACCEPTED not in screen.text:
        assert screen.url.split("/")[2] in names, f"not the run of this start: {made}"
    if "Your run has been queued" in screen.text:
        assert made
    again = screen.form("Retry") or screen.form("Start Run")
    if NOT_KNOWN in screen.text:
        assert not again, "another start is offered, which may be the second"
    if again and again.fields.get("key") == key:
        assert not made, f"another start is offered, but the run exists: {screen.text}"
        assert again.fields["max_iterations"] == TYPED
    for words in NOTHING_STARTED:
        assert not (words in screen.text and made), f"{words!r}, but the run exists"


def assert_started_once(api: FaultyAPI, screen: Screen, order: Order, key: str) -> None:
    """When all that was put off has happened, too."""
    says_not_started = bool(screen.form("Retry"))
    api.catch_up(order)
    made = order.made_for(key)
    assert len(made) <= 1, f"one start, {len(made)} runs"
    if says_not_started and order.kind is not Kind.KEYS:
        assert not made, "a run began after the operator was told that none was started"
