"""What was not said is counted, for the operator, without a word about anybody."""

import logging
from datetime import timedelta

import pytest

from backend.people.models import Origin
from backend.reminders.reporting import Unsaid, report, unsaid
from backend.reminders.sending import send_due
from backend.reminders.ticking import tick
from tests.backend.reminders.given import a_diarist, at

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
SIX = at("2026-03-02T18:00:00+01:00")
SEVEN = at("2026-03-02T19:00:00+01:00")


def test_dead_letters_of_a_day_are_counted_by_reason(caplog: pytest.LogCaptureFixture) -> None:
    patients = [a_diarist(NOON, origin=Origin.CLINIC) for _ in range(2)]
    a_diarist(NOON)
    tick(SIX, 10)
    tick(SEVEN, 10)
    send_due(SEVEN, 10)
    found = unsaid(SEVEN + timedelta(minutes=1))
    assert found == [Unsaid("reminders", "dead", "", "no way to this patient", 2)]
    assert unsaid(SEVEN) == unsaid(SEVEN + timedelta(days=1, minutes=1)) == []
    with caplog.at_level(logging.INFO):
        report(found)
    (record,) = caplog.records
    assert (record.levelname, record.count) == ("WARNING", 2)  # type: ignore[attr-defined]
    assert not any(patient.identifier in record.getMessage() for patient in patients)


def test_what_an_outage_swallowed_is_counted() -> None:
    a_diarist(NOON)
    tick(SIX, 10)
    tick(at("2026-03-02T23:30:00+01:00"), 10)
    assert [(kind.state, kind.count) for kind in unsaid(at("2026-03-03T05:00:00Z"))] == [("skipped", 1)]
