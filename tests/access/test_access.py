import json
import re
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client

from tests.access.routes import METHODS, Route, lines, lines_for, routes
from tests.access.world import BODIES, OBJECTS, ROLES, World, fill, make_world

ROUTES = list(routes())
TABLE = list(lines())

# What a method that a route doesn't have may answer.
REFUSED = {302, 400, 401, 403, 404, 405}


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def ask(client: Client, method: str, address: str, body: object) -> int:
    """The status of the answer; whatever it did is undone."""
    client.raise_request_exception = False
    with transaction.atomic():
        sent = b"" if method == "GET" else json.dumps(body).encode()
        response = client.generic(method, address, sent, "application/json")
        if response.streaming:
            response.getvalue()  # which closes the file
        transaction.set_rollback(True)
    return response.status_code


def wrong(route: Route, world: World) -> Iterator[str]:
    address, table = fill(route.address, world), lines_for(route.address, TABLE)
    for method in ("GET", "POST") if "*" in table else METHODS:
        make_body = BODIES.get(f"{method} {route.address}")
        body = make_body(world) if make_body else {}
        for role in ROLES:
            got = ask(world.clients[role], method, address, body)
            cell = table.get(method, table.get("*", {})).get(role)
            expected = {int(status) for status in cell.split("/")} if cell and cell != "-" else REFUSED
            if got not in expected and not (cell == "-" and got < 500):
                yield f"{method} {route.address} as {role}: {got}, expected {cell or 'a refusal'}"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.address)
def test_each_role_gets_what_the_table_says(route: Route, world: World) -> None:
    assert not list(wrong(route, world))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.address)
def test_each_method_of_a_route_has_its_line(route: Route) -> None:
    said = set(lines_for(route.address, TABLE))
    assert said, f"{route.address} is in no table: see tests/access/__init__.py"
    if route.methods is not None and "*" not in said:
        assert said == route.methods


def test_no_line_speaks_of_a_route_that_is_gone() -> None:
    gone = [line.address for line in TABLE if not any(lines_for(route.address, [line]) for route in ROUTES)]
    assert not gone


def test_each_object_in_a_route_is_a_patients_own() -> None:
    ours = [route.address for route in ROUTES if "*" not in lines_for(route.address, TABLE)]
    assert {name for address in ours for name in re.findall(r"<(?:\w+:)?(\w+)>", address)} <= set(OBJECTS)
