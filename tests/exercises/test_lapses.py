"""A programme of which too little is done."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from datetime import time as clock
from zoneinfo import ZoneInfo

import pytest
from uuid_utils.compat import uuid7

from exercises.lapses import Programme, look_for_lapses
from exercises.models import Pause
from outcomes.alert_rules import rule
from outcomes.models import Alert
from tests.exercises.programmes import a_programme
from tests.factories import a_patient
from tests.signin import a_consent

TODAY = date(2026, 11, 23)


def programme(since: int, last_session: int | None = None, shares: dict[int, float] | None = None) -> Programme:
    """All in days before today."""
    done = sorted((shares or {}).items(), reverse=True)
    return Programme(
        TODAY,
        TODAY - timedelta(days=since),
        None if last_session is None else TODAY - timedelta(days=last_session),
        [TODAY - timedelta(days=day) for day, _ in done],
        [share for _, share in done],
    )


@pytest.mark.parametrize(
    ("of", "lapsed"),
    [
        (programme(since=6), False),
        (programme(since=7), True),
        (programme(since=30, last_session=6), False),
        (programme(since=30, last_session=7), True),
        (programme(since=30, last_session=1, shares={3: 100, 5: 0, 7: 0}), True),
        (programme(since=30, last_session=1, shares={3: 100, 5: 0}), False),
        (programme(since=13, last_session=1, shares={3: 0}), False),
        (programme(since=30, last_session=1, shares={15: 0, 20: 0, 3: 60}), False),
    ],
)
def test_a_week_without_a_session_or_a_fortnight_below_half_of_the_dose(of: Programme, lapsed: bool) -> None:
    assert of.calls_for(rule("ADH-1")) is lapsed


@pytest.mark.django_db
def test_a_lapse_is_told_once_and_not_during_a_pause() -> None:
    patient = a_patient()
    a_consent(patient)
    prescription = a_programme(patient)
    start = datetime.combine(prescription.starts_on, clock(12), ZoneInfo("Europe/Zurich"))
    look_for_lapses(start + timedelta(days=6))
    assert not Alert.objects.exists()
    pause = Pause.objects.create(
        id=uuid7(),
        clinic=patient.clinic,
        patient=patient,
        rev=1,
        programme=prescription.programme,
        from_day=prescription.starts_on + timedelta(days=5),
        reason="holiday",
    )
    look_for_lapses(start + timedelta(days=8))
    assert not Alert.objects.exists()
    pause.to_day = prescription.starts_on + timedelta(days=9)
    pause.save()
    look_for_lapses(start + timedelta(days=16))
    assert not Alert.objects.exists()
    for _ in range(2):
        look_for_lapses(start + timedelta(days=17))
    assert Alert.objects.values_list("rule", "severity").get() == ("ADH-1", Alert.Severity.LOW)
