"""Reads typed values from request bodies and query strings; one 400 reports all faults.

A fault is ``{"code": "…", "message": "…", "path": ["…"]}``, where ``path`` names the member, with
further members that depend on the code: ``minimum``, ``maximum``, ``expected``, ``received``,
``options``, ``keys`` or ``type``. A reference server's recorded responses have the same shape.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Self

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from workorders.embedded.api.responses import ApiError

_INTEGER = re.compile(r"-?[0-9]{1,100}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])+)"')
"""A non-empty string of a structured field (RFC 9651, section 3.3.3)."""
_ESCAPED = re.compile(r'\\(["\\])')

type Path = tuple[str, ...]
type Fault = dict[str, Any]

BODY = "Invalid request body"
QUERY = "Invalid query parameters"
HEADERS = "Invalid request headers"

MAX_OFFSET = 2**53 - 1
"""The largest integer that every JSON reader represents exactly (RFC 8259, section 6). It fits
into the 64 bits of a database integer."""


def bad_request(message: str, faults: Iterable[Fault] = ()) -> ApiError:
    """400 BAD_REQUEST; ``details`` is ``{"errors": [fault, …]}`` if there are faults."""
    errors = list(faults)
    return ApiError(400, "BAD_REQUEST", message, {"errors": errors} if errors else None)


def fault(path: Path, code: str, message: str, **more: Any) -> Fault:
    """A fault in the shape that this module describes; ``more`` are the further members."""
    return {"code": code, **more, "message": message, "path": list(path)}


class Fields:
    """Reads the members of one JSON object, or the parameters of a query string.

    A reader method never raises: it notes the fault and returns a placeholder, so that ``finish``
    can report all faults at once. Use no value before ``finish`` has returned.
    """

    def __init__(self, values: Mapping[str, Any], about: str, path: Path = ()) -> None:
        self.values = values
        self.about = about
        self.path = path
        self.faults: list[Fault] = []
        self.known: set[str] = set()

    def finish(self) -> None:
        """Raise ``ApiError`` (400) if a fault was noted."""
        if self.faults:
            raise bad_request(self.about, self.faults)

    def refuse_unknown(self) -> None:
        """Note a fault if there are members that no reader method was called for."""
        if unknown := sorted(set(self.values) - self.known):
            message = f"Unrecognized key(s) in object: {', '.join(map(repr, unknown))}"
            self.note((), "unrecognized_keys", message, keys=unknown)

    def note(self, path: Path, code: str, message: str, **more: Any) -> None:
        """Note a fault. ``path`` is relative to this object."""
        self.faults.append(fault((*self.path, *path), code, message, **more))

    def section(self, name: str, *, required: bool = False) -> Self | None:
        """The nested object with this name; None if it is absent or not an object.

        The nested object shares the list of faults with this object.
        """
        value = self._take(name, "object", required=required)
        if value is None:
            return None
        if not isinstance(value, dict):
            self._wrong_type(name, "object", value)
            return None
        inner = type(self)(value, self.about, (*self.path, name))
        inner.faults = self.faults
        return inner

    def text(
        self,
        name: str,
        *,
        maximum: int,
        minimum: int = 0,
        label: str = "Text",
        required: bool = False,
    ) -> str:
        """A text; ``""`` if absent.

        NUL characters and surrogates are faults, because databases cannot store them.
        ``minimum`` and ``maximum`` are numbers of characters.
        """
        value = self._take(name, "string", required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong_type(name, "string", value)
        elif "\0" in value or _has_surrogates(value):
            self.note((name,), "invalid_string", f"{label} holds characters that are no text")
        elif len(value) < minimum:
            message = f"{label} must be at least {minimum} characters"
            self.note((name,), "too_small", message, minimum=minimum, type="string")
        elif len(value) > maximum:
            message = f"{label} must be at most {maximum} characters"
            self.note((name,), "too_big", message, maximum=maximum, type="string")
        else:
            return value
        return ""

    def integer(self, name: str, *, minimum: int, maximum: int) -> int | None:
        """An integer; None if absent."""
        value = self._take(name, "integer")
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON has only one type of number, so 5.0 equals 5
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong_type(name, "integer", value)
            return None
        return self._in_range(name, value, minimum, maximum)

    def _in_range(self, name: str, value: int, minimum: int, maximum: int) -> int | None:
        if value < minimum:
            message = f"Number must be greater than or equal to {minimum}"
            self.note((name,), "too_small", message, minimum=minimum, type="number")
        elif value > maximum:
            message = f"Number must be less than or equal to {maximum}"
            self.note((name,), "too_big", message, maximum=maximum, type="number")
        else:
            return value
        return None

    def _take(self, name: str, expected: str, *, required: bool = False) -> Any:
        """The value of the member, or None.

        A fault is noted if the value is null, or if a required member is absent.
        """
        self.known.add(name)
        value = self.values.get(name)
        if value is None and (required or name in self.values):
            self._wrong_type(name, expected, value)
        return value

    def _wrong_type(self, name: str, expected: str, value: Any) -> None:
        received = _kind(value) if name in self.values else "undefined"
        message = (
            "Required" if received == "undefined" else f"Expected {expected}, received {received}"
        )
        self.note((name,), "invalid_type", message, expected=expected, received=received)


class QueryFields(Fields):
    """Reads the parameters of a query string, in which numbers are text."""

    def __init__(self, values: Mapping[str, Any], about: str = QUERY, path: Path = ()) -> None:
        super().__init__(values, about, path)

    def integer(self, name: str, *, minimum: int, maximum: int) -> int | None:
        """An integer, which arrives as text; None if absent."""
        text = self._take(name, "number")
        if text is None:
            return None
        if not _INTEGER.fullmatch(text):
            message = "Expected number, received nan"
            self.note((name,), "invalid_type", message, expected="number", received="nan")
            return None
        return self._in_range(name, int(text), minimum, maximum)

    def choice(self, name: str, options: Mapping[str, str]) -> str:
        """The value that ``options`` has for the given option; ``""`` if absent."""
        value = self.text(name, maximum=100)
        if not value or value in options:
            return options.get(value, "")
        shown = list(dict.fromkeys(options.values()))
        expected = " | ".join(f"'{option}'" for option in shown)
        message = f"Invalid enum value. Expected {expected}, received '{value}'"
        self.note((name,), "invalid_enum_value", message, received=value, options=shown)
        return ""


def read_query(request: HttpRequest) -> QueryFields:
    """The query string's parameters."""
    return QueryFields(request.GET.dict())


