"""A clinician may count the change from other days, with a reason; the baselines before stay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backend.people.models import Patient, User
from outcomes.baselines import BaselineError, set_baseline
from outcomes.models import Baseline, Trend, TrendDue
from outcomes.recompute import recompute_due
from tests.backend.dashboard import builders
from tests.backend.dashboard.builders import NOW, TODAY

pytestmark = pytest.mark.django_db
PAIN = "daily-diary.pain-average"


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()), programme_started_on=TODAY - timedelta(days=30))


@pytest.fixture
def colleague(patient: Patient) -> User:
    return builders.colleague(patient.clinic, patient.care_team)


def test_the_change_is_counted_from_the_new_days_and_the_old_version_stays(patient: Patient, colleague: User) -> None:
    builders.scores(patient, PAIN, [8.0] * 30 + [4.0] * 31)
    first = set_baseline(
        patient, PAIN, TODAY - timedelta(days=60), TODAY - timedelta(days=54), reason="start", by=colleague, now=NOW
    )
    days = (TODAY - timedelta(days=20), TODAY - timedelta(days=14))
    second = set_baseline(patient, PAIN, *days, reason="new programme", by=colleague, now=NOW)
    assert [(row.version, row.value) for row in (first, second)] == [(1, 8.0), (2, 4.0)]
    assert TrendDue.objects.filter(patient=patient).exists()
    recompute_due(timezone.now())
    trend = Trend.objects.get(patient=patient)
    assert trend.baseline == 4.0
    assert trend.change == pytest.approx(0.0, abs=0.01)
    assert Baseline.objects.filter(patient=patient).count() == 2


def test_a_questionnaires_baseline_is_its_last_response_of_these_days(patient: Patient, colleague: User) -> None:
    builders.scores(patient, "phq-9.total", {TODAY - timedelta(days=n): float(n) for n in (5, 10, 30)})
    days = (TODAY - timedelta(days=20), TODAY - timedelta(days=8))
    assert set_baseline(patient, "phq-9.total", *days, reason="after surgery", by=colleague, now=NOW).value == 10


@pytest.mark.parametrize(
    ("first", "last", "reason", "field"),
    [(1, 0, " ", "reason"), (0, 3, "why", "to_day"), (1, 0, "two days are too few", "from_day")],
)
def test_what_can_not_be_a_baseline_is_refused_by_field(
    patient: Patient, colleague: User, first: int, last: int, reason: str, field: str
) -> None:
    builders.scores(patient, PAIN, [4.0] * 5)
    days = (TODAY - timedelta(days=first), TODAY - timedelta(days=last))
    with pytest.raises(BaselineError) as refused:
        set_baseline(patient, PAIN, *days, reason=reason, by=colleague, now=NOW)
    assert refused.value.field == field
    assert not Baseline.objects.exists()


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        (PAIN, "A baseline rests on at least 3 days with an entry; there are 0."),
        ("phq-9.total", "A baseline rests on a response; there is none in these days."),
    ],
)
def test_how_many_entries_a_baseline_lacks_is_said(patient: Patient, colleague: User, measure: str, why: str) -> None:
    with pytest.raises(BaselineError) as refused:
        set_baseline(patient, measure, TODAY, TODAY, reason="why", by=colleague, now=NOW)
    assert refused.value.detail == why
