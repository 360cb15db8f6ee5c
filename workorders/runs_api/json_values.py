"""Values out of JSON that nobody has checked: what has another type is missing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

type Json = Mapping[str, Any]

LONGEST_ID = 255
LARGEST = 10**12
"""No count, size or time of the contract is larger; what is cannot be reckoned with."""


def as_object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, Mapping) else {}


def as_objects(value: object) -> list[Json]:
    return [as_object(item) for item in value] if isinstance(value, list) else []


def as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def int_or_none(value: object, *, minimum: int = -LARGEST, maximum: int = LARGEST) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return cast("int", value) if whole and minimum <= cast("int", value) <= maximum else None


def as_run_number(value: object) -> int | None:
    """Counted from 1, and no larger than a database column of 32 bits holds."""
    return int_or_none(value, minimum=1, maximum=2**31 - 1)


def datetime_or_none(value: object) -> datetime | None:
    """An ISO 8601 time; one without a zone is taken as UTC, as the contract says."""
    try:
        moment = datetime.fromisoformat(as_text(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the first and last hours of the calendar
        return None


def optional_id(data: Json, key: str) -> str:
    """An ID as text; ``""`` where there is none."""
    value = data.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    is_id = isinstance(value, str) and 0 < len(value) <= LONGEST_ID and "\0" not in value
    return cast("str", value) if is_id else ""


def required_id(data: Json, key: str = "id") -> str:
    value = optional_id(data, key)
    if not value:
        raise ValueError(f"the answer has no {key}")
    return value
