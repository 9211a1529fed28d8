"""What is new since a colleague last looked, and the audit as a person reads it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.dashboard.news import READ, last_look, news
from backend.dashboard.notes import write
from backend.dashboard.trail import traces
from backend.people import audit
from backend.people.models import Audit, Patient, User
from tests.backend.dashboard import builders
from tests.backend.dashboard.builders import NOW, TODAY
from tests.exercises.programmes import a_programme, session, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def colleague(patient: Patient) -> User:
    return builders.colleague(patient.clinic, patient.care_team)


def words(patient: Patient, user: User) -> list[str]:
    return [each.words for each in news(patient, user, NOW)]


def test_what_came_in_is_counted_by_kind_the_gravest_first(patient: Patient, colleague: User) -> None:
    later = NOW + timedelta(hours=2)
    builders.response(patient, "phq-9", {}, NOW - timedelta(days=1))
    builders.response(patient, "phq-9", {}, NOW - timedelta(days=2), received_at=later)
    for _ in range(2):
        builders.response(patient, "daily-diary", {}, later)
    builders.alert(patient, "SUI-1", opened_at=later)
    done = a_programme(patient)
    store(
        patient,
        session(done),
        session(done, skipped="pain", exercises=[], minutes=None, started_at="2026-11-03T08:00:00+01:00"),
    )
    assert words(patient, colleague) == [
        "Item 9 answered above zero",
        "2 × Daily diary",
        "1 × Patient Health Questionnaire, 9 items (PHQ-9)",
        "1 session",
        "1 session not done",
        "programme changed",
    ]


def test_what_i_wrote_myself_is_no_news_to_me(patient: Patient, colleague: User) -> None:
    other = builders.colleague(patient.clinic, patient.care_team)
    write(patient, TODAY, "seen", by=colleague, now=NOW + timedelta(hours=1))
    assert words(patient, colleague) == []
    assert words(patient, other) == [f"note by {colleague.name}"]


def test_going_back_and_forth_is_one_look(patient: Patient, colleague: User) -> None:
    now = timezone.now()
    other = builders.colleague(patient.clinic, patient.care_team)
    assert last_look(patient, colleague, now) is None
    audit.record(READ, [patient.pk], colleague.pk)
    audit.record(READ, [patient.pk], other.pk)
    assert last_look(patient, colleague, now + timedelta(minutes=30)) is None
    assert last_look(patient, colleague, now + timedelta(hours=3)) is not None


def test_the_page_says_it_first(client: Client, patient: Patient, colleague: User) -> None:
    builders.sign_in(client, colleague)
    address = f"/patients/{patient.pk}/"
    assert "You have not opened this record before." in client.get(address, secure=True).content.decode()


def test_all_kinds_cost_one_statement(patient: Patient, colleague: User) -> None:
    builders.response(patient, "phq-9", {})
    with CaptureQueriesContext(connection) as captured:
        news(patient, colleague, NOW - timedelta(days=1))
    assert len(captured) == 1


def test_the_same_again_and_again_is_one_line(patient: Patient, colleague: User) -> None:
    def row(action: str, minutes: int) -> Audit:
        return Audit(user=colleague, action=action, count=1, at=NOW - timedelta(minutes=minutes))

    found = traces([row("read series", n) for n in (0, 10, 30, 90)] + [row("read record", 91), row("read series", 92)])
    assert [(line.action, line.times) for line in found] == [
        ("read series", 3),
        ("read series", 1),
        ("read record", 1),
        ("read series", 1),
    ]
