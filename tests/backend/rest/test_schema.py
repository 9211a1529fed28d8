"""The OpenAPI document is whole, honest and served by ourselves."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from jsonschema import Draft202012Validator

from backend.rest import openapi
from tests.access.routes import routes

pytestmark = pytest.mark.django_db


def document() -> Any:
    return Client().get("/api/v1/schema", headers={"accept": "application/vnd.oai.openapi+json"}).json()


def operations() -> Iterator[tuple[str, str, Any]]:
    for address, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield address, method, operation


def test_it_is_made_without_a_warning() -> None:
    GENERATOR_STATS.reset()
    document()
    assert not GENERATOR_STATS


def test_it_is_openapi_3_1() -> None:
    assert document()["openapi"].startswith("3.1")


def test_each_endpoint_of_the_api_is_in_it() -> None:
    bare = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.address), method.lower())
        for route in routes()
        if route.address.startswith("/api/v1/") and route.address != "/api/v1/schema"
        for method in route.methods or ()
    }
    assert bare == {(address, method) for address, method, _ in operations()}


def test_each_endpoint_shows_an_example_of_what_it_takes_and_gives() -> None:
    def lacking(content: Any) -> bool:
        return any(not kind.get("examples") for media, kind in content.items() if media == "application/json")

    bare = []
    for address, method, operation in operations():
        if lacking(operation.get("requestBody", {}).get("content", {})):
            bare.append(f"{method} {address}: request")
        for status, answer in operation["responses"].items():
            if status.startswith("2") and lacking(answer.get("content", {})):
                bare.append(f"{method} {address}: {status}")
    assert not bare


def test_each_example_is_as_its_schema_says() -> None:
    whole = document()
    wrong = []
    for address, method, operation in operations():
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            kind = part.get("content", {}).get("application/json", {})
            checked = Draft202012Validator({"components": whole["components"], **kind.get("schema", {})})
            for name, example in kind.get("examples", {}).items():
                found = checked.iter_errors(example["value"])
                wrong += [f"{method} {address} {name}: {error.message}" for error in found]
    assert not wrong


def test_two_structs_of_one_name_would_each_be_described_as_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "_components", {})
    openapi.schema_of(msgspec.defstruct("Twin", [("one", int)]))
    with pytest.raises(ValueError, match="two structs of the API are called Twin"):
        openapi.schema_of(msgspec.defstruct("Twin", [("other", str)]))


def test_each_reference_leads_somewhere() -> None:
    whole = document()
    names = re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(whole))
    assert set(names) <= set(whole["components"]["schemas"])


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_the_pages_load_nothing_from_elsewhere_and_no_inline_script() -> None:
    page = Client().get("/api/docs/").content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    assert all(address.startswith("/") for address in loaded)
    for address in loaded:
        with closing(Client().get(address)) as response:
            assert response.status_code == 200
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page)
