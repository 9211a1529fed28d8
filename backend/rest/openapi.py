"""Bodies that msgspec writes, and what drf-spectacular needs to know of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse

_error = {
    "type": "object",
    "required": ["field", "code", "detail"],
    "properties": {
        "field": {"type": ["string", "null"], "description": "Dotted path into what was sent."},
        "code": {"type": "string", "description": "For programs; stable."},
        "detail": {"type": "string", "description": "For people."},
    },
}
_components: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457. `errors` is never empty.",
        "required": ["type", "title", "status", "detail", "errors", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": _error},
            "request_id": {"type": "string"},
        },
    }
}


# The error answer of whatever isn't described by `problems`.
PROBLEM: dict[str, Any] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
}


def schema_of(kind: Any) -> dict[str, Any]:
    """The OpenAPI schema of a msgspec type; structs become named components, each of a name of its own."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    for name, component in components.items():
        if _components.setdefault(name, component) != component:
            raise ValueError(f"two structs of the API are called {name}")
    return schema


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The error answers of an endpoint, all of one shape."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        (status, "application/problem+json"): OpenApiResponse(schema, HTTPStatus(status).phrase) for status in statuses
    }


def add_components(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Postprocessing hook: put the structs that `schema_of` met into the document."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    if twice := schemas.keys() & _components.keys():
        raise ValueError(f"a serializer and a struct of the API are both called {', '.join(sorted(twice))}")
    schemas.update(_components)
    return result


def json_response(answer: msgspec.Struct, status: int = 200) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json", status=status)
