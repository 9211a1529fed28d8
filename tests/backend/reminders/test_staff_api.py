"""Schedules, slots, settings and absences, as a clinician's program asks for them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backend.people.models import Audit, CareTeam, Patient
from backend.reminders.dispatching import dispatch
from backend.reminders.models import Absence, Address, Schedule, Slot
from backend.reminders.sending import claim
from backend.reminders.ticking import tick
from tests.backend.reminders.given import EVENING, a_diarist, a_patient, an_absence, at
from tests.exercises.programmes import a_programme
from tests.factories import a_clinician, a_team, a_user
from tests.signin import a_device, browser, phone

pytestmark = pytest.mark.django_db

ALL_DAY = {"windows": [{"opens": "00:00:00", "closes": "23:59:00"}]}


@pytest.fixture
def team() -> CareTeam:
    return a_team()


@pytest.fixture
def patient(team: CareTeam) -> Patient:
    enrolled_at = (timezone.now() - timedelta(days=20)).isoformat()
    return a_patient(enrolled_at=enrolled_at, clinic=team.clinic, care_team=team, user=a_user())


@pytest.fixture
def staff(team: CareTeam) -> Client:
    return browser(a_clinician(team))


def send(client: Client, method: str, path: str, body: object = None) -> Any:
    return client.generic(method, f"/api/v1/{path}", json.dumps(body), content_type="application/json")


def error(answer: Any) -> tuple[int, str, str]:
    (first, *_) = json.loads(answer.content)["errors"]
    return answer.status_code, first["field"], first["code"]


class TestSchedules:
    def test_one_is_made_changed_and_ended(self, staff: Client, patient: Patient) -> None:
        path = f"patients/{patient.pk}/schedules"
        made = send(staff, "POST", path, {"code": "daily-diary", "rule": ALL_DAY})
        assert made.status_code == 201
        schedule = json.loads(made.content)
        assert (schedule["title"], schedule["version"], schedule["active"]) == ("Daily diary", 1, True)
        assert Schedule.objects.get().created_by is not None
        assert Slot.objects.filter(state="upcoming").exists()
        rule = {"windows": [{"opens": "06:00:00", "closes": "07:00:00"}]}
        changed = send(staff, "POST", f"{path}/{schedule['id']}/change", {"rule": rule})
        assert json.loads(changed.content)["version"] == 2
        for _ in range(2):
            ended = send(staff, "POST", f"{path}/{schedule['id']}/end")
            assert json.loads(ended.content)["active"] is False
        assert error(send(staff, "POST", f"{path}/{schedule['id']}/change", {"rule": rule})) == (422, "id", "ended")
        assert not Slot.objects.filter(state__in=["upcoming", "open"]).exists()
        (listed,) = json.loads(staff.get(f"/api/v1/{path}").content)["results"]
        assert listed["id"] == schedule["id"]
        done = Audit.objects.filter(patient=patient, action__contains="schedule").values_list("action", flat=True)
        assert set(done) == {"wrote schedule", "changed schedule", "ended schedule", "read schedules"}

    @pytest.mark.parametrize(
        ("body", "refused"),
        [
            ({"code": "phq-9", "rule": ALL_DAY}, (422, "code", "no_rota")),
            ({"code": "tsk-11", "rule": ALL_DAY}, (422, "code", "no_text")),
            ({"code": "siras", "rule": ALL_DAY}, (422, "code", "not_for_patients")),
            ({"code": "phq-99", "rule": ALL_DAY}, (422, "code", "unknown_instrument")),
            ({"code": "phq-8", "rule": {"anchor": "prescription"}}, (422, "rule.anchor", "not_a_programme")),
            ({"code": "phq-8", "rule": ALL_DAY | {"anchor": "surgery"}}, (422, "anchor_on", "anchor_on")),
            ({"code": "phq-8", "rule": ALL_DAY, "anchor_on": "2026-03-01"}, (422, "anchor_on", "anchor_on")),
            (
                {"code": "phq-8", "rule": ALL_DAY | {"anchor": "date"}, "anchor_on": "9999-12-31"},
                (422, "anchor_on", "anchor_on"),
            ),
            ({"code": "phq-8", "rule": {"windows": []}}, (400, "rule", "invalid")),
            ({"code": "phq-8"}, (400, "rule", "required")),
            (
                {"code": "phq-8", "rule": {"windows": [{"opens": "25:00:00", "closes": "1"}]}},
                (400, "rule.windows.0.opens", "invalid"),
            ),
        ],
    )
    def test_what_cannot_be_asked_is_refused_by_field(
        self, staff: Client, patient: Patient, body: object, refused: tuple[int, str, str]
    ) -> None:
        assert error(send(staff, "POST", f"patients/{patient.pk}/schedules", body)) == refused
        assert not Schedule.objects.exists()

    def test_where_nobody_is_on_call_phq_8_is_offered(self, staff: Client, patient: Patient) -> None:
        answer = send(staff, "POST", f"patients/{patient.pk}/schedules", {"code": "phq-9", "rule": ALL_DAY})
        body = json.loads(answer.content)
        assert body["instead"] == "phq-8"
        assert "has not named: its opening hours, anybody on call, who is told" in body["detail"]

    def test_a_clinic_without_a_common_language_is_not_given_an_english_text(
        self, staff: Client, patient: Patient
    ) -> None:
        patient.clinic.languages = ["de"]
        patient.clinic.save()
        Patient.objects.update(language="de")
        body = {"code": "phq-8", "rule": ALL_DAY}
        answer = send(staff, "POST", f"patients/{patient.pk}/schedules", body)
        assert error(answer) == (422, "code", "no_text")
        assert b"none in de" in answer.content

    def test_what_is_asked_already_is_changed_not_made_again(self, staff: Client, patient: Patient) -> None:
        body = {"code": "phq-8", "rule": ALL_DAY}
        send(staff, "POST", f"patients/{patient.pk}/schedules", body)
        answer = send(staff, "POST", f"patients/{patient.pk}/schedules", body)
        assert error(answer) == (422, "code", "already_asked")

    def test_a_plan_asks_what_it_can_and_says_what_it_cannot(self, staff: Client, patient: Patient) -> None:
        path = f"patients/{patient.pk}/schedules/plan"
        applied = json.loads(send(staff, "POST", path, {"plan": "default"}).content)
        assert [each["code"] for each in applied["schedules"]] == ["daily-diary", "red-flag-screen", "phq-8"]
        assert [(each["why_not"], each["instead"]) for each in applied["left_out"]] == [
            ("no_rota", "phq-8"),
            ("no_text", None),
        ]
        assert error(send(staff, "POST", path, {"plan": "ichom-surgery"})) == (422, "anchor_on", "anchor_on")
        assert error(send(staff, "POST", path, {"plan": "moon"})) == (422, "plan", "unknown_plan")

    def test_offers_say_what_can_be_asked_and_why_the_rest_cannot(
        self, staff: Client, patient: Patient, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        staff.get(f"/api/v1/patients/{patient.pk}/schedules/offers")
        with django_assert_num_queries(7):  # three to know who asks and one for the patient
            offers = json.loads(staff.get(f"/api/v1/patients/{patient.pk}/schedules/offers").content)
        singly = {each["code"]: each["why_not"] for each in offers["instruments"]}
        assert (singly["phq-8"], singly["phq-9"], singly["tsk-11"]) == (None, "no_rota", "no_text")
        assert "siras" not in singly
        plans = {each["name"]: each for each in offers["plans"]}
        assert plans["ichom-surgery"]["needs_date"]
        assert not plans["default"]["needs_date"]
        assert {each["code"]: each["instead"] for each in plans["default"]["asks"]}["phq-9"] == "phq-8"

    def test_a_programme_is_listed_by_its_title(self, staff: Client, patient: Patient) -> None:
        a_programme(patient, now=timezone.now())
        (listed,) = json.loads(staff.get(f"/api/v1/patients/{patient.pk}/schedules").content)["results"]
        assert (listed["asks"], listed["title"]) == ("session", "Test programme")

    def test_anothers_schedule_is_not_found(self, staff: Client, patient: Patient) -> None:
        theirs = Schedule.objects.get(patient=a_diarist(timezone.now()))
        assert send(staff, "POST", f"patients/{patient.pk}/schedules/{theirs.pk}/end").status_code == 404


@pytest.mark.parametrize(
    ("path", "statements"),  # each with three to know who asks and, of patients, the patient and the audit row
    [("schedules", 7), ("reminder-settings", 9), ("absences", 6)],
)
def test_one_or_many_take_the_same_statements(
    staff: Client, patient: Patient, path: str, statements: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = f"/api/v1/patients/{patient.pk}/{path}"
    staff.get(address)
    for _ in range(2):
        a_programme(patient, now=timezone.now())
        an_absence(patient)
        with django_assert_num_queries(statements):
            assert staff.get(address).status_code == 200


class TestSlots:
    def test_each_says_how_it_stands_and_what_was_said_of_it(
        self, staff: Client, patient: Patient, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        diarist = a_diarist(at("2026-03-02T12:00:00+01:00"), clinic=patient.clinic, care_team=patient.care_team)
        dispatch(at("2026-03-02T18:00:00+01:00"), 100)
        dispatch(at("2026-03-02T19:00:00+01:00"), 100)
        path = f"/api/v1/patients/{diarist.pk}/slots?from=2026-03-01&to=2026-03-03"
        first, second = json.loads(staff.get(path).content)["results"]
        assert (first["local_date"], first["state"], second["state"]) == ("2026-03-02", "open", "upcoming")
        (said,) = first["said"]
        assert (said["state"], said["channel"], said["nudge"], said["why_not"]) == ("sent", "console", 0, "")
        with django_assert_num_queries(7):  # three to know who asks, the patient, the audit row
            staff.get(path)

    def test_why_something_was_not_said_is_told(self, staff: Client, patient: Patient) -> None:
        diarist = a_diarist(at("2026-03-02T12:00:00+01:00"), clinic=patient.clinic, care_team=patient.care_team)
        tick(at("2026-03-02T18:00:00+01:00"), 100)
        tick(at("2026-03-02T19:00:00+01:00"), 100)
        claim(at("2026-03-02T22:00:00+01:00"), 100, uuid4())
        path = f"/api/v1/patients/{diarist.pk}/slots?from=2026-03-02&to=2026-03-02"
        ((said,),) = (each["said"] for each in json.loads(staff.get(path).content)["results"])
        assert (said["state"], said["why_not"]) == ("skipped", "too late to say")

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("from=x", "from"),
            ("to=2026-13-01", "to"),
            ("from=2026-03-02&to=2026-03-01", "to"),
            ("from=2020-01-01", "to"),
        ],
    )
    def test_days_that_cannot_be_are_named(self, staff: Client, patient: Patient, query: str, field: str) -> None:
        answer = staff.get(f"/api/v1/patients/{patient.pk}/slots?{query}")
        assert error(answer)[:2] == (400, field)


class TestWishes:
    def test_staff_and_patient_see_and_change_the_same_settings(self, staff: Client, patient: Patient) -> None:
        path = f"patients/{patient.pk}/reminder-settings"
        assert json.loads(staff.get(f"/api/v1/{path}").content)["weekly_cap"] == 21
        send(staff, "PATCH", path, {"weekly_cap": 5, "quiet_to": "09:30:00"})
        mine = phone(patient)
        seen = json.loads(mine.get("/api/v1/reminder-settings").content)
        assert (seen["weekly_cap"], seen["quiet_to"], seen["channel"]) == (5, "09:30:00", "auto")
        changed = send(mine, "PATCH", "reminder-settings", {"channel": "none"})
        assert json.loads(changed.content)["channel"] == "none"
        seen = json.loads(staff.get(f"/api/v1/{path}").content)
        assert (seen["weekly_cap"], seen["channel"]) == (5, "none")

    def test_a_dead_address_says_so(self, staff: Client, patient: Patient) -> None:
        device, _ = a_device(patient)
        now = timezone.now()
        Address.objects.create(
            device=device,
            clinic=patient.clinic,
            patient=patient,
            channel="fcm",
            target="generated",
            updated_at=now,
            disabled_at=now,
            disabled_why="FCM answers 404 UNREGISTERED",
        )
        (way,) = json.loads(staff.get(f"/api/v1/patients/{patient.pk}/reminder-settings").content)["ways"]
        assert way["disabled_why"] == "FCM answers 404 UNREGISTERED"
        assert "target" not in way

    @pytest.mark.parametrize(
        ("body", "field"),
        [({"weekly_cap": 101}, "weekly_cap"), ({"channel": "pigeon"}, "channel"), ({"quiet_to": "9"}, "quiet_to")],
    )
    def test_settings_that_cannot_be_are_named(
        self, staff: Client, patient: Patient, body: dict[str, Any], field: str
    ) -> None:
        answer = send(staff, "PATCH", f"patients/{patient.pk}/reminder-settings", body)
        assert error(answer)[:2] == (400, field)

    def test_days_away_are_noted_and_taken_back(self, staff: Client, patient: Patient) -> None:
        send(staff, "POST", f"patients/{patient.pk}/schedules", {"code": "daily-diary", "rule": EVENING.to_json()})
        first = (timezone.now() + timedelta(days=2)).date()
        days = {"first_day": first.isoformat(), "last_day": (first + timedelta(days=3)).isoformat()}
        path = f"patients/{patient.pk}/absences"
        noted = json.loads(send(staff, "POST", path, days).content)
        assert Slot.objects.filter(state="paused").count() == 4
        assert Absence.objects.get().created_by is not None
        for _ in range(2):
            back = json.loads(send(staff, "POST", f"{path}/{noted['id']}/cancel").content)
            assert back["cancelled"] is True
        assert not Slot.objects.filter(state="paused").exists()
        (listed,) = json.loads(staff.get(f"/api/v1/{path}").content)["results"]
        assert listed == back

    @pytest.mark.parametrize(("last_day", "code"), [("2026-03-01", "out_of_range"), (date.max.isoformat(), "too_long")])
    def test_days_away_that_cannot_be_are_refused(
        self, staff: Client, patient: Patient, last_day: str, code: str
    ) -> None:
        days = {"first_day": "2026-03-02", "last_day": last_day}
        answer = send(staff, "POST", f"patients/{patient.pk}/absences", days)
        assert error(answer) == (422, "last_day", code)
