"""How a type of this package reads JSON."""

from functools import cache
from typing import Any, ClassVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from workorders.runs_api.json_values import Json


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return pydantic's validator of a type. Making one takes milliseconds, so it is kept."""
    return TypeAdapter(kind)


def parse[Value](kind: type[Value], data: Json, **context: Any) -> Value:
    """Return ``data`` as a value of ``kind``.

    Args:
        kind: a subclass of ``Schema``, or a ``Page`` of one.
        data: the JSON object.
        context: what validators of ``kind`` may need to know about the request.

    Raises:
        ValueError: a required ID is missing.
    """
    try:
        value: Value = adapter(cast("Any", kind)).validate_python(data, context=context)
    except ValidationError as exc:
        # Not chained: the message of pydantic repeats values, such as prompts.
        raise ValueError(f"the answer has no {exc.errors()[0]['loc'][-1]}") from None
    return value


class Schema:
    """A frozen dataclass that pydantic fills from a JSON object.

    Names in JSON are those of the fields in camelCase, unless ``Field(alias=...)`` says
    otherwise. Calling the class with values, and ``dataclasses.replace``, validate nothing.
    """

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(alias_generator=to_camel)
