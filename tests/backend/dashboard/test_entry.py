"""Who gets in, and what everybody else is told."""

from datetime import date

import pytest
from django.test import Client

from backend.people.models import Audit, Clinic, Patient, Role, User
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db

TABS = ("answers", "phone", "record")


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()), date_of_birth=date(1980, 2, 29))


def pages(patient: Patient) -> list[str]:
    clinic, one = f"/clinics/{patient.clinic_id}/", f"/patients/{patient.pk}/"
    return [clinic, clinic + "alerts/", clinic + "quarantine/", one, *(f"{one}{page}/" for page in TABS)]


def status(client: Client, path: str, user: User | None) -> int:
    if user is not None:
        builders.sign_in(client, user)
    return client.get(path, secure=True).status_code


def test_a_visitor_is_sent_to_sign_in(client: Client, patient: Patient) -> None:
    for path in ["/", *pages(patient)]:
        response = client.get(path, secure=True)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/?next=")


def test_a_colleague_who_has_shown_no_second_factor_is_sent_to_set_one_up(client: Client, patient: Patient) -> None:
    client.force_login(builders.colleague(patient.clinic, role=Role.ADMIN))
    for path in ["/", *pages(patient)]:
        assert client.get(path, secure=True)["Location"].startswith("/accounts/2fa/totp/activate/")


def test_a_patient_cannot_enter_not_even_their_own_record(client: Client, patient: Patient) -> None:
    patient.user = User.objects.create_user("patient@people.example")
    patient.save()
    assert {status(client, path, patient.user) for path in ["/", *pages(patient)]} == {403}


def test_an_operator_sees_no_patient_even_as_a_member_of_the_clinic(client: Client, patient: Patient) -> None:
    operator = builders.colleague(patient.clinic, role=Role.ADMIN, is_staff=True)
    assert {status(client, path, operator) for path in ["/", *pages(patient)]} == {403}


def test_another_clinic_is_not_found(client: Client, patient: Patient) -> None:
    stranger = builders.colleague(builders.clinic(), role=Role.ADMIN)
    assert {status(client, path, stranger) for path in pages(patient)} == {404}


def test_another_care_team_is_not_found(client: Client, patient: Patient) -> None:
    colleague = builders.colleague(patient.clinic, builders.team(patient.clinic))
    assert {path: status(client, path, colleague) for path in pages(patient)} == {
        path: 404 if "patients" in path else 200 for path in pages(patient)
    }


def test_their_own_clinicians_and_admins_get_in(client: Client, patient: Patient) -> None:
    clinician = builders.colleague(patient.clinic, patient.care_team)
    admin = builders.colleague(patient.clinic, role=Role.ADMIN)
    for user in (clinician, admin):
        assert {status(client, path, user) for path in pages(patient)} == {200}


def test_every_page_names_its_clinic_and_offers_the_others(client: Client, patient: Patient) -> None:
    user = builders.colleague(patient.clinic, patient.care_team)
    other: Clinic = builders.clinic("Another Example Clinic")
    other.membership_set.create(user=user, role=Role.CLINICIAN)
    builders.sign_in(client, user)
    for path in pages(patient):
        text = client.get(path, secure=True).content.decode()
        assert patient.clinic.name in text
        assert f'href="/clinics/{other.pk}/"' in text


def test_who_works_in_two_clinics_comes_back_to_where_they_were(client: Client, patient: Patient) -> None:
    user = builders.colleague(patient.clinic, patient.care_team)
    second: Clinic = builders.clinic("Zweite Example Clinic")
    second.membership_set.create(user=user, role=Role.ADMIN)
    builders.sign_in(client, user)
    assert client.get("/", secure=True)["Location"] == f"/clinics/{patient.clinic_id}/"
    client.get(f"/clinics/{second.pk}/alerts/", secure=True)
    assert client.get("/", secure=True)["Location"] == f"/clinics/{second.pk}/"
    own = client.get("/me/language/", secure=True).content.decode()
    assert second.name in own.partition("</title>")[0]
    client.get(f"/patients/{patient.pk}/", secure=True)
    assert client.get("/", secure=True)["Location"] == f"/clinics/{patient.clinic_id}/"


def test_what_is_an_admins_says_so_to_who_is_none_in_this_clinic(client: Client, patient: Patient) -> None:
    user = builders.colleague(patient.clinic, patient.care_team)
    second: Clinic = builders.clinic("Zweite Example Clinic")
    second.membership_set.create(user=user, role=Role.ADMIN)
    builders.sign_in(client, user)
    assert client.get(f"/clinics/{second.pk}/clinic/exports/", secure=True).status_code == 200
    refused = client.get(f"/clinics/{patient.clinic_id}/clinic/exports/", secure=True)
    text = refused.content.decode()
    assert refused.status_code == 403
    assert f"for the admins of {patient.clinic.name}" in text
    assert f'href="/clinics/{second.pk}/"' in text  # the way on is there, as on every page


def test_pages_are_not_kept_by_caches_and_allow_nothing_from_elsewhere(client: Client, patient: Patient) -> None:
    builders.sign_in(client, builders.colleague(patient.clinic, patient.care_team))
    for path in pages(patient):
        response = client.get(path, secure=True)
        assert "no-store" in response["Cache-Control"]
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        text = response.content.decode()
        assert "<style" not in text
        assert " style=" not in text
        assert "<script>" not in text


def test_a_search_never_stands_in_an_address(client: Client, patient: Patient) -> None:
    builders.sign_in(client, builders.colleague(patient.clinic, patient.care_team))
    found = client.post(f"/clinics/{patient.clinic_id}/", {"q": patient.name}, secure=True)
    assert patient.identifier in found.content.decode()
    ignored = client.get(f"/clinics/{patient.clinic_id}/", {"q": "nobody at all"}, secure=True)
    assert patient.identifier in ignored.content.decode()


def test_who_read_what_is_on_record(client: Client, patient: Patient) -> None:
    user = builders.colleague(patient.clinic, patient.care_team)
    builders.sign_in(client, user)
    for path in pages(patient):
        client.get(path, secure=True)
    noted = Audit.objects.filter(patient=patient, user=user).values_list("action", flat=True)
    expected = {"read panel", "read record", "read phones", "read audit", "read responses"}
    assert expected <= set(noted)


@pytest.mark.parametrize(
    ("method", "page", "sent"),
    [
        ("get", "/baseline/a%00b", {}),
        ("get", "/answers/", {"after": "a\0b"}),
        ("post", "/programme/new", {"item": "a\0b", "do": "add:x"}),
        ("post", "/programme/new", {"q": "a\0b"}),
    ],
)
def test_a_nul_is_a_bad_request(client: Client, patient: Patient, method: str, page: str, sent: dict[str, str]) -> None:
    builders.sign_in(client, builders.colleague(patient.clinic, patient.care_team))
    assert getattr(client, method)(f"/patients/{patient.pk}{page}", sent, secure=True).status_code == 400
