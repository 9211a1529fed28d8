from __future__ import annotations

import gc
import json

import pytest

from backend.rest.views import ReleasingView
from tests.factories import a_patient
from tests.signin import a_consent, phone

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "address", "body", "status"),
    [
        ("POST", "/api/v1/sync", {"cursor": None, "push": []}, 200),
        ("POST", "/api/v1/sync", {"cursor": 5}, 400),
        ("GET", "/api/v1/responses/?limit=365", None, 200),
        ("GET", "/api/v1/responses/?limit=0", None, 400),
    ],
)
def test_nothing_waits_for_the_garbage_collector_once_it_is_answered(
    method: str, address: str, body: object, status: int
) -> None:
    patient = a_patient()
    a_consent(patient)
    client = phone(patient)
    gc.collect()
    gc.disable()
    try:
        before = views()
        response = client.generic(method, address, json.dumps(body), "application/json")
        held = [each for each in views() if each not in before]
    finally:
        gc.enable()
    assert response.status_code == status
    assert held == []


def views() -> list[object]:
    """Those that are there. By type, as it is: others pretend to be of a type, and some refuse to say."""
    return [each for each in gc.get_objects() if issubclass(type(each), ReleasingView)]
