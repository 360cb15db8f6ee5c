"""Reads typed values from unchecked JSON. A value of an unexpected type counts as missing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

type Json = Mapping[str, Any]

LONGEST_ID = 255
LARGEST = 10**12
"""No count, size or duration of the API is larger. A larger integer counts as missing."""


def as_object(value: object) -> Json:
    """Return a JSON object; an empty object for any other value."""
    return cast("Json", value) if isinstance(value, Mapping) else {}


def as_objects(value: object) -> list[Json]:
    """Return a JSON array of objects, with every other item replaced by an empty object.

    Returns an empty list for any value that is not an array.
    """
    return [as_object(item) for item in value] if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return a JSON string; an empty string for any other value."""
    return value if isinstance(value, str) else ""


def int_or_none(value: object, *, minimum: int = -LARGEST, maximum: int = LARGEST) -> int | None:
    """Return an integer from ``minimum`` to ``maximum``; ``None`` for any other value.

    ``true`` and ``false`` are not integers here, although Python's ``bool`` is an ``int``.
    """
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return cast("int", value) if is_integer and minimum <= cast("int", value) <= maximum else None


def as_run_number(value: object) -> int | None:
    """Return a run number: an integer from 1 to the most that a 32-bit column holds."""
    return int_or_none(value, minimum=1, maximum=2**31 - 1)


def datetime_or_none(value: object) -> datetime | None:
    """Return an ISO 8601 timestamp, converted to UTC; ``None`` for any other value.

    The API's contract says that a timestamp without a time zone is in UTC.
    """
    try:
        timestamp = datetime.fromisoformat(as_text(value))
        if timestamp.tzinfo is None:
            return timestamp.replace(tzinfo=UTC)
        return timestamp.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the year in UTC would be 0 or 10000
        return None


def optional_id(data: Json, key: str) -> str:
    """Return an ID as text; an integer is converted. Empty where there is no valid ID."""
    value = data.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    is_id = isinstance(value, str) and 0 < len(value) <= LONGEST_ID and "\0" not in value
    return cast("str", value) if is_id else ""


def required_id(data: Json, key: str = "id") -> str:
    """Return an ID as text. Raises ``ValueError`` where there is no valid ID."""
    value = optional_id(data, key)
    if not value:
        raise ValueError(f"the answer has no {key}")
    return value
