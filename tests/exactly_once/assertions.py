"""Whether what an operator was told of a start is true, and whether it started once."""

import re

from tests.support.faulty_api import FaultyAPI, Order
from tests.support.page_parser import Screen

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
ACCEPTED = ("Run accepted, ", "It may be an older run")
"""Nothing is said of whether its run exists."""
ORIGIN = "Triggered by"
QUEUED = "Your run has been queued"
CHANGED = "has changed since you opened this dialog"
FAILED = "Look at the runs below before you start another"
USED = "This dialog was already used to start a run"
STARTED = re.compile(r"Run (\S+) started")
RECEIPTS = "Start attempts, newest first"
"""What other dialogs came to follows."""


def assert_told_the_truth(screen: Screen, order: Order, key: str) -> None:
    """At the moment when the operator reads it."""
    made = order.made_for(key)
    assert screen.status != 500, screen.text
    end = end_of(screen, key)
    names = {name for run in made for name in (run.id, f"#{run.number}")}
    for name in STARTED.findall(screen.text):
        assert name in names, f"{name} is not a run of this start: {made}"
    if end == "started":
        assert screen.url.split("/")[2] in names, f"not of {made}: {screen.text}"
    if end == "queued":
        assert made
    if end in {"accepted", "failed", "used"}:
        assert key in order.keys_heard, f"the API has never heard of it: {screen.text}"
    assert_not_said_of_old_runs(screen, order)
    if says_nothing_started(screen, key):
        assert not made, f"the run exists: {screen.text}"
    if made or end in {"not known", "failed"}:
        assert not screen.starts, "another start is offered, which may be the second"
    for form in screen.starts:
        assert form.fields["max_iterations"] == TYPED


def assert_not_said_of_old_runs(screen: Screen, order: Order) -> None:
    old = [run.id for run in order.made if run.key in order.keys_elsewhere]
    at_old = screen.url.startswith("/runs/") and screen.url.split("/")[2] in old
    assert not (at_old and ORIGIN in screen.text), f"nobody has triggered it here: {screen.text}"


def assert_old_runs_have_no_origin(api: FaultyAPI, screen: Screen, order: Order) -> None:
    for at in (order, api.other(order)):
        assert_not_said_of_old_runs(screen.htmx_redirect(f"/runs/{at.made[0].id}/"), at)


def assert_started_once(
    api: FaultyAPI, screen: Screen, order: Order, key: str, *, intents: int = 1
) -> None:
    """When all that was put off has happened, too. ``intents``: dialogs that were sent so far."""
    api.catch_up(order)
    made = order.made_for(key)
    assert len(made) <= 1, f"one start, {len(made)} runs"
    assert len(order.made_here) <= intents, f"{intents} starts: {order.made_here}"
    if says_nothing_started(screen, key):
        assert not made, "a run began after the operator was told that none was started"


def says_nothing_started(screen: Screen, key: str) -> bool:
    return end_of(screen, key) in {"not started", "refused", "changed"}


def end_of(screen: Screen, key: str) -> str:
    """Which of the ends of a start the screen shows: exactly one."""
    text = screen.text.partition(RECEIPTS)[0]
    at_run = screen.url.startswith("/runs/")
    changed = CHANGED in text
    nothing = any(words in text for words in NOTHING_STARTED) and not changed
    again = any(form.fields["key"] == key for form in screen.starts)
    ends = {
        "started": at_run and not any(words in text for words in ACCEPTED),
        "accepted": at_run and any(words in text for words in ACCEPTED),
        "queued": QUEUED in text and not at_run,
        "not started": nothing and again,
        "refused": nothing and not again,
        "changed": changed,
        "not known": NOT_KNOWN in text,
        "failed": FAILED in text,
        "used": USED in text,
    }
    [end] = [name for name, is_shown in ends.items() if is_shown] or [f"none: {screen.text}"]
    assert end in ends, end
    return end
