"""The URL map as (route, methods), and the tables beside this file."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

from tests.access.world import ROLES

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Route(NamedTuple):
    address: str
    methods: frozenset[str] | None  # None: a function that doesn't say


def routes(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[Route]:
    for entry in (resolver or get_resolver()).url_patterns:
        address = prefix + str(entry.pattern).replace("\\Z", "").removeprefix("^")
        if isinstance(entry, URLResolver):
            yield from routes(entry, address)
        else:
            yield Route(address, methods_of(entry))


def methods_of(entry: URLPattern) -> frozenset[str] | None:
    view = getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None)
    if view is None:
        return None
    offered = getattr(entry.callback, "actions", None) or dir(view)
    return frozenset(method for method in METHODS if method.lower() in offered)


class Line(NamedTuple):
    method: str
    address: str
    cells: dict[str, str]


def lines() -> Iterator[Line]:
    for table in sorted(Path(__file__).parent.glob("*.txt")):
        for text in table.read_text().splitlines():
            if text.strip() and not text.startswith("#"):
                method, address, *cells = text.split()
                assert len(cells) == len(ROLES), f"{table.name}: {text}"
                yield Line(method, address, dict(zip(ROLES, cells, strict=True)))


def lines_for(address: str, table: list[Line]) -> dict[str, dict[str, str]]:
    """By method, what the tables say of this route; the line that names it outright before the one with a star."""
    found: dict[str, dict[str, str]] = {}
    for line in table:
        if line.address == address:
            found[line.method] = line.cells
    for line in table:
        if line.address.endswith("*") and fnmatchcase(address, escape(line.address)):
            found.setdefault(line.method, line.cells)
    return found


def escape(pattern: str) -> str:
    return re.sub(r"([\[?])", r"[\1]", pattern)
