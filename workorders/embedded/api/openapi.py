"""The OpenAPI document, built from the routes, the operations beside the views, and the models."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict, cast

from django.urls import get_resolver
from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from workorders.embedded.api.operations import (
    BAD_REQUEST,
    BUSY,
    FORBIDDEN,
    INTERNAL_ERROR,
    OPERATIONS,
    SHARED,
    UNAUTHORIZED,
    Json,
    Operation,
    Refusal,
)
from workorders.embedded.api.responses import Endpoint
from workorders.embedded.api.schemas import Id

VERSION = "1.0.0"
DESCRIPTION = (
    'Work orders and their runs. Every answer is an envelope: {"success": true, "data"} or'
    ' {"success": false, "error": {"code", "message", "details"?}}, each with requestId. Any path'
    " also answers 405 METHOD_NOT_ALLOWED with an Allow header; an unknown one answers 404"
    " NOT_FOUND."
)
KEY = (
    "The server's RUNS_API_KEY, or a key of manage.py create_api_key with the scope that the"
    " operation needs: read for GET, trigger to start and cancel runs, all for the rest."
)
REQUEST_ID = "The same as requestId: the one that was sent, if it is well-formed, else a new one."


class Success(TypedDict):
    success: Literal[True]
    data: Mapping[str, Any]
    requestId: Id


class Error(TypedDict):
    code: str
    message: str
    details: NotRequired[Mapping[str, Any]]


class Failure(TypedDict):
    success: Literal[False]
    error: Error
    requestId: Id


type Schemas = Mapping[Any, Json]
"""The JSON schema of each type: a reference into the components."""


class _Generator(GenerateJsonSchema):
    """Adapts pydantic's JSON schemas to what the API does.

    A response has no other members than the documented ones, unless its type allows them. A
    request leaves out what has no value; ``None`` and ``""`` are not sent.
    """

    _is_request = False

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return {"additionalProperties": False} | super().typed_dict_schema(schema)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        before, self._is_request = self._is_request, True
        try:
            return super().model_schema(schema)
        finally:
            self._is_request = before

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        if self._is_request:
            return self.generate_inner(schema["schema"])
        return super().nullable_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if isinstance(schema.get("default"), int):
            return super().default_schema(schema)
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False


@cache
def document() -> Json:
    """The document as JSON: OpenAPI 3.1."""
    routes = list(_routes())
    types = [Success, Failure, *(refusal.details for refusal in SHARED)]
    for route in routes:
        documented = route.operation
        types += [documented.returns, documented.query, documented.body]
        types += [refusal.details for refusal in documented.refusals]
    found, definitions = TypeAdapter.json_schemas(
        [(kind, "validation", TypeAdapter(kind)) for kind in dict.fromkeys(types) if kind],
        schema_generator=_Generator,
        ref_template="#/components/schemas/{model}",
    )
    schemas = {kind: schema for (kind, _), schema in found.items()}
    components = definitions["$defs"]
    paths: dict[str, Json] = {}
    for route in routes:
        query = route.operation.query
        parameters = components.pop(query.__name__) if query else {}
        paths.setdefault(route.path, {})[route.method] = _operation(route, schemas, parameters)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Runs API", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "headers": {
                "RequestId": {
                    "description": REQUEST_ID,
                    "required": True,
                    "schema": {"$ref": "#/components/schemas/Id"},
                }
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": KEY}},
            "responses": {refusal.name: _refusal(refusal, schemas) for refusal in SHARED},
            "schemas": components,
        },
    }


class _Route(NamedTuple):
    path: str
    method: str
    id: str
    endpoint: Endpoint
    operation: Operation


def _routes() -> Iterator[_Route]:
    """All routes but the last, which is for unknown paths."""
    for pattern in get_resolver("workorders.embedded.api.urls").url_patterns[:-1]:
        route = str(pattern.pattern)
        path = re.sub(r"<str:(\w+)>", lambda name: f"{{{to_camel(name[1])}}}", route)
        endpoint = cast("Endpoint", pattern.callback)
        for method, handler in endpoint.handlers.items():
            name = to_camel(handler.__name__)
            yield _Route(f"/{path}", method.lower(), name, endpoint, OPERATIONS[handler])


def _operation(route: _Route, schemas: Schemas, query: Json) -> Json:
    documented = route.operation
    parameters = [*_path_parameters(route.path), *_query_parameters(query), *documented.headers]
    described: Json = {
        "operationId": route.id,
        "summary": documented.summary,
        "tags": [documented.tag],
    }
    if documented.description:
        described["description"] = documented.description
    if parameters:
        described["parameters"] = parameters
    if documented.body:
        described["requestBody"] = {
            "required": not documented.without_body,
            "description": documented.without_body,
            "content": {"application/json": {"schema": schemas[documented.body]}},
        }
    refusals = [INTERNAL_ERROR, BUSY]
    if documented.query or documented.body:
        refusals.append(BAD_REQUEST)
    if route.endpoint.open_to_all:
        described["security"] = []
    else:
        refusals += [UNAUTHORIZED, FORBIDDEN]
    responses = {str(documented.status): _success(documented, schemas)}
    for refusal in (*refusals, *documented.refusals):
        shared = {"$ref": f"#/components/responses/{refusal.name}"}
        responses[str(refusal.status)] = shared if refusal.name else _refusal(refusal, schemas)
    return described | {"responses": dict(sorted(responses.items()))}


def _path_parameters(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(query: Json) -> list[Json]:
    """The parameters of a query string, from the schema of its model."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description", ""),
            "schema": schema,
        }
        for name, schema in query.get("properties", {}).items()
    ]


def _success(documented: Operation, schemas: Schemas) -> Json:
    data = schemas[documented.returns]
    if documented.enveloped:
        data = {"allOf": [schemas[Success], {"properties": {"data": data}}]}
    return _response(documented.says, data, documented.response_headers)


def _refusal(refusal: Refusal, schemas: Schemas) -> Json:
    codes = refusal.codes
    error: Json = {"properties": {"code": {"enum": list(codes)}}}
    if refusal.details:
        error["properties"]["details"] = schemas[refusal.details]
    if refusal.always_has_details:
        error["required"] = ["details"]
    schema = {"allOf": [schemas[Failure], {"properties": {"error": error}}]}
    return _response(refusal.description, schema, refusal.headers)


def _response(description: str, schema: Json, headers: Mapping[str, Json]) -> Json:
    return {
        "description": description,
        "headers": {"x-request-id": {"$ref": "#/components/headers/RequestId"}, **headers},
        "content": {"application/json": {"schema": schema}},
    }
