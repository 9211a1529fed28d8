"""Red flags that exercise raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from backend.sync.models import Quarantine
from exercises.alarms import SERIOUS, PainOfSession, painful
from outcomes.alert_rules import rule
from outcomes.models import Alert
from tests.backend.sync.test_push_and_pull import send
from tests.factories import a_patient

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EX_1 = rule("EX-1")


def session(
    day: int, worst: int | None = None, before: int | None = None, next_day: int | None = None
) -> PainOfSession:
    return PainOfSession(uuid7(), MONDAY + timedelta(days=day), before, worst, next_day)


@pytest.mark.parametrize(
    ("one", "hurt"),
    [
        (session(0, worst=6), True),
        (session(0, worst=5), False),
        (session(0, worst=2, before=3, next_day=4), True),
        (session(0, worst=2, before=3, next_day=3), False),
        (session(0), False),
        (session(0, next_day=9), False),  # nobody said how it was before
    ],
)
def test_a_session_hurt_above_five_or_when_it_had_not_settled_by_the_next_day(one: PainOfSession, hurt: bool) -> None:
    assert one.hurt(EX_1) is hurt


def test_it_takes_two_within_seven_days() -> None:
    first, second = session(0, worst=6), session(7, worst=7)
    assert painful(EX_1, [second, first]) == second
    assert painful(EX_1, [first, session(3, worst=1)]) is None
    assert painful(EX_1, [first, session(8, worst=7)]) is None


def test_a_clinics_own_numbers_count() -> None:
    sessions = [session(day, worst=4) for day in (0, 1, 2)]
    assert painful(EX_1, sessions) is None
    assert painful(EX_1.changed({"pain_above": 3, "times": 3}), sessions) == sessions[2]


def test_the_serious_kinds_are_those_of_the_reference() -> None:
    assert {"syncope", "seizure", "chest-pain", "burn"} == SERIOUS


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "raised"), [("seizure", True), ("dizziness", False)])
def test_a_serious_event_that_is_refused_raises_its_alert_all_the_same(kind: str, raised: bool) -> None:
    patient = a_patient()
    event = {"type": "adverse-event", "id": "no id", "kind": kind, "authored_at": "yesterday"}
    for _ in range(2):
        (verdict,) = send(patient, event)
        assert (verdict.status, verdict.safety) == ("rejected", ["adverse-event"] if raised else [])
    assert Quarantine.objects.filter(patient=patient).count() == 1
    assert list(Alert.objects.values_list("rule", flat=True)) == (["AE-1"] if raised else [])
