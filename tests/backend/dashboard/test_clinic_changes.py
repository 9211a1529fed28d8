"""Who changed what of the clinic: told to its admins, and changed by nobody."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from backend.people import changes
from backend.people.models import Clinic, ClinicChange, Membership, User
from tests.factories import a_clinic, a_clinician, a_team, an_admin
from tests.signin import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return a_clinic()


@pytest.fixture
def admin(clinic: Clinic) -> User:
    return an_admin(clinic)


@pytest.fixture
def client(admin: User) -> Client:
    return browser(admin)


def post(client: Client, clinic: Clinic, path: str, **data: Any) -> None:
    assert client.post(f"/clinics/{clinic.pk}/clinic/{path}", data).status_code == 302


def told(clinic: Clinic) -> list[tuple[str, str]]:
    return list(ClinicChange.objects.filter(clinic=clinic).order_by("pk").values_list("what", "detail"))


def test_each_change_of_staff_and_rota_leaves_a_row_that_says_who(client: Client, clinic: Clinic, admin: User) -> None:
    post(client, clinic, "staff/", email="new@example.org", name="New Colleague", role="clinician")
    member = Membership.objects.get(user__email="new@example.org")
    post(client, clinic, f"staff/{member.pk}/role", role="admin")
    post(client, clinic, f"staff/{member.pk}/remove")
    post(client, clinic, "rota/fallback", email="desk@example.org")
    post(client, clinic, "rota/holidays", day="2026-12-25", name="Christmas")
    post(client, clinic, "settings/", languages="en, de", time_zone="Europe/Zurich", keep_years="10")
    assert told(clinic) == [
        ("staff", "new@example.org added as clinician"),
        ("staff", "new@example.org: clinician → admin"),
        ("staff", "new@example.org removed, was admin"),
        ("rota", "told when nobody answers: desk@example.org"),
        ("hours", "holiday: 2026-12-25 Christmas"),
        ("settings", "en, de; Europe/Zurich; kept for 10 (years)"),
    ]
    assert {row.user for row in ClinicChange.objects.all()} == {admin}
    page = client.get(f"/clinics/{clinic.pk}/clinic/changes/").content.decode()
    assert page.index("Europe/Zurich") < page.index("new@example.org added as clinician")
    assert page.count(str(admin.email)) >= len(told(clinic))


def test_the_api_leaves_the_same_rows(client: Client, clinic: Clinic, admin: User) -> None:
    member = Membership.objects.get(user=admin)
    base = f"/api/v1/clinics/{clinic.pk}"
    chain = [{"member": member.pk, "hours": "always"}]
    hours = {
        "hours": [{"weekday": 0, "opens": "08:00", "closes": "17:00"}],
        "holidays": [],
        "fallback_email": "desk@example.org",
    }
    for address, sent in ((f"{base}/on-call", chain), (f"{base}/hours", hours)):
        assert client.put(address, sent, content_type="application/json").status_code == 200
    team = {"clinic": clinic.pk, "name": "Team North", "members": [member.pk]}
    assert client.post("/api/v1/care-teams", team, content_type="application/json").status_code == 201
    assert told(clinic) == [
        ("rota", f"{admin.email} (always)"),
        ("hours", "Mon 08:00–17:00"),
        ("hours", "holidays: none"),
        ("rota", "told when nobody answers: desk@example.org"),
        ("team", f"Team North: {admin.email}"),
    ]


def test_what_is_refused_leaves_none(client: Client, clinic: Clinic, admin: User) -> None:
    member = Membership.objects.get(user=admin)
    client.post(f"/clinics/{clinic.pk}/clinic/staff/{member.pk}/remove")  # the last admin
    client.post(f"/clinics/{clinic.pk}/clinic/settings/", {"languages": "no such"})
    assert told(clinic) == []


@pytest.mark.parametrize("statement", ["UPDATE people_clinicchange SET detail = ''", "DELETE FROM people_clinicchange"])
def test_nobody_changes_a_row(clinic: Clinic, statement: str) -> None:
    changes.record(clinic, None, ClinicChange.What.STAFF, "as it was")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_page_costs_the_same_however_many(clinic: Clinic, client: Client, django_assert_num_queries: Any) -> None:
    address = f"/clinics/{clinic.pk}/clinic/changes/"
    client.get(address)
    for _ in range(2):
        with django_assert_num_queries(5):  # session, user, memberships; the rows; alerts waiting
            client.get(address)
        for user in (an_admin(clinic), an_admin(clinic)):
            changes.record(clinic, user.pk, ClinicChange.What.TEAM, "x" * 900)


def test_another_clinics_changes_are_not_shown(clinic: Clinic, client: Client) -> None:
    changes.record(a_clinic(), None, ClinicChange.What.STAFF, "elsewhere")
    assert "elsewhere" not in client.get(f"/clinics/{clinic.pk}/clinic/changes/").content.decode()
    assert browser(a_clinician(a_team(clinic))).get(f"/clinics/{clinic.pk}/clinic/changes/").status_code == 403
