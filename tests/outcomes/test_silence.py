"""Red flags that time itself raises."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.people.models import Patient
from outcomes.alert_rules import rule
from outcomes.loading import measure_ids
from outcomes.models import Alert, Trend, TrendDue
from outcomes.silence import LastHeard, look_for_silence
from tests.factories import a_patient
from tests.outcomes.test_alerts import NOW, diary, take_in
from tests.signin import a_consent

TODAY = date(2026, 11, 23)


def heard(days_ago: int, **known: Any) -> LastHeard:
    """Last heard of so many days ago; each value with the days before that on which it was said."""
    last = TODAY - timedelta(days=days_ago)
    given: dict[str, Any] = {}
    for name, (value, before) in known.items():
        given |= {name: value, f"{name}_day": last - timedelta(days=before)}
    return LastHeard(TODAY, last, **given)


@pytest.mark.parametrize(
    ("last", "raised"),
    [
        (heard(7, pain=(7, 0)), True),
        (heard(6, pain=(7, 0)), False),
        (heard(7, pain=(6, 0)), False),
        (heard(7, pain=(9, 8)), False),
        (heard(7, depression=(10, 30)), True),
        (heard(7, depression=(9, 0)), False),
        (heard(7, depression=(20, 36)), False),
        (heard(30), False),
    ],
)
def test_silence_after_a_high_state_is_no_improvement(last: LastHeard, raised: bool) -> None:
    assert last.calls_for(rule("MISS-1")) is raised


@pytest.fixture
def patient(db: None) -> Patient:
    patient = a_patient()
    a_consent(patient)
    return patient


def a_trend(patient: Patient, measure: str, value: float, days_ago: int) -> None:
    Trend.objects.create(
        patient=patient,
        clinic=patient.clinic,
        measure_id=measure_ids()[measure],
        n=5,
        last_day=TODAY - timedelta(days=days_ago),
        last_value=value,
        computed_at=NOW,
    )


def rules_of(patient: Patient) -> list[tuple[str, int, str]]:
    return list(Alert.objects.filter(patient=patient).order_by("pk").values_list("rule", "severity", "state"))


class TestMissing:
    def test_nobody_is_told_of_the_silence_of_somebody_whose_record_came_from_elsewhere_without_their_phone(
        self, patient: Patient
    ) -> None:
        Patient.objects.update(user=None)
        a_trend(patient, "daily-diary.pain-average", 8, days_ago=7)
        look_for_silence(NOW)
        assert list(Alert.objects.values_list("rule", "origin", "tell_at")) == [("MISS-1", "import", None)]

    def test_who_has_gone_silent_in_pain_is_told_of_once(self, patient: Patient) -> None:
        a_trend(patient, "daily-diary.pain-average", 8, days_ago=7)
        for _ in range(3):
            look_for_silence(NOW)
        assert rules_of(patient) == [("MISS-1", 2, "open")]

    def test_one_who_was_called_is_told_of_again_after_a_fortnight(self, patient: Patient) -> None:
        a_trend(patient, "daily-diary.pain-average", 8, days_ago=7)
        for day in range(16):
            look_for_silence(NOW + timedelta(days=day))
            Alert.objects.update(state="resolved")
        assert len(rules_of(patient)) == 2

    def test_another_measure_is_a_sign_of_life(self, patient: Patient) -> None:
        a_trend(patient, "daily-diary.pain-average", 8, days_ago=8)
        a_trend(patient, "daily-diary.sleep", 3, days_ago=2)
        look_for_silence(NOW)
        assert rules_of(patient) == []

    def test_what_the_trends_have_not_seen_yet_may_be_a_sign_of_life(self, patient: Patient) -> None:
        a_trend(patient, "daily-diary.pain-average", 8, days_ago=8)
        TrendDue.objects.create(patient=patient, clinic=patient.clinic, measure_id=measure_ids()["isi.total"])
        look_for_silence(NOW)
        assert rules_of(patient) == []

    def test_who_has_taken_back_consent_is_left_in_peace(self, patient: Patient) -> None:
        a_trend(patient, "daily-diary.pain-average", 8, days_ago=8)
        patient.consents.update(withdrawn_at=datetime(2030, 1, 1, tzinfo=UTC))
        look_for_silence(NOW)
        assert rules_of(patient) == []


class TestFlares:
    def test_a_flare_without_another_word_is_graver_after_seven_days(self, patient: Patient) -> None:
        take_in([(patient, diary(0, flare=1))])
        look_for_silence(NOW + timedelta(days=6))
        assert rules_of(patient) == [("FLARE", 0, "open")]
        for _ in range(2):
            look_for_silence(NOW + timedelta(days=7))
        assert rules_of(patient) == [("FLARE", 2, "open")]
        alert = Alert.objects.get(patient=patient)
        assert alert.due_at
        assert alert.events.count() == 2

    def test_one_that_is_over_is_not(self, patient: Patient) -> None:
        take_in([(patient, diary(0, flare=1)), (patient, diary(-3, flare=0))], now=NOW + timedelta(days=3))
        look_for_silence(NOW + timedelta(days=9))
        assert rules_of(patient) == [("FLARE", 0, "open")]


def test_the_number_of_statements_does_not_grow_with_the_patients(patient: Patient) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            look_for_silence(NOW + timedelta(days=7))
        return len(queries)

    def one_more() -> None:
        other = a_patient(patient.care_team)
        a_consent(other)
        a_trend(other, "daily-diary.pain-average", 8, days_ago=1)
        take_in([(other, diary(0, flare=1))])
        TrendDue.objects.all().delete()

    one_more()
    few = statements()
    for _ in range(10):
        one_more()
    assert statements() == few
