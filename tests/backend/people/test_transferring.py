"""A patient moves with their consent: the history goes along, and the old clinic reads what was recorded there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import time, timedelta

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from backend.dashboard.answers import entries
from backend.dashboard.worklist import visible
from backend.people import transferring
from backend.people.consent import withdraw
from backend.people.copying import copy_of
from backend.people.models import (
    CareTeam,
    Clinic,
    ClinicText,
    Membership,
    OnCall,
    OpeningHours,
    Patient,
    Transfer,
    User,
)
from backend.reminders.models import Schedule
from backend.reminders.scheduling import set_schedule
from backend.reminders.slots import Days, Rule, Weeks, Window
from backend.rest.problems import Problem
from exercises.advancing import advance
from exercises.intake import raise_painful_sessions
from exercises.models import Prescription
from exercises.prescribing import pause
from outcomes.models import Alert, Response, Summary
from tests.backend.dashboard import builders
from tests.exercises.programmes import BIRD_DOG, DOOR, NOW, a_programme, session, store
from tests.factories import a_clinic, a_clinician, a_patient, a_team, a_user, an_admin
from tests.signin import a_consent, browser, phone

pytestmark = pytest.mark.django_db

DIARY = Rule(windows=(Window(time(18), time(23)),), pattern=Days())
FORTNIGHT = Rule(windows=(Window(time(9), time(12), days=3),), pattern=Weeks(every=2))


@pytest.fixture
def patient() -> Patient:
    found = a_patient(identifier="OLD-1", name="Example Person")
    a_consent(found)
    return found


@pytest.fixture
def there() -> CareTeam:
    return a_team()


def agreed(patient: Patient, there: CareTeam) -> Transfer:
    now = timezone.now()
    transfer = transferring.propose(patient, there.clinic, a_user().pk, now)
    transferring.agree_on_paper(transfer, a_user().pk, now)
    return transfer


def move(patient: Patient, there: CareTeam, identifier: str = "NEW-1") -> Patient:
    transfer = agreed(patient, there)
    return transferring.accept(transfer, there, identifier, a_user().pk, timezone.now())


def staff_of(team: CareTeam) -> list[User]:
    return [a_clinician(team), an_admin(team.clinic)]


def test_the_other_clinic_sees_all_and_the_old_one_what_was_recorded_there(patient: Patient, there: CareTeam) -> None:
    here = patient.care_team
    before = builders.response(patient, "fear-daily", {"fear": 4})
    moved = move(patient, there)
    after = builders.response(moved, "fear-daily", {"fear": 2})

    for user in staff_of(there):
        assert Patient.objects.visible_to(user).get() == patient
        assert not Patient.objects.moved_on_from(there.clinic_id, user).exists()
    for user in staff_of(here):
        assert not Patient.objects.visible_to(user).exists()
        assert Patient.objects.moved_on_from(here.clinic_id, user).get() == patient
    for user in [a_clinician(a_team(here.clinic)), a_clinician(a_team()), a_user(is_staff=True)]:
        assert not Patient.objects.moved_on_from(here.clinic_id, user).exists()

    ids = [entry.response.id for entry in entries(moved, "en", None)[0]]
    assert set(ids) == {before.id, after.id}
    old_ids = [entry.response.id for entry in entries(moved, "en", None, recorded_at=here.clinic_id)[0]]
    assert old_ids == [before.id]
    copy = b"".join(copy_of(moved, timezone.now(), recorded_at=here.clinic))
    assert str(before.id).encode() in copy
    for kept in (str(after.id), "NEW-1"):
        assert kept.encode() not in copy
    assert Response.objects.get(id=before.id).clinic == here.clinic


def test_what_says_how_things_are_becomes_the_other_clinics(patient: Patient, there: CareTeam) -> None:
    builders.summary(patient)
    builders.refused(patient)
    client = phone(patient)
    move(patient, there)
    assert Summary.objects.get(patient=patient).clinic == there.clinic
    assert patient.devices.get().clinic == there.clinic
    assert client.get("/api/v1/me").json()["clinic"]["id"] == there.clinic_id


def test_open_alerts_go_along_and_none_is_in_anybodys_hands(patient: Patient, there: CareTeam) -> None:
    here = patient.clinic
    closed = builders.alert(patient, "RF-1", state="resolved")
    alert = builders.alert(patient, state="acknowledged", position=2, told=2)
    move(patient, there)
    alert.refresh_from_db()
    assert (alert.state, alert.clinic, alert.position, alert.told) == ("open", there.clinic, 0, 2)
    assert alert.tell_at is not None
    assert alert.events.latest("pk").note == f"came with the patient from {here.name}"
    assert list(visible(an_admin(there.clinic), there.clinic)) == [alert]
    assert not visible(an_admin(here), here).exists()
    closed.refresh_from_db()
    assert closed.clinic == here


def test_an_alert_that_was_on_its_way_is_raised_where_the_patient_is(patient: Patient, there: CareTeam) -> None:
    here = patient.clinic
    move(patient, there)
    late = builders.alert(Patient(pk=patient.pk, clinic=here))
    late.refresh_from_db()
    assert late.clinic == there.clinic
    assert Alert.objects.get() == late


def test_what_is_asked_goes_on_as_far_as_the_other_clinic_may_ask_it(patient: Patient, there: CareTeam) -> None:
    here, now = patient.clinic, timezone.now()
    member = Membership.objects.create(clinic=here, user=a_user(), role="clinician")
    OpeningHours.objects.create(clinic=here, weekday=0, opens=time(8), closes=time(17))
    OnCall.objects.create(clinic=here, membership=member, position=1, hours="always")
    here.fallback_email = "reception@clinic.example"
    here.save()
    set_schedule(patient, Schedule.Asks.INSTRUMENT, "daily-diary", DIARY, now)
    set_schedule(patient, Schedule.Asks.INSTRUMENT, "phq-9", FORTNIGHT, now)
    move(patient, there)
    going_on = Schedule.objects.filter(patient=patient, active=True)
    assert [(one.code, one.clinic) for one in going_on] == [("daily-diary", there.clinic)]


def test_nobody_moves_who_has_not_agreed(patient: Patient, there: CareTeam) -> None:
    transfer = transferring.propose(patient, there.clinic, a_user().pk, timezone.now())
    with pytest.raises(Problem, match="nobody has agreed"):
        transferring.accept(transfer, there, "NEW-1", a_user().pk, timezone.now())
    patient.refresh_from_db()
    assert patient.identifier == "OLD-1"


def test_a_transfer_is_one_at_a_time_and_accepted_once(patient: Patient, there: CareTeam) -> None:
    transfer = agreed(patient, there)
    with pytest.raises(Problem, match="under way already"):
        transferring.propose(patient, a_clinic(), a_user().pk, timezone.now())
    transferring.accept(transfer, there, "NEW-1", a_user().pk, timezone.now())
    with pytest.raises(Problem, match="accepted or called off"):
        transferring.accept(transfer, there, "NEW-2", a_user().pk, timezone.now())


def test_a_taken_identifier_and_a_foreign_team_change_nothing(patient: Patient, there: CareTeam) -> None:
    a_patient(there, identifier="NEW-1")
    transfer = agreed(patient, there)
    for team, identifier, field in [(there, "NEW-1", "identifier"), (a_team(), "NEW-2", "care_team")]:
        with pytest.raises(Problem) as refused:
            transferring.accept(transfer, team, identifier, a_user().pk, timezone.now())
        assert refused.value.field == field
    patient.refresh_from_db()
    assert (patient.identifier, patient.clinic) == ("OLD-1", patient.care_team.clinic)


def test_made_up_patients_stay_among_made_up_clinics(patient: Patient) -> None:
    simulated, real = a_clinic(simulated=True), a_clinic()
    assert real in transferring.destinations(patient.clinic)
    assert simulated not in transferring.destinations(patient.clinic)
    assert patient.clinic not in transferring.destinations(patient.clinic)


def test_a_patient_agrees_on_their_phone_to_the_other_clinics_words(patient: Patient, there: CareTeam) -> None:
    client = phone(patient)
    assert client.get("/api/v1/me/transfer").status_code == 404
    text = ClinicText.objects.create(clinic=there.clinic, kind="consent", language="en", version=1, body="Example.")
    transfer = transferring.propose(patient, there.clinic, a_user().pk, timezone.now())
    said = client.get("/api/v1/me/transfer").json()
    assert (said["clinic"]["name"], said["agreed_at"]) == (there.clinic.name, None)
    assert said["consent"] == [{"language": "en", "version": 1, "body": "Example."}]

    def agree(version: int) -> tuple[int, str]:
        body = {"consent": {"language": "en", "version": version}}
        answer = client.post("/api/v1/me/transfer", body, content_type="application/json")
        return answer.status_code, json.loads(answer.content).get("errors", [{}])[0].get("code", "")

    assert agree(7) == (400, "outdated")
    assert agree(1) == (200, "")
    assert agree(1) == (409, "not_open")
    transferring.accept(transfer, there, "NEW-1", a_user().pk, timezone.now())
    (standing,) = patient.consents.filter(withdrawn_at=None)
    assert (standing.text, standing.clinic) == (text, there.clinic)
    assert client.get("/api/v1/me").json()["consent"]["version"] == 1


def test_a_patient_declines(patient: Patient, there: CareTeam) -> None:
    transfer = agreed(patient, there)
    assert phone(patient).delete("/api/v1/me/transfer").status_code == 204
    with pytest.raises(Problem):
        transferring.accept(transfer, there, "NEW-1", a_user().pk, timezone.now())


def test_who_comes_back_is_read_whole_again(patient: Patient, there: CareTeam) -> None:
    home = patient.care_team
    moved = move(patient, there)
    move(moved, home, "OLD-2")
    (user, _) = staff_of(home)
    assert Patient.objects.visible_to(user).get() == patient
    assert not Patient.objects.moved_on_from(home.clinic_id, user).exists()


def test_whoever_withdraws_consent_on_the_way_is_not_made_to_consent_by_moving(
    patient: Patient, there: CareTeam
) -> None:
    ClinicText.objects.create(clinic=there.clinic, kind="consent", language="en", version=1, body="I agree.")
    now = timezone.now()
    transfer = transferring.propose(patient, there.clinic, a_user().pk, now)
    transferring.agree_by_phone(transfer, {"language": "en", "version": 1}, now)
    withdraw(patient, now)
    with pytest.raises(Problem, match="called off"):
        transferring.accept(transfer, there, "NEW-1", a_user().pk, now)
    assert not patient.consents.filter(withdrawn_at=None).exists()


def test_what_the_other_clinic_writes_of_a_programme_is_not_read_by_the_old_one(
    patient: Patient, there: CareTeam
) -> None:
    here, now = patient.clinic, timezone.now()
    programme = a_programme(patient, BIRD_DOG, now=now - timedelta(days=14))
    moved = move(patient, there)
    programme = Prescription.objects.get(pk=programme.pk)
    rest = pause(programme, by=None, now=now, reason="illness", from_day=now.date() + timedelta(days=9))
    builders.scores(moved, "daily-diary.flare", [1], last=now.date())
    (proposal,) = advance(moved.pk, now)
    assert (rest.clinic_id, proposal.clinic_id) == (there.clinic_id, there.clinic_id)
    copy = b"".join(copy_of(moved, now, recorded_at=here)).decode()
    assert str(rest.pk) not in copy
    assert str(proposal.pk) not in copy


def test_what_a_session_left_behind_is_raised_where_the_patient_is(patient: Patient, there: CareTeam) -> None:
    programme = a_programme(patient, now=NOW - timedelta(days=14))
    for hour in ("08", "10"):
        store(patient, session(programme, started_at=f"2026-11-04T{hour}:00:00+01:00", pain_during=8))
    move(patient, there)
    raise_painful_sessions([patient.pk], DOOR)
    assert Alert.objects.get(rule="EX-1").clinic == there.clinic


CHANGES = {
    "care team": lambda here, client, pk: client.patch(
        f"/api/v1/patients/{pk}", {"care_team": a_team(here).pk}, content_type="application/json"
    ),
    "identifier on the page": lambda here, client, pk: client.post(
        f"/patients/{pk}/manage/",
        {"identifier": "X-1", "language": "en", "care_team": a_team(here).pk},
        secure=True,
    ),
    "discharge": lambda here, client, pk: client.post(f"/patients/{pk}/manage/status", secure=True),
    "erasure": lambda here, client, pk: client.post(
        f"/api/v1/patients/{pk}/erasure", {"identifier": "OLD-1"}, content_type="application/json"
    ),
    "erasure on the page": lambda here, client, pk: client.post(
        f"/patients/{pk}/manage/erase", {"identifier": "OLD-1"}, secure=True
    ),
    "invitation": lambda here, client, pk: client.post(f"/api/v1/patients/{pk}/invitation"),
    "step with an alert": lambda here, client, pk: client.post(
        f"/api/v1/alerts/{Alert.objects.get(patient=pk).pk}/events",
        {"kind": "acknowledged"},
        content_type="application/json",
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_by_the_old_clinic_that_waited_for_the_move_finds_nobody(
    change: Callable[[Clinic, Client, int], HttpResponse], there: CareTeam
) -> None:
    patient = a_patient(identifier="OLD-1", language="en")
    here, answered, found = patient.clinic, threading.Event(), []
    client = browser(an_admin(here))
    transfer = agreed(patient, there)
    alert = builders.alert(patient, "PAIN-1")

    def change_meanwhile() -> None:
        found.append(change(here, client, patient.pk).status_code)
        answered.set()
        connection.close()

    thread = threading.Thread(target=change_meanwhile)
    with transaction.atomic():
        transferring.accept(transfer, there, "NEW-1", a_user().pk, timezone.now())
        thread.start()
        assert not answered.wait(0.5)
    thread.join(30)
    assert found == [404]
    patient.refresh_from_db()
    assert (patient.clinic, patient.identifier, patient.status) == (there.clinic, "NEW-1", "active")
    assert not alert.events.filter(kind="acknowledged").exists()
