"""The result of searching for a run that was accepted and not seen yet."""

from enum import StrEnum


class Appearance(StrEnum):
    """What the search for an accepted run, which the API does not show by its ID, has found."""

    WAITING = "waiting"
    """No run yet, soon after the request."""
    MISSING = "missing"
    """No run, though the time in which a run appears is over."""
    SEVERAL = "several"
    """A run or several may belong to the attempt, but the search cannot decide which one."""
