"""What a patient reads and changes of their own, and what staff do with patients and clinics."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from backend.people.models import Audit, CareTeam, ClinicText, Membership, OnCall, Patient
from tests.factories import a_clinician, a_patient, a_team, an_admin
from tests.signin import a_consent, a_device, browser, phone

pytestmark = pytest.mark.django_db


def error(response: Any) -> tuple[int, str | None, str]:
    first = response.json()["errors"][0]
    return response.status_code, first["field"], first["code"]


def send(client: Client, method: str, address: str, body: Any = None) -> Any:
    ask = getattr(client, method)
    return ask(f"/api/v1/{address}", {} if body is None else body, content_type="application/json")


def publish(patient: Patient, kind: str, version: int, body: str = "Words.", language: str = "en") -> None:
    ClinicText.objects.create(clinic=patient.clinic, kind=kind, language=language, version=version, body=body)


# The patient


def test_reading_myself_is_a_fixed_number_of_statements(django_assert_num_queries: Any) -> None:
    patient = a_patient()
    a_consent(patient)
    for version in range(1, 4):
        publish(patient, "crisis", version)
        publish(patient, "support", version)
    client = phone(patient)
    a_device(patient)
    with django_assert_num_queries(7):  # who asks, audit, patient, consent and its texts, card, phones
        said = client.get("/api/v1/me").json()
    assert [(text["kind"], text["version"]) for text in said["safety_card"]] == [("crisis", 3), ("support", 3)]
    assert len(said["devices"]) == 2


def test_the_card_comes_in_my_language_or_the_clinics_first() -> None:
    patient = a_patient(language="fr")
    patient.clinic.languages = ["de", "fr"]
    patient.clinic.save()
    publish(patient, "crisis", 1, "deutsch", "de")
    publish(patient, "crisis", 1, "français", "fr")
    publish(patient, "support", 1, "english", "en")
    publish(patient, "support", 1, "deutsch", "de")
    card = phone(patient).get("/api/v1/me").json()["safety_card"]
    assert [text["body"] for text in card] == ["français", "deutsch"]


def test_travelling_keeps_the_past() -> None:
    patient = a_patient(time_zone="Europe/Zurich")
    client = phone(patient)
    for zone in ("Asia/Tokyo", "Asia/Tokyo", "Europe/Zurich"):
        assert send(client, "patch", "me", {"time_zone": zone}).json()["time_zone"] == zone
    assert [row.time_zone for row in patient.zones.order_by("since")] == [
        "Europe/Zurich",
        "Asia/Tokyo",
        "Europe/Zurich",
    ]


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars"), ("language", "xx"), ("time_zone", 3)])
def test_what_is_nowhere_is_refused_and_nothing_changes(field: str, value: Any) -> None:
    patient = a_patient()
    assert error(send(phone(patient), "patch", "me", {"time_zone": "Asia/Tokyo", field: value})) == (
        400,
        field,
        "unknown",
    )
    patient.refresh_from_db()
    assert patient.time_zone == "Europe/Zurich"


def test_a_lost_phone_is_out_at_once_and_the_other_stays() -> None:
    patient = a_patient()
    lost, token = a_device(patient)
    client = phone(patient)
    assert client.delete(f"/api/v1/me/devices/{lost.pk}").status_code == 204
    assert Client(headers={"authorization": f"Bearer {token}"}).get("/api/v1/me").status_code == 401
    shown = {device["id"]: device["revoked_at"] for device in client.get("/api/v1/me").json()["devices"]}
    assert shown.pop(str(lost.pk))
    assert list(shown.values()) == [None]


def test_a_withdrawn_consent_is_gone_and_the_clinic_says_what_that_means() -> None:
    patient = a_patient()
    a_consent(patient)
    publish(patient, "withdrawal", 1, "What you told us stays in your record.")
    client = phone(patient)
    for _ in range(2):
        said = send(client, "post", "me/consent/withdraw").json()
        assert said["text"]["body"] == "What you told us stays in your record."
    assert client.get("/api/v1/me").json()["consent"] is None
    assert Audit.objects.filter(patient=patient, action="withdraw consent").count() == 1
    assert not Patient.objects.consenting().filter(pk=patient.pk).exists()


def test_a_newer_text_is_agreed_to_and_withdrawal_ends_both() -> None:
    patient = a_patient()
    a_consent(patient)
    publish(patient, "consent", 2)
    client = phone(patient)
    assert client.get("/api/v1/me").json()["consent"]["current"] == 2
    assert error(send(client, "post", "me/consent", {"language": "en", "version": 1})) == (
        400,
        "consent.version",
        "outdated",
    )
    for _ in range(2):
        said = send(client, "post", "me/consent", {"language": "en", "version": 2}).json()["consent"]
        assert (said["version"], said["current"]) == (2, 2)
    assert patient.consents.count() == 2
    send(client, "post", "me/consent/withdraw")
    assert not patient.consents.filter(withdrawn_at=None).exists()
    send(client, "post", "me/consent", {"language": "en", "version": 2})
    assert Patient.objects.consenting().filter(pk=patient.pk).exists()


# Staff and their patients


def new_patient(team: CareTeam, **fields: Any) -> dict[str, Any]:
    return {"care_team": team.pk, "identifier": "SB-7", "language": "en", "time_zone": "Europe/Zurich"} | fields


def test_a_clinician_enters_a_patient_into_their_team_and_invites_them() -> None:
    team = a_team()
    client = browser(a_clinician(team))
    made = send(client, "post", "patients", new_patient(team, name="Test Person 7"))
    assert (made.status_code, made.json()["status"], made.json()["clinic"]) == (201, "invited", team.clinic_id)
    code = send(client, "post", f"patients/{made.json()['id']}/invitation")
    assert (code.status_code, code.json()["purpose"], code["Cache-Control"]) == (201, "enrol", "no-store")
    assert Client().post("/api/v1/invitation", {"code": code.json()["code"]}, "application/json").status_code == 200


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"identifier": "taken"}, "identifier", "taken"),
        ({"language": "xx"}, "language", "unknown"),
        ({"date_of_birth": "2020-01-01"}, "date_of_birth", "not_an_adult"),
        ({"date_of_birth": "1890-01-01"}, "date_of_birth", "out_of_range"),
        ({"care_team": 2**40}, "care_team", "does_not_exist"),
        ({"care_team": "north"}, "care_team", "incorrect_type"),
        ({"time_zone": ""}, "time_zone", "blank"),
    ],
)
def test_what_is_wrong_with_a_new_patient_is_named(fields: Any, field: str, code: str) -> None:
    team = a_team()
    a_patient(team, identifier="taken")
    assert error(send(browser(a_clinician(team)), "post", "patients", new_patient(team, **fields))) == (
        400,
        field,
        code,
    )


def test_nobody_enters_patients_into_teams_that_are_not_theirs() -> None:
    mine, other, elsewhere = a_team(), a_team(), a_team()
    other = a_team(mine.clinic)
    for client in (browser(a_clinician(mine)), browser(an_admin(elsewhere.clinic))):
        assert error(send(client, "post", "patients", new_patient(other)))[1:] == ("care_team", "does_not_exist")
    assert send(browser(an_admin(mine.clinic)), "post", "patients", new_patient(other)).status_code == 201


def test_a_patient_is_not_moved_to_another_clinic_nor_made_active_unasked() -> None:
    here, elsewhere = a_team(), a_team()
    both = an_admin(here.clinic)
    Membership.objects.create(user=both, clinic=elsewhere.clinic, role="admin")
    patient = a_patient(here, user=None, status="invited")
    client = browser(both)
    assert error(send(client, "patch", f"patients/{patient.pk}", {"care_team": elsewhere.pk}))[2] == "elsewhere"
    assert error(send(client, "patch", f"patients/{patient.pk}", {"status": "active"}))[2] == "not_enrolled"
    other = a_team(here.clinic)
    assert send(client, "patch", f"patients/{patient.pk}", {"care_team": other.pk}).json()["care_team"] == other.pk


def test_the_list_is_of_those_one_may_see_and_told_to_the_audit(django_assert_num_queries: Any) -> None:
    team = a_team()
    mine = [a_patient(team) for _ in range(3)]
    a_patient(a_team(team.clinic))
    client = browser(a_clinician(team))
    with django_assert_num_queries(5):  # session, user, roles, patients, audit
        page = client.get("/api/v1/patients?limit=2").json()
    following = client.get(page["next"]).json()
    assert [row["id"] for row in page["results"] + following["results"]] == [patient.pk for patient in mine]
    assert Audit.objects.filter(action="list patients").count() == 3


def test_the_list_can_be_narrowed() -> None:
    team = a_team()
    first, second = a_patient(team), a_patient(team, status="discharged")
    client = browser(a_clinician(team))
    for asked, found in [
        (f"identifier={first.identifier}", [first.pk]),
        ("status=discharged", [second.pk]),
        (f"clinic={team.clinic_id}&care_team={team.pk}", [first.pk, second.pk]),
        (f"clinic={team.clinic_id + 1000}", []),
    ]:
        assert [row["id"] for row in client.get(f"/api/v1/patients?{asked}").json()["results"]] == found
    assert error(client.get("/api/v1/patients?clinic=x")) == (400, "clinic", "invalid")
    assert error(client.get("/api/v1/patients?identifier=%00")) == (400, None, "nul")


def test_a_lost_phone_is_replaced_in_one_step() -> None:
    team = a_team()
    patient = a_patient(team)
    lost = phone(patient)
    client = browser(a_clinician(team))
    assert send(client, "post", f"patients/{patient.pk}/relink", {"revoke": False}).status_code == 201
    assert lost.get("/api/v1/me").status_code == 200
    assert send(client, "post", f"patients/{patient.pk}/relink", {"revoke": True}).json()["purpose"] == "relink"
    assert lost.get("/api/v1/me").status_code == 401
    shown = client.get(f"/api/v1/patients/{patient.pk}/devices").json()["results"]
    assert all(device["revoked_at"] for device in shown)


def test_another_patients_phone_is_not_found() -> None:
    team = a_team()
    patient, other = a_patient(team), a_patient(team)
    device, _ = a_device(other)
    client = browser(a_clinician(team))
    assert client.delete(f"/api/v1/patients/{patient.pk}/devices/{device.pk}").status_code == 404
    assert client.delete(f"/api/v1/patients/{patient.pk}/devices/{uuid4()}").status_code == 404


# The clinic


def test_an_admin_makes_a_team_of_the_clinics_members() -> None:
    team = a_team()
    admin, colleague = an_admin(team.clinic), a_clinician(team)
    member, stranger = Membership.objects.get(user=colleague), Membership.objects.get(user=a_clinician(a_team()))
    client = browser(admin)
    made = send(client, "post", "care-teams", {"clinic": team.clinic_id, "name": "North", "members": [member.pk]})
    assert (made.status_code, made.json()["members"]) == (201, [member.pk])
    refused = send(client, "patch", f"care-teams/{team.pk}", {"members": [member.pk, stranger.pk]})
    assert error(refused) == (400, "members.1", "unknown")
    assert error(send(client, "patch", f"care-teams/{team.pk}", {"name": "North"})) == (400, "name", "taken")
    assert send(client, "patch", f"care-teams/{team.pk}", {"members": []}).json()["members"] == []


def test_a_new_text_is_the_next_version() -> None:
    team = a_team()
    client = browser(an_admin(team.clinic))
    for version in (1, 2):
        sent = {"kind": "crisis", "language": "en", "body": f"Call us, {version}."}
        said = send(client, "post", f"clinics/{team.clinic_id}/texts", sent)
        assert (said.status_code, said.json()["version"]) == (201, version)
    shown = client.get(f"/api/v1/clinics/{team.clinic_id}/texts").json()["results"]
    assert [text["body"] for text in shown] == ["Call us, 2."]
    sent = {"kind": "crisis", "language": "xx", "body": "x"}
    assert error(send(client, "post", f"clinics/{team.clinic_id}/texts", sent)) == (400, "language", "unknown")


def test_the_rota_is_replaced_as_a_whole() -> None:
    team = a_team()
    first, second = (Membership.objects.get(user=a_clinician(team)).pk for _ in range(2))
    stranger = Membership.objects.get(user=a_clinician(a_team())).pk
    client, address = browser(an_admin(team.clinic)), f"clinics/{team.clinic_id}/on-call"
    for chain in ([first, second], [second], [second, first]):
        sent = [{"member": member, "hours": "always"} for member in chain]
        assert [one["member"] for one in send(client, "put", address, sent).json()["results"]] == chain
    refused = send(client, "put", address, [{"member": stranger, "hours": "never"}])
    assert error(refused) == (400, "0.member", "unknown")
    assert OnCall.objects.filter(clinic=team.clinic).count() == 2
