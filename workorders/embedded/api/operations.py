"""What the OpenAPI document says about an endpoint, written beside its view.

Paths, methods and keys come from ``urls``, and ``openapi`` builds the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A response whose envelope says ``success: false``."""

    status: int
    codes: tuple[str, ...]
    description: str
    details: Any = None
    """The type of ``error.details``."""
    always_has_details: bool = False
    headers: Mapping[str, Json] = field(default_factory=dict)
    name: str = ""
    """The name of a response that operations share."""


UNAUTHORIZED = Refusal(
    name="Unauthorized",
    status=401,
    codes=("UNAUTHORIZED",),
    description="The key is missing or wrong.",
    headers={"WWW-Authenticate": {"schema": {"type": "string"}}},
)
FORBIDDEN = Refusal(
    name="Forbidden",
    status=403,
    codes=("FORBIDDEN",),
    description="The key's scope does not allow it.",
)
BAD_REQUEST = Refusal(
    name="BadRequest",
    status=400,
    codes=("BAD_REQUEST",),
    description="The body is no JSON, or values are not valid: details names each.",
    details=Faults,
)
NOT_FOUND = Refusal(
    name="NotFound",
    status=404,
    codes=("NOT_FOUND",),
    description="There is no such thing.",
)
CONFLICT = Refusal(
    name="Conflict",
    status=409,
    codes=("CONFLICT",),
    description="Its status does not allow it.",
)
INTERNAL_ERROR = Refusal(
    name="InternalError",
    status=500,
    codes=("INTERNAL_ERROR",),
    description="A fault of the server; its log has the cause, under the request ID's time.",
)
BUSY = Refusal(
    name="Busy",
    status=503,
    codes=("SERVER_BUSY",),
    description="The database cannot be used at the moment. The same request can be sent again.",
    details=Unchanged,
    headers={"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
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
