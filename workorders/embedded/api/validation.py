"""Reads requests by the models of ``requests``; one 400 reports all faults.

A fault is ``{"code": "…", "message": "…", "path": ["…"]}``, where ``path`` names the member, with
further members that depend on the code: ``minimum``, ``maximum``, ``expected``, ``received``,
``options``, ``keys`` or ``type``. A reference server's recorded responses have the same shape.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, get_args

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from workorders.embedded.api.responses import ApiError

_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])+)"')
"""A non-empty string of a structured field (RFC 9651, section 3.3.3)."""
_ESCAPED = re.compile(r'\\(["\\])')

type Path = tuple[str, ...]
type Fault = dict[str, Any]

BODY = "Invalid request body"
QUERY = "Invalid query parameters"
HEADERS = "Invalid request headers"

_LIMITS = {
    "string_too_short": ("too_small", "{} must be at least {} characters", "min_length"),
    "string_too_long": ("too_big", "{} must be at most {} characters", "max_length"),
    "greater_than_equal": ("too_small", "Number must be greater than or equal to {1}", "ge"),
    "less_than_equal": ("too_big", "Number must be less than or equal to {1}", "le"),
}
"""pydantic's errors: the fault's code, its message, and the member of the error with the limit."""
_EXPECTED = {str: "string", int: "integer"}
_WRONG_TYPES = {"missing", "null", "string_type", "int_type", "int_from_float", "model_type"}


def bad_request(message: str, faults: Iterable[Fault] = ()) -> ApiError:
    """400 BAD_REQUEST; ``details`` is ``{"errors": [fault, …]}`` if there are faults."""
    errors = list(faults)
    return ApiError(400, "BAD_REQUEST", message, {"errors": errors} if errors else None)


def fault(path: Path, code: str, message: str, **more: Any) -> Fault:
    """A fault in the shape that this module describes; ``more`` are the further members."""
    return {"code": code, **more, "message": message, "path": list(path)}


def read_query[Model: BaseModel](model: type[Model], request: HttpRequest) -> Model:
    """The query string's parameters. Raises ``ApiError`` (400)."""
    return validated(model, request.GET.dict(), QUERY)


def read_json(request: HttpRequest) -> Mapping[str, Any]:
    """The JSON object in the body, not validated; an empty body counts as an empty object.

    Raises ``ApiError`` (400) if the body is too large, is not JSON, or is not an object.
    """
    try:
        raw = request.body
    except RequestDataTooBig as exc:
        raise bad_request("Request body is too large") from exc
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise bad_request(
            "Body is not valid JSON but content-type is set to 'application/json'"
        ) from exc
    if not isinstance(value, dict):
        raise bad_request(BODY, [_wrong_type((), "object", _kind(value))])
    return value


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


def validated[Model: BaseModel](model: type[Model], values: Mapping[str, Any], about: str) -> Model:
    """The values as the model has them.

    Raises ``ApiError`` (400) with all faults; its message is ``about``.
    """
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        raise bad_request(about, _faults(model, exc)) from None


def _faults(model: type[BaseModel], exc: ValidationError) -> list[Fault]:
    """pydantic's errors as faults, the unknown members of one object in one fault."""
    errors = exc.errors(include_url=False)
    paths = [tuple(map(str, error["loc"])) for error in errors]
    faults: dict[object, Fault] = {}
    unknown: dict[Path, list[str]] = {}
    for path, error in zip(paths, errors, strict=True):
        if error["type"] == "extra_forbidden":
            keys = unknown.setdefault(path[:-1], [])
            keys.append(path[-1])
            message = f"Unrecognized key(s) in object: {', '.join(map(repr, sorted(keys)))}"
            faults[path[:-1], "unknown"] = fault(
                path[:-1], "unrecognized_keys", message, keys=sorted(keys)
            )
        # The type of an object decides what else the object must have.
        elif path[-1] == "type" or (*path[:-1], "type") not in paths:
            faults[path] = _fault(_field(model, path), path, error)
    return list(faults.values())


def _fault(field: FieldInfo, path: Path, error: ErrorDetails) -> Fault:
    kind, context = error["type"], dict(error.get("ctx", {}))
    if kind in _WRONG_TYPES:
        received = "undefined" if kind == "missing" else _kind(error["input"])
        return _wrong_type(path, _EXPECTED.get(_plain_type(field.annotation), "object"), received)
    label = field.title or "Text"
    if kind == "not_text":
        return fault(path, "invalid_string", f"{label} holds characters that are no text")
    if kind in _LIMITS:
        code, message, name = _LIMITS[kind]
        limit = context[name]
        return fault(
            path,
            code,
            message.format(label, limit),
            **{"minimum" if code == "too_small" else "maximum": limit},
            type="string" if kind.startswith("string") else "number",
        )
    return fault(path, kind, context.pop("message"), **context)


def _wrong_type(path: Path, expected: str, received: str) -> Fault:
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return fault(path, "invalid_type", message, expected=expected, received=received)


def _field(model: type[BaseModel], path: Path) -> FieldInfo:
    """The field that ``path`` names in JSON, of the model or of a model inside of it."""
    first, *rest = path
    field = next(field for field in model.model_fields.values() if field.alias == first)
    return _field(_plain_type(field.annotation), tuple(rest)) if rest else field


def _plain_type(annotation: Any) -> Any:
    """``int`` for ``Annotated[int, …] | None``."""
    arguments = get_args(annotation)
    return _plain_type(arguments[0]) if arguments else annotation


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return "null" if value is None else kinds.get(type(value), "object")
