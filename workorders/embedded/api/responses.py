"""The envelope of responses, the API's errors, and the views that call handlers.

The envelope is ``{"success": true, "data": {…}, "requestId": "…"}`` for a success, or
``{"success": false, "error": {"code": "…", "message": "…", "details": {…}}, "requestId": "…"}``
for an error. The member ``details`` is absent if there are none.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from workorders.embedded.api_keys import Caller, Scope, caller_of
from workorders.embedded.models import APIKey
from workorders.observability import request_id
from workorders.processes.database_outage import DATABASE_ERRORS, outage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ApiResponse:
    """What a handler returns: the HTTP status, the JSON body and further headers.

    The request ID is added to the body later.
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def success(
    data: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> ApiResponse:
    """A response with the envelope of a success around ``data``."""
    return ApiResponse(status, {"success": True, "data": data}, headers or {})


BUSY_SECONDS = 2
"""Seconds; the value of ``Retry-After`` while the database cannot be used."""


class ApiError(Exception):
    """A request fails; ``api`` returns the attribute ``response`` to the client."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        error = {"code": code, "message": message}
        self.response = ApiResponse(
            status,
            {"success": False, "error": error | ({"details": details} if details else {})},
            headers or {},
        )


def not_found(message: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


def conflict(message: str) -> ApiError:
    return ApiError(409, "CONFLICT", message)


CALLER = "runs_api.caller"
"""The key in ``request.META`` that holds the caller. No header can set a key of this name."""


def database_unavailable(*, is_certain: bool) -> ApiError:
    """503 SERVER_BUSY.

    With ``is_certain`` the request has provably changed nothing, and ``details`` is
    ``{"started": false}``.
    """
    return ApiError(
        503,
        "SERVER_BUSY",
        "The database cannot be used at the moment. Try again.",
        {"started": False} if is_certain else None,
        {"Retry-After": str(BUSY_SECONDS)},
    )


type Handler = Callable[..., ApiResponse]


@dataclass(frozen=True, eq=False)  # Django keeps views in sets
class Endpoint:
    """A view of one handler per HTTP method.

    The view uses neither sessions nor CSRF tokens: only the key in the ``Authorization`` header
    gives access, and a browser never adds this header by itself.
    """

    handlers: Mapping[str, Handler]
    """By method, such as ``{"GET": list_runs}``."""
    needs: Scope | None = None
    """The scope that the API key must have. None: ``read`` for GET and HEAD, else ``all``."""
    open_to_all: bool = False
    """Whether no key is needed."""
    csrf_exempt: ClassVar = True
    login_required: ClassVar = False

    def __call__(self, request: HttpRequest, **arguments: str) -> HttpResponseBase:
        given = request.headers.get(request_id.HEADER, "")
        with request_id.carried(request_id.taken_over(given)):
            began = False
            try:
                known = None if self.open_to_all else _caller(request)
                handler = _pick(request, self.handlers)
                if known:
                    _check_scope(known, self.needs or _usual_scope(request))
                began = True
                response = handler(request, **arguments)
                outage.is_over()
            except ApiError as refusal:
                response = refusal.response
            except DATABASE_ERRORS as exc:
                outage.note(exc)
                response = database_unavailable(is_certain=_is_read(request) or not began).response
            except Exception:
                # Only the log names the cause, because its message may hold paths or prompts.
                logger.exception("%s %s failed", request.method, request.path)
                response = ApiError(500, "INTERNAL_ERROR", "Internal server error").response
            return _respond(response)


def api(*, open_to_all: bool = False, needs: Scope | None = None, **handlers: Handler) -> Endpoint:
    """An endpoint: ``api(GET=list_runs)``."""
    return Endpoint(handlers, needs, open_to_all)


def unknown_route(request: HttpRequest) -> ApiResponse:
    """The handler for URLs that do not exist. Raises ``ApiError`` (404)."""
    raise not_found(f"Route {request.method} {request.path} not found")


def any_method(handler: Handler) -> Endpoint:
    """Make a view that calls one handler for every HTTP method."""
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    return Endpoint(dict.fromkeys(methods, handler), APIKey.Scope.READ)


def _is_read(request: HttpRequest) -> bool:
    return request.method in {"GET", "HEAD"}


def caller(request: HttpRequest) -> Caller:
    """The caller of a request to an endpoint that needs a key."""
    known: Caller = request.META[CALLER]
    return known


def _caller(request: HttpRequest) -> Caller:
    given = request.headers.get("Authorization", "")
    challenge = {"WWW-Authenticate": "Bearer"}
    if not given:
        raise ApiError(401, "UNAUTHORIZED", "Authorization header required", None, challenge)
    scheme, _, key = given.partition(" ")
    found = caller_of(key.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise ApiError(401, "UNAUTHORIZED", "Invalid API key", None, challenge)
    request.META[CALLER] = found
    return found


def _usual_scope(request: HttpRequest) -> Scope:
    return APIKey.Scope.READ if request.method in {"GET", "HEAD"} else APIKey.Scope.ALL


def _check_scope(caller: Caller, needed: Scope) -> None:
    if not caller.may(needed):
        message = f"API key {caller.name!r} has scope {caller.scope.value!r}, not {needed.value!r}"
        raise ApiError(403, "FORBIDDEN", message)


def _pick(request: HttpRequest, handlers: Mapping[str, Handler]) -> Handler:
    method = request.method or "GET"
    handler = handlers.get(method) or (handlers.get("GET") if method == "HEAD" else None)
    if handler:
        return handler
    allowed = ", ".join(sorted({*handlers, *({"HEAD"} if "GET" in handlers else ())}))
    raise ApiError(
        405,
        "METHOD_NOT_ALLOWED",
        f"Method {method} is not allowed for {request.path}; allowed: {allowed}",
        None,
        {"Allow": allowed},
    )


def _respond(response: ApiResponse) -> JsonResponse:
    body = dict(response.body)
    if "success" in body:  # the OpenAPI document has no envelope
        body["requestId"] = request_id.current()
    return JsonResponse(
        body,
        status=response.status,
        headers={
            request_id.HEADER: request_id.current(),
            "Cache-Control": "no-store",
            **response.headers,
        },
    )
