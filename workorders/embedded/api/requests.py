"""The models of requests: what bodies and query strings may hold.

The OpenAPI document is generated from these models. A member that may be left out may not be null.
``validation`` words what is wrong, with the title of the field.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from workorders.embedded import workspace_roots
from workorders.embedded.models import Status
from workorders.embedded.profiles import MAX_ITERATIONS, MAX_TIME, load_profiles

MAX_OFFSET = 2**53 - 1
"""The largest integer that every JSON reader represents exactly (RFC 8259, section 6). It fits
into the 64 bits of a database integer."""
_INTEGER = re.compile(r"-?[0-9]{1,100}")
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_WITHOUT_NUL = {"pattern": r"^[^\x00]*$"}


def refusal(code: str, message: str, **more: Any) -> PydanticCustomError:
    """A fault as ``validation`` describes it, without its path."""
    return PydanticCustomError(code, "{message}", {"message": message, **more})


def _storable(value: object) -> object:
    """Refuse NUL characters and surrogates, because databases cannot store them."""
    if isinstance(value, str) and _NOT_STORABLE.search(value):
        raise PydanticCustomError("not_text", "not text")  # worded by validation
    return value


def _whole(value: object) -> object:
    """JSON has only one type of number, so 5.0 equals 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_integer(text: str) -> int:
    """The parameters of a query string are text."""
    if not _INTEGER.fullmatch(text):
        message = "Expected number, received nan"
        raise refusal("invalid_type", message, expected="number", received="nan")
    return int(text)


def _local(kind: str) -> str:
    if kind != "local":
        message = "This server runs work orders of type 'local' only"
        raise refusal("invalid_literal", message, expected="local")
    return kind


def _workspace_path(path: str) -> str:
    """The path need not exist yet: a run checks that when it starts, on the worker's machine."""
    if not path.startswith("/"):
        raise refusal("invalid_string", "Workspace path must be absolute")
    if not workspace_roots.is_allowed(path):
        message = f"Workspace path must be below {workspace_roots.allowed_in_words()}"
        raise refusal("invalid_string", f"{message} (WORKSPACE_ROOTS)")
    return path


def _known_profile(name: str) -> str:
    if name and name not in load_profiles():
        raise refusal("invalid_enum_value", f"Unknown profile: {name}")
    return name


def _one_of(statuses: Mapping[str, Status]) -> AfterValidator:
    """Refuse what is not in the mapping, and return what the mapping has; ``""`` is no choice."""
    shown = [status.value for status in dict.fromkeys(statuses.values())]
    expected = " | ".join(f"'{status}'" for status in shown)

    def check(value: str) -> str:
        if value and value not in statuses:
            message = f"Invalid enum value. Expected {expected}, received '{value}'"
            raise refusal("invalid_enum_value", message, received=value, options=shown)
        return statuses[value].value if value else ""

    return AfterValidator(check)


RUN_STATUSES = {status.value: status for status in Status} | {"cancelled": Status.CANCELED}
WORK_ORDER_STATUSES = {
    name: status for name, status in RUN_STATUSES.items() if status != Status.BUILDING
}

STORABLE = BeforeValidator(_storable)
Iterations = Annotated[int, Field(ge=1, le=MAX_ITERATIONS), BeforeValidator(_whole)]
Seconds = Annotated[
    int,
    Field(ge=1, le=MAX_TIME, description="Seconds for a whole run."),
    BeforeValidator(_whole),
]
WORKSPACE_PATH: Any = Field(
    title="Workspace path",
    min_length=1,
    max_length=4_096,
    description="An absolute path on the workers' machines. It is looked up when a run starts.",
    json_schema_extra={"pattern": "^/"},
)


class RequestModel(BaseModel):
    """A JSON object, with names in camelCase. Unknown members are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        if value is None:
            raise PydanticCustomError("null", "null")  # worded by validation
        return value


class Page(RequestModel):
    limit: Annotated[int, Field(ge=1, le=100), BeforeValidator(_read_integer)] = 20
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET), BeforeValidator(_read_integer)] = 0


class WorkOrderQuery(Page):
    status: Annotated[
        str,
        Field(max_length=100, json_schema_extra={"enum": list(WORK_ORDER_STATUSES)}),
        STORABLE,
        _one_of(WORK_ORDER_STATUSES),
    ] = ""
    search: Annotated[
        str,
        Field(
            title="Search",
            max_length=200,
            description="Part of the prompt or of the ID, in any case (on SQLite: of ASCII"
            " letters).",
            json_schema_extra=_WITHOUT_NUL,
        ),
        STORABLE,
    ] = ""


class RunQuery(Page):
    work_order_id: Annotated[
        str, Field(title="Work order ID", max_length=64, json_schema_extra=_WITHOUT_NUL), STORABLE
    ] = ""
    status: Annotated[
        str,
        Field(max_length=100, json_schema_extra={"enum": list(RUN_STATUSES)}),
        STORABLE,
        _one_of(RUN_STATUSES),
    ] = ""


class NewWorkspaceSource(RequestModel):
    """Other members are ignored."""

    type: Annotated[
        str,
        Field(max_length=100, json_schema_extra={"const": "local"}),
        STORABLE,
        AfterValidator(_local),
    ]
    path: Annotated[str, WORKSPACE_PATH, STORABLE, AfterValidator(_workspace_path)]


class NewWorkOrder(RequestModel):
    """Other members are ignored, such as ``agentType``, which profiles decide here."""

    task_prompt: Annotated[
        str,
        Field(
            title="Task prompt",
            min_length=10,
            max_length=100_000,
            description="Text without NUL characters.",
        ),
        STORABLE,
    ]
    workspace_source: NewWorkspaceSource
    profile_name: Annotated[
        str,
        Field(
            title="Profile name",
            max_length=64,
            description="A name of GET /profiles; the default profile without it.",
        ),
        STORABLE,
        AfterValidator(_known_profile),
    ] = ""
    max_iterations: Iterations | None = None
    max_time: Seconds | None = None


class StrictModel(RequestModel):
    """A JSON object without unknown members."""

    model_config = ConfigDict(extra="forbid")


class LoopStrategyOverrides(StrictModel):
    max_iterations: Iterations | None = None


class ProfileOverrides(StrictModel):
    loop_strategy: LoopStrategyOverrides = LoopStrategyOverrides()


class RunRequest(StrictModel):
    """Each member only when it is to differ from the work order.

    Precedence of a limit: this request, the work order's own, the profile's.
    """

    profile_name: Annotated[
        str,
        Field(
            title="Profile name",
            max_length=64,
            description="A name of GET /profiles, for this run only.",
        ),
        STORABLE,
    ] = ""
    profile_overrides: ProfileOverrides = ProfileOverrides()


class LogQuery(RequestModel):
    offset: Annotated[
        int,
        Field(
            ge=-MAX_OFFSET,
            le=MAX_OFFSET,
            description="Bytes from the beginning; negative: from the end.",
        ),
        BeforeValidator(_read_integer),
    ] = 0
    limit: Annotated[
        int,
        Field(ge=1, le=1_048_576, description="Bytes; at least a whole character is given."),
        BeforeValidator(_read_integer),
    ] = 65_536
