"""What people do moves the slots of those concerned at the next tick, not at next week's planning."""

import pytest

from backend.people.consent import agree, withdraw
from backend.people.discharging import discharge, take_back
from backend.people.models import ClinicText, Consent, Patient
from backend.people.zones import move
from backend.reminders.models import Slot
from backend.reminders.planning import plan_ahead
from backend.reminders.scheduling import set_schedule
from tests.backend.reminders.given import DIARY, EVENING, a_diarist, a_patient, at, slot_of
from tests.factories import a_user

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
NEXT = at("2026-03-02T12:00:20+01:00")


def states(patient: Patient) -> set[str]:
    return set(Slot.objects.filter(patient=patient).values_list("state", flat=True))


def test_who_enrols_after_the_schedule_was_made_is_asked_at_once() -> None:
    patient = a_patient()
    text = ClinicText.objects.get(clinic=patient.clinic, kind=ClinicText.Kind.CONSENT)
    Consent.objects.all().delete()
    set_schedule(patient, *DIARY, EVENING, NOON)
    assert states(patient) == set()
    agree(patient, text, NOON)
    plan_ahead(NEXT, 100)
    assert states(patient) == {"upcoming"}


def test_who_withdraws_consent_is_asked_no_more() -> None:
    patient = a_diarist(NOON)
    withdraw(patient, NOON)
    plan_ahead(NEXT, 100)
    assert states(patient) == {"withdrawn"}


def test_who_travels_is_asked_by_the_clock_of_where_they_are() -> None:
    patient = a_diarist(NOON)
    move(patient, "America/New_York", NOON)
    plan_ahead(NEXT, 100)
    assert slot_of(patient, "2026-03-03").opens_at == at("2026-03-03T18:00:00-05:00")


def test_who_is_discharged_is_asked_no_more_until_they_are_taken_back() -> None:
    patient = a_diarist(NOON)
    colleague = a_user()
    discharge(patient, colleague.pk, NOON)
    plan_ahead(NEXT, 100)
    assert states(patient) == {"withdrawn"}
    take_back(patient, colleague.pk)
    plan_ahead(NEXT, 100)
    assert "upcoming" in states(patient)
