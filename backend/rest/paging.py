"""Pages by key: each says where the next begins, so rows that come or go meanwhile shift nothing."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from backend.rest.problems import Problem, in_words

DEFAULT, MOST = 50, 500  # a year of a daily diary fits a page


class KeysetPagination(BasePagination):
    """`{"results": […], "next": URL or null}`, in the order of the view's `keyset`.

    A keyset is a tuple of field names, `-` for descending, that together are unique. It must not hold a person's name
    or a health value: the cursor travels in an address, and addresses are logged.
    """

    next_link: str | None = None
    limit = DEFAULT
    keyset: tuple[str, ...] = ("pk",)

    def narrow[M: Model, R](self, queryset: QuerySet[M, R], request: Request, view: APIView | None) -> QuerySet[M, R]:
        """The page that is asked for and one row more, not yet read; `finish` says what becomes of them."""
        self.keyset = getattr(view, "keyset", self.keyset)
        self.limit = read_limit(request)
        queryset = queryset.order_by(*self.keyset)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(after(queryset.model, self.keyset, cursor))
        return queryset[: self.limit + 1]

    def finish[R](self, rows: list[R], request: Request, key: Callable[[R], object] = lambda row: row) -> list[R]:
        """The rows of the page, without the one more; sets `next_link`. `key` gives what has the keyset of a row."""
        if len(rows) > self.limit:
            rows.pop()
            cursor = cursor_of(key(rows[-1]), self.keyset)
            self.next_link = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
        return rows

    def paginate_queryset[M: Model, R](  # type: ignore[override]  # a queryset it must be, and never a list
        self, queryset: QuerySet[M, R], request: Request, view: APIView | None = None
    ) -> list[R]:
        return self.finish(list(self.narrow(queryset, request, view)), request)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next_link})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": ["string", "null"], "format": "uri", "description": "The next page; null on the last."}
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": following},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}
        return [
            {"name": "limit", "in": "query", "schema": size, "description": "How many rows on a page."},
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "Opaque; taken from `next`.",
            },
        ]


def read_limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST):
        raise Problem(400, "out_of_range", in_words("A whole number from 1 to %(n)s.", n=MOST), field="limit")
    return int(text)


def cursor_of(row: object, keyset: tuple[str, ...]) -> str:
    values = [getattr(row, name.removeprefix("-")) for name in keyset]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def after(model: type[Model], keyset: tuple[str, ...], cursor: str) -> Q:
    """The rows behind `cursor`: (a, b) > (x, y), written so that an index on a serves it."""
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        names = [name.removeprefix("-") for name in keyset]
        fields = [model._meta.pk if name == "pk" else model._meta.get_field(name) for name in names]
        values = [field.to_python(value) for field, value in zip(fields, values, strict=True)]  # type: ignore[union-attr]
    except (ValueError, TypeError, msgspec.DecodeError, ValidationError, RecursionError) as error:
        raise Problem(400, "invalid", "Take the cursor from `next`.", field="cursor") from error
    if any(value is None or "\0" in str(value) for value in values):
        raise Problem(400, "invalid", "Take the cursor from `next`.", field="cursor")
    beyond = Q(pk__in=[])
    for position in reversed(range(len(keyset))):
        step = "lt" if keyset[position].startswith("-") else "gt"
        name, value = names[position], values[position]
        beyond = Q(**{f"{name}__{step}": value}) | (Q(**{name: value}) & beyond)
    first = "lte" if keyset[0].startswith("-") else "gte"
    return Q(**{f"{names[0]}__{first}": values[0]}) & beyond
