"""What the OpenAPI document says about an endpoint, written beside its view.

Paths, methods and keys come from ``urls``, and ``openapi`` builds the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import BaseModel, Field, with_config

from workorders.embedded.api.responses import Handler

type Json = dict[str, Any]


@with_config(extra="allow")
class Fault(TypedDict):
    """Where in the body, query or headers, and what.

    More members may help: minimum, maximum, expected, received, options, keys.
    """

    code: str
    message: str
    path: Sequence[str]


class Faults(TypedDict):
    errors: Annotated[Sequence[Fault], Field(min_length=1)]


class Unchanged(TypedDict):
    started: NotRequired[
        Annotated[
            Literal[False],
            Field(
                description="Nothing was changed. Where this is missing after a trigger, a run may"
                " have been started: the same Idempotency-Key finds out."
            ),
        ]
    ]


@dataclass(frozen=True)
class Refusal:
    """A response whose envelope says ``success: false``."""

    status: int
    codes: tuple[str, ...]
    description: str
    _: KW_ONLY
    details: Any = None
    """The type of ``error.details``."""
    always_has_details: bool = False
    headers: Mapping[str, Json] = field(default_factory=dict)
    name: str = ""
    """The name of a response that operations share."""


UNAUTHORIZED = Refusal(
    401,
    ("UNAUTHORIZED",),
    "The key is missing or wrong.",
    headers={"WWW-Authenticate": {"schema": {"type": "string"}}},
    name="Unauthorized",
)
FORBIDDEN = Refusal(403, ("FORBIDDEN",), "The key's scope does not allow it.", name="Forbidden")
BAD_REQUEST = Refusal(
    400,
    ("BAD_REQUEST",),
    "The body is no JSON, or values are not valid: details names each.",
    details=Faults,
    name="BadRequest",
)
NOT_FOUND = Refusal(404, ("NOT_FOUND",), "There is no such thing.", name="NotFound")
CONFLICT = Refusal(409, ("CONFLICT",), "Its status does not allow it.", name="Conflict")
INTERNAL_ERROR = Refusal(
    500,
    ("INTERNAL_ERROR",),
    "A fault of the server; its log has the cause, under the request ID's time.",
    name="InternalError",
)
BUSY = Refusal(
    503,
    ("SERVER_BUSY",),
    "The database cannot be used at the moment. The same request can be sent again.",
    details=Unchanged,
    headers={"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    name="Busy",
)
SHARED = (UNAUTHORIZED, FORBIDDEN, BAD_REQUEST, NOT_FOUND, CONFLICT, BUSY, INTERNAL_ERROR)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a view takes and returns; a decorator of the view: ``@Operation(tag="runs", …)``.

    The document adds what all operations share: the refusals of the key, of what the operation
    reads, and of the server.
    """

    tag: str
    summary: str
    returns: Any
    """The type of ``data``."""
    says: str
    """What the response is, in words."""
    status: int = 200
    enveloped: bool = True
    """Whether ``returns`` is inside of the envelope."""
    description: str = ""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    without_body: str = ""
    """What it means to send no body; empty: a body is required."""
    headers: Sequence[Json] = ()
    """Parameters of the document, for headers that the endpoint reads."""
    response_headers: Mapping[str, Json] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()

    def __call__(self, view: Handler) -> Handler:
        OPERATIONS[view] = self
        return view


OPERATIONS: dict[Handler, Operation] = {}
"""The operations of the views that have been imported."""
