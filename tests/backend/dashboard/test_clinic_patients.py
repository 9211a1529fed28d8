"""Entering, changing, discharging and erasing patients."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.people.enrolment import find, invite
from backend.people.models import Audit, CareTeam, Invitation, Patient, Role, User
from backend.rest.problems import Problem
from tests.backend.dashboard import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> CareTeam:
    return builders.team(builders.clinic(languages=["en", "de"]))


@pytest.fixture
def colleague(team: CareTeam, client: Client) -> User:
    user = builders.colleague(team.clinic, team)
    builders.sign_in(client, user)
    return user


@pytest.fixture
def admin(team: CareTeam, client: Client) -> User:
    user = builders.colleague(team.clinic, role=Role.ADMIN)
    builders.sign_in(client, user)
    return user


def sent(team: CareTeam, **fields: str) -> dict[str, str]:
    whole = {"identifier": "A-17", "name": "", "date_of_birth": "1980-05-17", "language": "de"}
    return whole | {"care_team": str(team.pk)} | fields


def post(client: Client, address: str, data: dict[str, str]) -> str:
    return str(client.post(address, data, secure=True, follow=True).content.decode())


def new(team: CareTeam) -> str:
    return f"/clinics/{team.clinic_id}/clinic/patients/new"


def test_a_new_patient_is_entered_and_the_next_thing_is_their_code(
    client: Client, team: CareTeam, colleague: User
) -> None:
    text = post(client, new(team), sent(team))
    patient = Patient.objects.get(identifier="A-17")
    assert (patient.status, patient.language, patient.time_zone) == ("invited", "de", "Europe/Zurich")
    assert "Make a code" in text
    assert Audit.objects.filter(patient=patient, user=colleague, action="write profile").exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"identifier": ""}, "This field is required."),
        ({"identifier": "P-taken"}, "Another patient of the clinic has this identifier."),
        ({"date_of_birth": "2015-01-01"}, "This is for people of 18 years and over."),
        ({"date_of_birth": "1080-01-01"}, "Nobody alive was born then."),
        ({"language": "fr"}, "Select a valid choice."),
        ({"care_team": "0"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_stands_next_to_its_field_and_nothing_typed_is_lost(
    client: Client, team: CareTeam, colleague: User, wrong: dict[str, str], told: str
) -> None:
    builders.patient(team, identifier="P-taken")
    text = post(client, new(team), sent(team, name="Example Person") | wrong)
    assert told in text
    assert f'id="id_{next(iter(wrong))}_error"' in text
    assert 'value="Example Person"' in text
    assert Patient.objects.count() == 1


def test_a_clinician_places_nobody_in_a_team_that_is_not_theirs(
    client: Client, team: CareTeam, colleague: User
) -> None:
    others = [builders.team(team.clinic), builders.team(builders.clinic())]
    for other in others:
        assert "Select a valid choice." in post(client, new(team), sent(other))
    assert not Patient.objects.exists()


def test_whoever_waits_for_a_code_is_listed_with_it(client: Client, team: CareTeam, colleague: User) -> None:
    one = builders.patient(team, "Example Waiting", status="invited")
    builders.patient(builders.team(team.clinic), "Example Elsewhere", status="invited")
    address = f"/clinics/{team.clinic_id}/clinic/patients/"
    assert "none so far" in client.get(address, secure=True).content.decode()
    invite(one, Invitation.Purpose.ENROL, colleague.pk, timezone.now())
    text = client.get(address, secure=True).content.decode()
    assert "holds until" in text
    assert "Example Elsewhere" not in text


def test_the_number_of_statements_does_not_grow_with_the_patients(
    client: Client, team: CareTeam, colleague: User
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/clinics/{team.clinic_id}/clinic/patients/", secure=True)
        return len(captured)

    builders.patient(team, status="invited")
    statements()  # the first visit notes in the session when somebody was last here
    few = statements()
    for _ in range(10):
        builders.patient(team, status="invited")
    assert statements() == few


def test_details_are_changed(client: Client, team: CareTeam, colleague: User) -> None:
    patient = builders.patient(team)
    assert "Kept." in post(client, f"/patients/{patient.pk}/manage/", sent(team, name="Example Renamed"))
    patient.refresh_from_db()
    assert (patient.name, patient.identifier, patient.date_of_birth) == ("Example Renamed", "A-17", date(1980, 5, 17))


def test_a_refused_change_leaves_the_heading_as_it_stands(client: Client, team: CareTeam, colleague: User) -> None:
    builders.patient(team, identifier="P-taken")
    patient = builders.patient(team, "Example Person")
    text = post(client, f"/patients/{patient.pk}/manage/", sent(team, identifier="P-taken", name="Example Renamed"))
    assert "<h1>Example Person</h1>" in text
    assert "Another patient of the clinic has this identifier." in text


def test_discharge_ends_codes_and_says_what_is_still_open(client: Client, team: CareTeam, colleague: User) -> None:
    patient = builders.patient(team, status="invited")
    builders.alert(patient)
    code, _ = invite(patient, Invitation.Purpose.ENROL, colleague.pk, timezone.now())
    assert "1 alert is not resolved" in client.get(f"/patients/{patient.pk}/manage/", secure=True).content.decode()
    post(client, f"/patients/{patient.pk}/manage/status", {"do": "discharge"})
    patient.refresh_from_db()
    assert patient.status == "discharged"
    post(client, f"/patients/{patient.pk}/manage/status", {"do": "discharge"})  # a second click
    patient.refresh_from_db()
    assert patient.status == "discharged"
    with pytest.raises(Problem, match="expired"):
        find(code, None, timezone.now() + timedelta(seconds=1))
    post(client, f"/patients/{patient.pk}/manage/status", {"do": "take-back"})
    patient.refresh_from_db()
    assert patient.status == "invited"  # never enrolled, so not active


def test_that_records_are_not_merged_is_said_with_what_to_do_instead(
    client: Client, team: CareTeam, colleague: User
) -> None:
    patient = builders.patient(team)
    text = client.get(f"/patients/{patient.pk}/manage/", secure=True).content.decode()
    assert "Records can&#x27;t be merged." in text or "Records can't be merged." in text
    assert "Discharge the other one." in text
    assert "Erase this record" not in text  # an admin's


def test_erasing_wants_the_identifier_and_an_admin(client: Client, team: CareTeam, admin: User) -> None:
    patient = builders.patient(team, "Example Person", identifier="A-17")
    address = f"/patients/{patient.pk}/manage/erase"
    assert "Nothing was erased." in post(client, address, {"identifier": "A-18"})
    patient.refresh_from_db()
    assert patient.name == "Example Person"
    assert "The record was erased." in post(client, address, {"identifier": "A-17"})
    patient.refresh_from_db()
    assert patient.name == ""