def read_body(request: HttpRequest) -> Fields:
    """The JSON object in the body; an empty body counts as an empty object.

    Raises ``ApiError`` (400) if the body is too large, is not JSON, or is not an object.
    """
    try:
        raw = request.body
    except RequestDataTooBig as exc:
        raise bad_request("Request body is too large") from exc
    if not raw.strip():
        return Fields({}, BODY)
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise bad_request(
            "Body is not valid JSON but content-type is set to 'application/json'"
        ) from exc
    if not isinstance(value, dict):
        message = f"Expected object, received {_kind(value)}"
        raise bad_request(
            BODY,
            [fault((), "invalid_type", message, expected="object", received=_kind(value))],
        )
    return Fields(value, BODY)


def read_idempotency_key(request: HttpRequest) -> str | None:
    """The idempotency key, 1 to 255 printable ASCII characters; None without the header.

    The header's value is a quoted string of a structured field
    (draft-ietf-httpapi-idempotency-key-header, section 2.1; RFC 9651, section 3.3.3). Most clients
    send the key without quotes; both forms are the same key.

    Raises ``ApiError`` (400) if the value has another form.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not (key.isascii() and key.isprintable()):
        message = "Idempotency-Key must be 1 to 255 printable ASCII characters"
        raise bad_request(HEADERS, [fault(("Idempotency-Key",), "invalid_string", message)])
    quoted = _QUOTED.fullmatch(key)
    return _ESCAPED.sub(r"\1", quoted[1]) if quoted else key


def _has_surrogates(value: str) -> bool:
    return not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return "null" if value is None else kinds.get(type(value), "object")
