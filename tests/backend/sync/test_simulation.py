"""The simulated clinic: plausible, the same for the same seed, and known for what it is everywhere."""

from datetime import UTC, date, datetime
from io import StringIO
from itertools import pairwise
from statistics import mean
from uuid import UUID

import msgspec
import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db.models import Count

from backend.people.models import Clinic, Origin, Patient, User
from backend.sync.models import Quarantine
from backend.sync.simulated_programmes import plan_of
from backend.sync.simulation import COURSES, Item, Person, Phone, people
from exercises.library import library
from exercises.models import (
    Condition,
    Pause,
    Preferences,
    Prescription,
    Proposal,
    Session,
    Treatment,
    TreatmentSession,
)
from outcomes.intake import ResponseItem
from outcomes.models import Alert, Response, Score

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROGRAMME = UUID(int=7)


def logged(person: Person, seed: int = 1) -> list[Item]:
    return list(Phone(person, NOW, seed).items(PROGRAMME, plan_of(person)))


def diaries(person: Person) -> list[ResponseItem]:
    return [item for item in logged(person) if isinstance(item, ResponseItem) and item.instrument == "daily-diary"]


def pain(person: Person) -> list[int]:
    return [item.answers["pain-average"] for item in diaries(person)]


@pytest.fixture(scope="module")
def everybody() -> list[Person]:
    return people(42, NOW.date(), seed=1)


def test_the_same_seed_makes_the_same_people_who_log_the_same(everybody: list[Person]) -> None:
    assert people(42, NOW.date(), seed=1) == everybody
    assert [msgspec.json.encode(item) for item in logged(everybody[3])] == [
        msgspec.json.encode(item) for item in logged(everybody[3])
    ]
    assert people(42, NOW.date(), seed=2) != everybody


def test_all_courses_are_there_and_most_have_the_half_year(everybody: list[Person]) -> None:
    assert {person.course for person in everybody} == set(COURSES)
    assert sum(person.days == 180 for person in everybody) > 25


def test_improvers_end_better_and_the_worsening_worse(everybody: list[Person]) -> None:
    for person in everybody:
        values = pain(person)
        if person.course == "improver" and person.days == 180:
            assert mean(values[-14:]) < mean(values[:14]) - 1
        if person.course == "worsening" and person.days == 180 and not person.silent:
            assert mean(values[-14:]) > mean(values[:14])


def test_there_are_gaps_dropouts_journeys_and_flares(everybody: list[Person]) -> None:
    last = {person.number: max(item.authored_at.date() for item in diaries(person)) for person in everybody}
    assert sum((NOW.date() - day).days > 20 for day in last.values()) >= 3
    gaps = [
        (later.authored_at - earlier.authored_at).days
        for person in everybody
        for earlier, later in pairwise(diaries(person))
    ]
    assert sum(gap > 6 for gap in gaps) >= 5
    assert len({item.time_zone for person in everybody for item in diaries(person)}) >= 6
    assert any(len({item.time_zone for item in diaries(person)}) == 2 for person in everybody)
    assert sum(item.answers["flare"] for person in everybody for item in diaries(person)) > 100


def test_nobody_writes_from_the_future_or_twice_under_one_id(everybody: list[Person]) -> None:
    for person in everybody:
        items = logged(person)
        assert len({item.id for item in items}) == len(items)
        assert all(item.authored_at is None or item.authored_at <= NOW for item in items)
        assert all(item.id.version == 7 for item in items)


@pytest.mark.django_db
def test_the_clinic_goes_in_by_the_doors_of_everybody_and_says_what_it_is() -> None:
    call_command("simulate_clinic", patients=8, stdout=StringIO())
    clinic = Clinic.objects.get()
    assert clinic.simulated
    assert "Simulated" in clinic.name
    assert all("Simulated" in patient.name for patient in Patient.objects.all())
    assert all(user.email.endswith(".example") for user in User.objects.all())
    rows = Response.objects.values("origin").annotate(n=Count("id")).values_list("origin", "n")
    assert [origin for origin, _ in rows] == [Origin.SIMULATED]
    assert set(Session.objects.values_list("origin", flat=True)) == {Origin.SIMULATED}
    measures = set(Score.objects.values_list("measure__code", flat=True))
    assert {"daily-diary.pain-average", "phq-9.total", "tsk-11.total", "adherence.day"} <= measures
    assert not Quarantine.objects.exists()
    assert Alert.objects.filter(rule="SUI-1", state="open").exists()


@pytest.mark.django_db
def test_programmes_of_each_modality_have_months_of_sessions_pauses_and_steps() -> None:
    call_command("simulate_clinic", patients=10, stdout=StringIO())
    modalities = {entry["modality"] for row in Prescription.objects.all() for entry in row.exercises.values()}
    assert modalities == set(library().codes["en"].modalities)
    for first in Prescription.objects.filter(version=1):
        done = Session.objects.filter(programme=first.programme, skipped="")
        assert done.count() > 10, first.template
    assert {"holiday", "illness"} <= set(Pause.objects.values_list("reason", flat=True))
    assert {("flare", "step-back"), ("flare", "hold")} & set(Proposal.objects.values_list("rule", "action"))
    assert {"applied", "accepted"} <= set(Proposal.objects.values_list("state", flat=True))
    kinds = {"pain-neuroscience-education", "drug-change", "manual-therapy", "work-status", "brain-stimulation"}
    assert set(Treatment.objects.values_list("kind", flat=True)) == kinds
    assert TreatmentSession.objects.count() >= 8
    assert Condition.objects.exists()
    assert Preferences.objects.exists()
    assert any(row.content.get("exposures") for row in Session.objects.all())
    assert not Session.objects.filter(marks__contains=["extra-exercise"]).exists()


@pytest.mark.django_db
def test_a_second_run_changes_nothing_but_the_password_asked_for() -> None:
    call_command("simulate_clinic", patients=2, password="first-password", stdout=StringIO())
    before = Response.objects.count(), Patient.objects.count()
    call_command("simulate_clinic", patients=9, password="second-password", stdout=StringIO())
    assert (Response.objects.count(), Patient.objects.count()) == before
    assert User.objects.get(email="clinician@steadyback.example").check_password("second-password")


@pytest.mark.django_db
def test_the_codes_shown_are_those_that_sign_in() -> None:
    out = StringIO()
    call_command("simulate_clinic", patients=1, stdout=StringIO())
    call_command("simulate_clinic", codes=True, stdout=out)
    code = dict(line.split() for line in out.getvalue().splitlines())["clinician@steadyback.example"]
    authenticator = Authenticator.objects.get(user__email="clinician@steadyback.example")
    assert authenticator.wrap().validate_code(code)


def test_made_up_people_are_of_no_certain_day() -> None:
    """A demo made in winter looks like one made in summer."""
    winter, summer = people(5, date(2026, 1, 31), seed=1), people(5, date(2026, 7, 31), seed=1)
    assert [person.course for person in winter] == [person.course for person in summer]
