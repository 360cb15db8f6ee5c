"""The types of the values in unchecked JSON, as pydantic reads them.

A value of an unexpected type counts as missing. The ``OrMissing`` of a type says which value a
field then has. Only an ``Identifier`` must not be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, PlainValidator, Strict
from pydantic_core import CoreSchema
from pydantic_core.core_schema import with_default_schema

type Json = Mapping[str, Any]

LONGEST_ID = 255
LARGEST = 10**12
"""No count, size or duration of the API is larger. A larger integer counts as missing."""


@dataclass(frozen=True, slots=True)
class OrMissing:
    """An annotation that gives a field ``value`` where the JSON has none.

    Unless ``on_error`` is ``raise``, ``value`` also replaces what is not of the annotated type.
    """

    value: object
    on_error: Literal["default", "raise"] = "default"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return with_default_schema(handler(source), default=self.value, on_error=self.on_error)


def as_object(value: object) -> Json:
    """Return a JSON object; an empty object for any other value."""
    return cast("Json", value) if isinstance(value, Mapping) else {}


def _as_objects(value: object) -> list[Json]:
    return [as_object(item) for item in value] if isinstance(value, list) else []


def datetime_or_none(value: object) -> datetime | None:
    """Return an ISO 8601 timestamp, converted to UTC; ``None`` for any other value.

    The API's contract says that a timestamp without a time zone is in UTC.
    """
    if not isinstance(value, str):
        return None
    try:
        timestamp = datetime.fromisoformat(value)
        if timestamp.tzinfo is None:
            return timestamp.replace(tzinfo=UTC)
        return timestamp.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the year in UTC would be 0 or 10000
        return None


def _identifier(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and "\0" not in value:
        return value
    raise ValueError("no ID")


def optional_id(data: Json, key: str) -> str:
    """Return an ID as text; an integer is converted. Empty where there is no valid ID."""
    try:
        return _identifier(data.get(key))
    except ValueError:
        return ""


Identifier = Annotated[str, PlainValidator(_identifier)]
"""An ID as text; an integer is converted."""
OptionalIdentifier = Annotated[Identifier, OrMissing("")]
"""An ID as text; empty where there is no valid ID."""

Text = Annotated[str, Strict(), OrMissing("")]
Flag = Annotated[bool, Strict(), OrMissing(False)]  # noqa: FBT003
OptionalFlag = Annotated[bool | None, Strict(), OrMissing(None)]

Integer = Annotated[int, Strict(), Field(ge=-LARGEST, le=LARGEST), OrMissing(0)]
"""An integer. ``true`` and ``false`` are none, although Python's ``bool`` is an ``int``."""
OptionalInteger = Annotated[int | None, Strict(), Field(ge=-LARGEST, le=LARGEST), OrMissing(None)]
Count = Annotated[int, Strict(), Field(ge=0, le=LARGEST), OrMissing(0)]
OptionalPosition = Annotated[int | None, Strict(), Field(ge=1, le=LARGEST), OrMissing(None)]
"""A place in the queue: 1 is next."""
OptionalRunNumber = Annotated[int | None, Strict(), Field(ge=1, le=2**31 - 1), OrMissing(None)]
"""An integer from 1 to the most that a 32-bit column holds."""

Timestamp = Annotated[datetime | None, PlainValidator(datetime_or_none), OrMissing(None)]

Object = Annotated[Json, PlainValidator(as_object), OrMissing({})]
type Items[Item] = Annotated[
    tuple[Item, ...], BeforeValidator(_as_objects), OrMissing((), on_error="raise")
]
"""An array of objects. An item that is not an object is read like an empty object."""

IsObject = Annotated[
    bool, PlainValidator(lambda value: isinstance(value, Mapping)), OrMissing(False)  # noqa: FBT003
]
"""Whether the field is an object."""
IsArray = Annotated[
    bool, PlainValidator(lambda value: isinstance(value, list)), OrMissing(False)  # noqa: FBT003
]
"""Whether the field is an array."""
