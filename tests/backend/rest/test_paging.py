import base64
import json
from typing import Any

import pytest
from django.test import Client

from backend.people.models import Clinic

pytestmark = [pytest.mark.urls("tests.backend.rest.views"), pytest.mark.django_db]


def cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.fixture
def clinics() -> list[int]:
    """Ids in the order of the keyset: zone descending, then id."""
    zones = ["Europe/Zurich", "Asia/Tokyo", "Europe/Zurich", "America/Lima", "Asia/Tokyo"]
    made = Clinic.objects.bulk_create([Clinic(name=f"clinic {n}", time_zone=zone) for n, zone in enumerate(zones)])
    return [clinic.pk for zone in sorted(set(zones), reverse=True) for clinic in made if clinic.time_zone == zone]


def walk(address: str) -> list[int]:
    found: list[int] = []
    client, following = Client(), address
    while following:
        page = client.get(following).json()
        found += [row["id"] for row in page["results"]]
        following = page["next"]
    return found


@pytest.mark.parametrize("limit", range(1, 7))
def test_the_pages_together_are_the_whole_in_order(clinics: list[int], limit: int) -> None:
    assert walk(f"/api/paged?limit={limit}") == clinics


def test_a_row_that_goes_meanwhile_shifts_nothing(clinics: list[int]) -> None:
    first = Client().get("/api/paged?limit=2").json()
    Clinic.objects.filter(pk=clinics[0]).delete()
    assert walk(first["next"]) == clinics[2:]


def test_a_page_is_one_statement(clinics: list[int], django_assert_num_queries: Any) -> None:
    following = Client().get("/api/paged?limit=2").json()["next"]
    with django_assert_num_queries(1):
        Client().get(following)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "", "1e3", "٣", "9" * 5000])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    response = Client().get("/api/paged", {"limit": limit})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "limit")


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "é",
        "%%%",
        cursor(None),
        cursor({}),
        cursor(["Asia/Tokyo"]),
        cursor(["Asia/Tokyo", None]),
        cursor(["Asia/Tokyo", "y"]),
        cursor(["Asia/Tokyo", [1]]),
        cursor(["Asia/Tokyo", 1e400]),
        cursor(["a\0b", 1]),
        cursor(["\ud800", 1]),
        cursor([1, 2, 3]),
        "W" * 10_000,
    ],
)
def test_a_forged_cursor_is_refused(forged: str) -> None:
    response = Client().get("/api/paged", {"cursor": forged})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "cursor")


def test_a_cursor_past_what_an_id_can_be_finds_nothing() -> None:
    assert Client().get("/api/paged", {"cursor": cursor(["A", 10**30])}).json()["results"] == []
