"""Alerts that need the past: raised with the answer, told once while a state goes on, and again when it gets worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import Clinic, OpeningHours, Patient
from backend.people.writes import Door, next_revisions
from backend.rest.verdicts import Verdict
from outcomes.alert_rules import rule
from outcomes.clinic_rules import BadThresholdsError, set_thresholds
from outcomes.intake import Draft, ResponseItem, examine, store_responses
from outcomes.loading import measure_ids
from outcomes.models import Alert, AlertEvent, Baseline
from tests.factories import a_patient, a_team

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # a Monday
pytestmark = pytest.mark.django_db


def diary(day: int, **answers: int) -> ResponseItem:
    """An entry of so many days before today."""
    names = {name.replace("_", "-"): value for name, value in answers.items()}
    return ResponseItem(
        id=uuid7(),
        instrument="daily-diary",
        version="1",
        authored_at=NOW - timedelta(days=day, hours=1),
        time_zone="Europe/Zurich",
        answers=names,
    )


def phq_9(day: int, total: int) -> ResponseItem:
    """A PHQ-9 with this total, up to 24 without item 9."""
    answers = {str(item): max(0, min(3, total - 3 * (item - 1))) for item in range(1, 10)}
    return ResponseItem(
        id=uuid7(),
        instrument="phq-9",
        version="1",
        authored_at=NOW - timedelta(days=day, hours=1),
        time_zone="Europe/Zurich",
        answers=answers,
    )


def take_in(items: Sequence[tuple[Patient, ResponseItem]], origin: str = "phone", now: datetime = NOW) -> list[Verdict]:
    drafts = []
    for patient, item in items:
        draft = examine(item, patient.pk, patient.clinic_id, now)
        assert isinstance(draft, Draft), draft
        drafts.append(draft)
    with transaction.atomic():
        revisions = next_revisions(patient.pk for patient, _ in items)
        return store_responses(drafts, Door(origin=origin, received_at=now), revisions)


Send = Callable[..., list[Verdict]]


@pytest.fixture
def patient() -> Patient:
    return a_patient()


@pytest.fixture
def send(patient: Patient) -> Send:
    def send(*items: ResponseItem, **fields: Any) -> list[Verdict]:
        return take_in([(patient, item) for item in items], **fields)

    return send


def kinds(patient: Patient, rule: str) -> list[str]:
    events = AlertEvent.objects.filter(alert__patient=patient, alert__rule=rule).order_by("id")
    return list(events.values_list("kind", flat=True))


class TestRaising:
    def test_the_third_high_day_of_five_raises_with_the_flare_plan(self, patient: Patient, send: Send) -> None:
        send(diary(3, pain_average=8), diary(1, pain_average=9))
        assert not Alert.objects.filter(patient=patient).exists()
        item = diary(0, pain_average=8)
        (verdict,) = send(item)
        alert = Alert.objects.get(patient=patient)
        assert (alert.rule, alert.severity, alert.source) == ("PAIN-1", Alert.Severity.MEDIUM, item.id)
        assert verdict.safety == ["flare-plan"]

    def test_days_that_come_together_are_judged_each_by_what_came_before_it(self, patient: Patient, send: Send) -> None:
        late = send(*(diary(day, pain_average=8) for day in (9, 8, 7)), *(diary(day, pain_average=1) for day in (2, 1)))
        assert [verdict.safety for verdict in late] == [[], [], ["flare-plan"], [], []]
        assert Alert.objects.get(patient=patient).late

    def test_a_reply_that_got_lost_names_the_text_again(self, patient: Patient, send: Send) -> None:
        item = phq_9(0, 20)
        for status in ("stored", "duplicate"):
            (verdict,) = send(item)
            assert (verdict.status, verdict.safety) == (status, ["support"])
        assert kinds(patient, "DEP-1") == ["raised"]

    def test_what_the_patient_took_back_no_longer_counts(self, patient: Patient, send: Send) -> None:
        wrong = diary(2, pain_average=9)
        send(wrong, diary(1, pain_average=8))
        corrected = diary(2, pain_average=2)
        corrected.replaces = wrong.id
        send(corrected)
        send(diary(0, pain_average=8))
        assert not Alert.objects.filter(patient=patient, rule="PAIN-1").exists()

    def test_the_frozen_baseline_is_what_pain_is_compared_with(self, patient: Patient, send: Send) -> None:
        Baseline.objects.create(
            clinic=patient.clinic,
            patient=patient,
            measure_id=measure_ids()["daily-diary.pain-average"],
            value=3,
            from_day=date(2026, 10, 1),
            to_day=date(2026, 10, 7),
        )
        send(diary(1, pain_average=5), diary(0, pain_average=5))
        assert Alert.objects.get(patient=patient).rule == "PAIN-2"

    def test_a_clinics_own_threshold_decides(self, patient: Patient, send: Send) -> None:
        set_thresholds(patient.clinic, rule("PAIN-1"), {"at_least": 7}, by=None, now=NOW)
        send(*(diary(day, pain_average=7) for day in range(3)))
        other = a_patient()
        take_in([(other, diary(day, pain_average=7)) for day in range(3)])
        assert list(Alert.objects.values_list("patient", "rule")) == [(patient.pk, "PAIN-1")]

    def test_an_alert_names_the_version_of_the_numbers_that_raised_it(self, patient: Patient, send: Send) -> None:
        for number in (19, 18, 18, 17):  # the same again is no new version
            set_thresholds(patient.clinic, rule("DEP-1"), {"at_least": number}, by=None, now=NOW)
        send(phq_9(0, 17))
        assert Alert.objects.get(patient=patient, rule="DEP-1").rule_version == "1.3"
        numbers = patient.clinic.alert_rules.order_by("version").values_list("version", "thresholds")
        assert list(numbers) == [(1, {"at_least": 19}), (2, {"at_least": 18}), (3, {"at_least": 17})]
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            patient.clinic.alert_rules.update(thresholds={})

    def test_a_number_out_of_bounds_is_refused_and_nothing_is_set(self, patient: Patient) -> None:
        with pytest.raises(BadThresholdsError) as error:
            set_thresholds(patient.clinic, rule("PAIN-1"), {"at_least": 2}, by=None, now=NOW)
        assert [problem.field for problem in error.value.problems] == ["at_least"]
        assert not patient.clinic.alert_rules.exists()


class TestGoingOn:
    def test_a_state_that_goes_on_says_so_once_a_week(self, patient: Patient, send: Send) -> None:
        for day in range(12):
            now = NOW + timedelta(days=day)
            send(diary(-day, pain_average=9), now=now)
            Alert.objects.filter(patient=patient).update(state="acknowledged")
        assert kinds(patient, "PAIN-1") == ["raised", "repeated"]

    def test_one_that_was_resolved_is_not_raised_again_the_next_day(self, patient: Patient, send: Send) -> None:
        send(*(diary(day, pain_average=9) for day in (2, 1, 0)))
        Alert.objects.filter(patient=patient).update(state="resolved")
        send(diary(-1, pain_average=9), now=NOW + timedelta(days=1))
        assert Alert.objects.filter(patient=patient).count() == 1
        send(diary(-8, pain_average=9), diary(-7, pain_average=9), diary(-6, pain_average=9), now=NOW + timedelta(8))
        assert Alert.objects.filter(patient=patient).count() == 2

    def test_a_rise_reopens_at_once_and_starts_the_clock(self, patient: Patient, send: Send) -> None:
        send(diary(0, flare=1))
        alert = Alert.objects.get(patient=patient)
        assert (alert.severity, alert.due_at, alert.tell_at) == (Alert.Severity.INFO, None, None)
        Alert.objects.filter(patient=patient).update(state="acknowledged")
        send(diary(-7, flare=1), now=NOW + timedelta(days=7))
        alert.refresh_from_db()
        assert (alert.severity, alert.state) == (Alert.Severity.MEDIUM, "open")
        assert alert.due_at == NOW + timedelta(days=9)

    def test_a_lesser_finding_leaves_the_graver_alert_alone(self, patient: Patient, send: Send) -> None:
        send(*(diary(day, flare=1) for day in (9, 1)))
        assert Alert.objects.get(patient=patient).severity == Alert.Severity.MEDIUM
        Alert.objects.filter(patient=patient).update(state="acknowledged")
        send(diary(-8, flare=0), diary(-9, flare=1), now=NOW + timedelta(days=9))
        alert = Alert.objects.get(patient=patient)
        assert (alert.severity, alert.state) == (Alert.Severity.MEDIUM, "acknowledged")


class TestOrigins:
    def test_what_is_imported_or_simulated_tells_nobody(self, patient: Patient, send: Send) -> None:
        for origin in ("import", "simulated"):
            send(phq_9(0, 20), origin=origin)
        alert = Alert.objects.get(patient=patient, rule="DEP-1")
        assert (alert.state, alert.tell_at) == ("open", None)

    def test_an_import_does_not_quieten_the_alert_of_a_phone(self, patient: Patient, send: Send) -> None:
        send(phq_9(0, 20))
        before = Alert.objects.filter(patient=patient).values().get(rule="DEP-1")
        send(phq_9(1, 21), origin="import")
        assert Alert.objects.filter(patient=patient).values().get(rule="DEP-1") == before

    def test_a_phone_gives_a_silent_alert_its_voice(self, patient: Patient, send: Send) -> None:
        send(phq_9(1, 20), origin="import")
        send(phq_9(0, 20))
        alert = Alert.objects.get(patient=patient, rule="DEP-1")
        assert alert.origin == "phone"
        assert alert.tell_at

    def test_years_of_imported_pain_are_one_line_on_the_review_list(self, patient: Patient, send: Send) -> None:
        for start in (300, 100):
            send(*(diary(day, pain_average=9) for day in range(start, start - 60, -1)), origin="import")
        assert list(Alert.objects.filter(patient=patient).values_list("rule", "state")) == [("PAIN-1", "review")]


class TestClocks:
    @pytest.fixture
    def clinic(self, patient: Patient) -> Clinic:
        for weekday in range(5):
            OpeningHours.objects.create(clinic=patient.clinic, weekday=weekday, opens=time(8), closes=time(17))
        return patient.clinic

    def test_what_is_not_critical_waits_for_the_clinics_hours(
        self, clinic: Clinic, patient: Patient, send: Send
    ) -> None:
        send(phq_9(0, 20))  # on Monday at 19:00 in Zurich
        alert = Alert.objects.get(patient=patient, rule="DEP-1")
        assert alert.tell_at == datetime(2026, 11, 24, 7, tzinfo=UTC)
        assert alert.due_at == datetime(2026, 11, 25, 7, tzinfo=UTC)

    def test_what_is_critical_never_waits(self, clinic: Clinic, patient: Patient, send: Send) -> None:
        send(phq_9(0, 27))
        alert = Alert.objects.get(patient=patient, rule="SUI-1")
        assert (alert.tell_at, alert.due_at) == (NOW, NOW + timedelta(hours=1))

    def test_a_clinics_own_limit_counts(self, clinic: Clinic, patient: Patient, send: Send) -> None:
        set_thresholds(clinic, rule("SUI-1"), {"limit": 15}, by=None, now=NOW)
        send(phq_9(0, 27))
        assert Alert.objects.get(patient=patient, rule="SUI-1").due_at == NOW + timedelta(minutes=15)

    def test_what_is_medium_is_told_only_when_its_clock_has_run_out(self, patient: Patient, send: Send) -> None:
        send(phq_9(0, 10))
        alert = Alert.objects.get(patient=patient)
        assert alert.rule == "DEP-2"
        assert alert.tell_at == alert.due_at == NOW + timedelta(days=3)


def test_five_hundred_days_of_a_hundred_patients_cost_as_many_statements_as_one() -> None:
    team = a_team()

    def statements(patients: int, days: int) -> int:
        people = [a_patient(team) for _ in range(patients)]
        items = [(each, diary(day, pain_average=9, flare=1)) for each in people for day in range(days)]
        with CaptureQueriesContext(connection) as queries:
            take_in(items)
        assert Alert.objects.filter(patient__in=people, rule="PAIN-1").count() == (patients if days > 2 else 0)
        return len(queries)

    statements(1, 1)  # fills the caches of numbers
    assert statements(1, 1) == statements(100, 5) == statements(1, 500)


def test_an_answer_that_no_rule_reads_asks_nothing_of_the_past(patient: Patient, send: Send) -> None:
    def statements(**answers: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            send(diary(0, **answers))
        return len(queries)

    statements(sleep=1)
    assert statements(sleep=1) + 1 == statements(pain_average=1)
