"""The OpenAPI document: an example for every endpoint, and nothing that a client sends makes the server fail."""

from __future__ import annotations

import time
from typing import Any

import pytest
import schemathesis
from django.contrib.sessions.backends.db import SessionStore
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings

from backend.people.models import User
from backend.people.tokens import start_session
from backend.wsgi import application
from tests.factories import a_clinician, a_patient, a_team
from tests.signin import a_consent, a_device

DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
schema = schemathesis.openapi.from_dict(DOCUMENT)
schema.app = application

type Case = schemathesis.Case[Any]

# Few examples an operation, the same in every run: this must end within a minute. More of them: --hypothesis-seed.
BOUNDED = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture
def a_phones_token(db: None) -> str:
    patient = a_patient()
    a_consent(patient)
    return a_device(patient)[1]


@pytest.fixture
def a_clinicians_token(db: None) -> str:
    team = a_team()
    a_patient(team)
    return with_second_factor(a_clinician(team))


def with_second_factor(user: User) -> str:
    key, (access, _) = start_session(user)
    session = SessionStore(key)
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time()}]
    session.save()
    return access


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_body_has_an_example(name: str) -> None:
    operation = OPERATIONS[name]
    bodies = [operation.get("requestBody", {})]
    bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    contents = [content for body in bodies for content in body.get("content", {}).values()]
    assert all("examples" in content for content in contents)


def try_it(case: Case, token: str) -> None:
    response = case.call(headers={"Authorization": f"Bearer {token}"})
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]


@schema.parametrize()
@BOUNDED
def test_nothing_that_a_phone_sends_makes_the_server_fail(case: Case, a_phones_token: str) -> None:
    try_it(case, a_phones_token)


@schema.parametrize()
@BOUNDED
def test_nothing_that_a_clinician_sends_makes_the_server_fail(case: Case, a_clinicians_token: str) -> None:
    try_it(case, a_clinicians_token)
