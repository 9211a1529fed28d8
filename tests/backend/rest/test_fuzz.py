"""Whatever a client sends, the server has a name for what is wrong with it: no 500, and all errors alike.

The requests are made from our own OpenAPI document, a few for each endpoint, as a phone and as an admin.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import pytest
import requests
import schemathesis
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache as throttles
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from backend.people.models import User
from backend.people.tokens import start_session
from tests.access.world import OBJECTS, World, make_world
from tests.factories import an_admin
from tests.signin import a_device

EACH = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def staff_token(user: User) -> str:
    key, (access, _) = start_session(user)
    session = SessionStore(key)
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [{"method": "mfa", "at": 0}]
    session.save()
    return access


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def all_operations() -> Iterator[Any]:
    document = Client().get("/api/v1/schema", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


def send(client: Client, case: Any, token: str) -> HttpResponse:
    """The generated request, sent by Django's own test client, which keeps within the test's transaction."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    headers: Any = {name: value for name, value in prepared.headers.items() if name.lower() != "content-length"}
    kind = headers.pop("Content-Type", "application/octet-stream")
    headers["Authorization"] = f"Bearer {token}"
    response: Any = client.generic(case.method, str(prepared.path_url), body, kind, headers=headers)
    return cast(HttpResponse, response)


def test_nothing_that_a_client_sends_breaks_the_server(world: World) -> None:
    tokens = [a_device(world.patient)[1], staff_token(an_admin(world.team.clinic))]

    @cache
    def thing(name: str) -> str:
        return str(OBJECTS[name](world))

    client = Client(raise_request_exception=False)
    broken: list[str] = []
    answered: Counter[int] = Counter()
    for operation in all_operations():

        @EACH
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            # The body is what is tried; with an id of nobody's it would never be looked at.
            case.path_parameters |= {name: thing(name) for name in case.path_parameters if name in OBJECTS}
            for token in tokens:
                with transaction.atomic():
                    response = send(client, case, token)
                    if response.streaming:
                        response.getvalue()  # which closes the file
                    transaction.set_rollback(True)
                answered[response.status_code] += 1
                kind = response.get("Content-Type", "")
                if response.status_code >= 500 or (response.status_code >= 400 and kind != "application/problem+json"):
                    broken.append(f"{case.method} {case.formatted_path}: {response.status_code}, {case.body!r:.200}")

        ask()
        throttles.clear()  # or the throttles would answer in place of what they guard
    assert not broken
    assert {200, 201, 400, 403, 404} <= set(answered)  # it came past the doors
