"""What people do about an alert, and what they can't."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.people.models import Patient, User
from outcomes.alert_handling import STATE_AFTER, Step, StepRefusedError, steps, take
from outcomes.models import Alert, AlertEvent
from tests.backend.dashboard import builders

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(builders.team(builders.clinic()))


@pytest.fixture
def colleague(patient: Patient) -> User:
    return builders.colleague(patient.clinic, patient.care_team)


def act(alert: Alert, step: AlertEvent.Kind, by: User, note: str = "", at: datetime = NOW) -> Alert:
    return take(Alert.objects.all(), alert.pk, step, by=by, at=at, note=note)


def test_each_step_is_an_event_with_who_and_when_and_the_state_follows(patient: Patient, colleague: User) -> None:
    alert = builders.alert(patient)
    act(alert, Step.ACKNOWLEDGED, colleague)
    act(alert, Step.NO_ANSWER, colleague, "rang twice", NOW + timedelta(minutes=5))
    act(alert, Step.CONTACTED, colleague, "", NOW + timedelta(minutes=30))
    done = act(alert, Step.RESOLVED, colleague, "spoke for ten minutes, safe, seen tomorrow", NOW + timedelta(hours=1))
    assert done.state == Alert.State.RESOLVED
    events = list(alert.events.order_by("pk").values_list("kind", "user", "note"))
    assert events == [
        ("raised", None, ""),
        ("acknowledged", colleague.pk, ""),
        ("no-answer", colleague.pk, "rang twice"),
        ("contacted", colleague.pk, ""),
        ("resolved", colleague.pk, "spoke for ten minutes, safe, seen tomorrow"),
    ]


def test_a_critical_alert_is_not_closed_before_somebody_was_reached(patient: Patient, colleague: User) -> None:
    alert = builders.alert(patient)
    act(alert, Step.ACKNOWLEDGED, colleague)
    with pytest.raises(StepRefusedError, match="contact-first"):
        act(alert, Step.RESOLVED, colleague, "looks fine")
    alert.refresh_from_db()
    assert alert.state == Alert.State.ACKNOWLEDGED
    assert alert.events.count() == 2


def test_a_lesser_alert_is_closed_at_once_but_not_without_a_word(patient: Patient, colleague: User) -> None:
    alert = builders.alert(patient, "PAIN-1", severity=Alert.Severity.MEDIUM)
    with pytest.raises(StepRefusedError, match="note-missing"):
        act(alert, Step.RESOLVED, colleague, "   ")
    assert act(alert, Step.RESOLVED, colleague, "reviewed").state == Alert.State.RESOLVED


def test_to_escalate_says_to_whom(patient: Patient, colleague: User) -> None:
    alert = builders.alert(patient)
    with pytest.raises(StepRefusedError, match="note-missing"):
        act(alert, Step.ESCALATED, colleague)
    assert act(alert, Step.ESCALATED, colleague, "to the duty psychiatrist").state == Alert.State.ESCALATED


def test_what_a_colleague_took_on_first_is_not_taken_on_again(patient: Patient, colleague: User) -> None:
    alert = builders.alert(patient)
    act(alert, Step.ACKNOWLEDGED, colleague)
    with pytest.raises(StepRefusedError, match="not-possible") as refused:
        act(alert, Step.ACKNOWLEDGED, colleague)
    assert refused.value.state == Alert.State.ACKNOWLEDGED


def test_nothing_follows_a_resolved_alert() -> None:
    assert steps(Alert.State.RESOLVED, Alert.Severity.LOW) == frozenset()


@pytest.mark.parametrize("state", Alert.State.values)
def test_every_state_that_is_not_the_end_can_reach_it(state: str) -> None:
    for severity in Alert.Severity.values:
        reached, todo = {state}, [state]
        while todo:
            for step in steps(todo.pop(), severity):
                if STATE_AFTER[step] not in reached:
                    reached.add(STATE_AFTER[step])
                    todo.append(STATE_AFTER[step])
        assert Alert.State.RESOLVED in reached


def test_a_foreign_alert_is_not_found(patient: Patient, colleague: User) -> None:
    alert = builders.alert(patient)
    with pytest.raises(Alert.DoesNotExist):
        take(Alert.objects.none(), alert.pk, Step.ACKNOWLEDGED, by=colleague, at=NOW, note="")
