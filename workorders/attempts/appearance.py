"""What is known of a run that was accepted and not seen yet."""

from enum import StrEnum


class Appearance(StrEnum):
    """What is known of a run that was accepted and that the API does not show by its ID."""

    WAITING = "waiting"
    MISSING = "missing"
    SEVERAL = "several"
    """More than one run could be it."""
