"""A screen that nobody sits at locks itself."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from backend.dashboard.idle import IDLE
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db

START = datetime(2026, 6, 15, 8, tzinfo=UTC)
BY_ITSELF = {"HX-Request": "true", "HX-Source": "div#panel"}


@pytest.fixture
def page(client: Client) -> str:
    clinic = builders.clinic()
    with time_machine.travel(START, tick=False):
        builders.sign_in(client, builders.colleague(clinic, builders.team(clinic)))
        assert client.get(f"/clinics/{clinic.pk}/", secure=True).status_code == 200
    return f"/clinics/{clinic.pk}/"


def test_after_a_while_without_anybody_one_signs_in_again(client: Client, page: str) -> None:
    with time_machine.travel(START + IDLE + timedelta(minutes=1), tick=False):
        locked = client.get(page, secure=True)
        assert locked["Location"].startswith("/accounts/login/?next=")
        assert client.get(page, secure=True)["Location"].startswith("/accounts/login/")


def test_who_goes_on_working_stays_in(client: Client, page: str) -> None:
    for n in range(1, 5):
        with time_machine.travel(START + n * (IDLE - timedelta(minutes=2)), tick=False):
            assert client.get(page, secure=True).status_code == 200


def test_a_page_that_refreshes_itself_is_nobody_and_leaves_as_a_whole(client: Client, page: str) -> None:
    for n in range(1, 20):
        with time_machine.travel(START + timedelta(minutes=n), tick=False):
            assert client.get(page, secure=True, headers=BY_ITSELF).status_code == 200
    with time_machine.travel(START + IDLE + timedelta(minutes=1), tick=False):
        locked = client.get(page, secure=True, headers=BY_ITSELF)
    assert locked["HX-Redirect"].startswith("/accounts/login/?next=")
    assert locked.content == b""
