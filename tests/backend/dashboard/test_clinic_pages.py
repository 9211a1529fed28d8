"""The list of the clinic's pages: whoever may open one finds it there, and whoever may not doesn't."""

import pytest
from django.test import Client
from django.urls import reverse

from backend.dashboard.clinic_pages import PAGES
from backend.people.models import Clinic, Role
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(languages=["en"])


def addresses(clinic: Clinic) -> list[str]:
    return [reverse(page.address, args=[clinic.pk]) for page in PAGES]


def test_an_admin_finds_and_opens_every_page(client: Client, clinic: Clinic) -> None:
    builders.sign_in(client, builders.colleague(clinic, role=Role.ADMIN))
    for where in [reverse("dashboard:clinic", args=[clinic.pk]), *addresses(clinic)]:
        text = client.get(where, secure=True).content.decode()
        assert all(f'href="{address}"' in text for address in addresses(clinic))


def test_a_clinician_finds_what_they_may_open(client: Client, clinic: Clinic) -> None:
    builders.sign_in(client, builders.colleague(clinic, builders.team(clinic)))
    hub = client.get(reverse("dashboard:clinic", args=[clinic.pk]), secure=True).content.decode()
    for page, address in zip(PAGES, addresses(clinic), strict=True):
        assert (f'href="{address}"' in hub) is not page.admins_only
        # What only an admin may open is refused to everybody else.
        assert client.get(address, secure=True).status_code == (403 if page.admins_only else 200)


def test_the_page_that_one_is_on_is_marked(client: Client, clinic: Clinic) -> None:
    builders.sign_in(client, builders.colleague(clinic, role=Role.ADMIN))
    for address in addresses(clinic):
        assert f'href="{address}" aria-current="page"' in client.get(address, secure=True).content.decode()
