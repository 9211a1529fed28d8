"""An alert goes from one to the next until somebody acknowledges it, whatever dies in between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time as clock
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import Clinic, Membership, OnCall, OpeningHours, Patient, User
from backend.reminders.calling import LEASE, MOST_ATTEMPTS, claim, send_calls
from backend.reminders.channels import ChannelError, Notice
from backend.reminders.escalation import LEAST_STEP, watch
from backend.reminders.models import Call
from backend.reminders.routes import CHANNELS
from outcomes.alert_handling import Step, take
from outcomes.models import Alert, AlertEvent
from tests.database import database_url
from tests.factories import a_clinician, a_patient, a_team


class Failing:
    """A provider that takes nothing."""

    PER_SECOND = 100

    def __init__(self, *, permanent: bool) -> None:
        self.permanent = permanent

    def notify(self, notice: Notice, target: str) -> str:
        raise ChannelError("not taken", permanent=self.permanent)


NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)  # 08:00 in Zurich


@pytest.fixture
def patient(db: None) -> Patient:
    team = a_team()
    for weekday in range(5):
        OpeningHours.objects.create(clinic=team.clinic, weekday=weekday, opens=time(8), closes=time(17))
    Clinic.objects.filter(pk=team.clinic_id).update(fallback_email="reception@example.org")
    for position in (1, 2):
        on_call(team.clinic, a_clinician(team), position)
    return a_patient(team)


def on_call(clinic: Clinic, user: User, position: int, **duty: Any) -> OnCall:
    member = Membership.objects.get(user=user)
    return OnCall.objects.create(clinic=clinic, membership=member, position=position, hours="generated", **duty)


def an_alert(patient: Patient, rule: str = "SUI-1", severity: int = 4, at: datetime = NOW, **fields: Any) -> Alert:
    return Alert.objects.create(
        clinic=patient.clinic,
        patient=patient,
        rule=rule,
        rule_version="1",
        severity=severity,
        **{
            "source": uuid7(),
            "origin": "phone",
            "authored_at": at,
            "received_at": at,
            "opened_at": at,
            "late": False,
            "due_at": at,
            "tell_at": at,
            **fields,
        },
    )


def told(alert: Alert) -> list[str]:
    """Who was told, by place; the fallback as such."""
    places = {row.membership.user.email: str(row.position) for row in OnCall.objects.filter(clinic=alert.clinic)}
    targets = Call.objects.filter(alert=alert).order_by("n").values_list("target", flat=True)
    return [places.get(target, "fallback") for target in targets]


def run(start: datetime, hours: float, step: timedelta = timedelta(minutes=1)) -> None:
    now = start
    while now <= start + timedelta(hours=hours):
        watch(now, limit=100)
        now += step


def test_what_nobody_acknowledges_goes_down_the_chain_to_the_fallback_and_round(patient: Patient) -> None:
    alert = an_alert(patient)
    run(NOW, hours=4.5)
    assert told(alert) == ["1", "2", "fallback", "1", "2"]
    alert.refresh_from_db()
    assert (alert.state, alert.told) == ("escalated", 5)
    kinds = AlertEvent.objects.filter(alert=alert).order_by("at").values_list("kind", flat=True)
    assert list(kinds) == ["told", *["escalated"] * 4]


def test_acknowledging_stops_it(patient: Patient) -> None:
    alert = an_alert(patient)
    watch(NOW, limit=100)
    take(Alert.objects.all(), alert.pk, Step.ACKNOWLEDGED, by=a_clinician(patient.care_team), at=NOW, note="")
    run(NOW, hours=5)
    assert told(alert) == ["1"]


def test_what_is_to_be_acknowledged_at_once_goes_on_after_a_quarter_of_an_hour(patient: Patient) -> None:
    alert = an_alert(patient, "CES-1")
    run(NOW, hours=0.5)
    assert told(alert) == ["1", "2", "fallback"]


def test_critical_never_waits_and_the_rest_sleeps_while_the_clinic_is_closed(patient: Patient) -> None:
    critical = an_alert(patient, at=NIGHT)
    high = an_alert(patient, "DEP-1", 3, at=NIGHT)
    run(NIGHT, hours=8.9, step=timedelta(minutes=10))
    assert len(told(critical)) == 9
    assert told(high) == []
    watch(MORNING, limit=100)
    assert told(high) == ["1"]
    high.refresh_from_db()
    assert high.tell_at == MORNING + timedelta(days=1)


def test_who_is_off_duty_is_passed_over(patient: Patient) -> None:
    OnCall.objects.filter(clinic=patient.clinic, position=1).update(starts=time(8), ends=time(17))
    alert = an_alert(patient, at=NIGHT)
    watch(NIGHT, limit=100)
    assert told(alert) == ["2"]


def test_with_nobody_on_duty_the_fallback_is_told_at_once(patient: Patient) -> None:
    OnCall.objects.filter(clinic=patient.clinic).update(starts=time(8), ends=time(17))
    alert = an_alert(patient, at=NIGHT)
    watch(NIGHT, limit=100)
    assert told(alert) == ["fallback"]


def test_a_clinic_with_nobody_to_tell_alarms_the_operator(patient: Patient, caplog: pytest.LogCaptureFixture) -> None:
    OnCall.objects.filter(clinic=patient.clinic).delete()
    Clinic.objects.update(fallback_email="")
    alert = an_alert(patient)
    assert watch(NOW, limit=100)["nobody to tell"] == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    alert.refresh_from_db()
    assert (alert.state, alert.told) == ("open", 0)


def test_a_colleagues_escalation_tells_the_next_at_once(patient: Patient) -> None:
    alert = an_alert(patient)
    watch(NOW, limit=100)
    somebody = a_clinician(patient.care_team)
    take(Alert.objects.all(), alert.pk, Step.ACKNOWLEDGED, by=somebody, at=NOW, note="")
    later = NOW + timedelta(minutes=5)
    take(Alert.objects.all(), alert.pk, Step.ESCALATED, by=somebody, at=later, note="I can't leave")
    watch(later, limit=100)
    assert told(alert) == ["1", "2"]


@pytest.mark.parametrize("origin", ["import", "simulated"])
def test_what_is_imported_or_simulated_tells_nobody(patient: Patient, origin: str) -> None:
    alert = an_alert(patient, origin=origin)
    run(NOW, hours=1)
    assert told(alert) == []


def test_the_number_of_statements_does_not_grow_with_the_alerts(patient: Patient) -> None:
    def statements(count: int) -> int:
        for _ in range(count):
            an_alert(a_patient(patient.care_team))
        with CaptureQueriesContext(connection) as queries:
            watch(NOW, limit=1000)
        return len(queries)

    assert statements(1) == statements(50)


class TestCalling:
    def test_a_call_says_neither_whose_alert_nor_which(self, patient: Patient) -> None:
        an_alert(patient)
        watch(NOW, limit=100)
        assert send_calls(NOW, limit=10) == {"sent": 1}
        (sent,) = mail.outbox
        assert sent.to == [OnCall.objects.get(clinic=patient.clinic, position=1).membership.user.email]
        said = f"{sent.subject} {sent.body}"
        assert not any(word in said for word in ("SUI", "PHQ", "risk", "critical", patient.identifier))
        assert sent.extra_headers["Message-ID"].startswith(f"<{Call.objects.get().pk}@")

    def test_after_acknowledgement_nothing_is_sent(self, patient: Patient) -> None:
        alert = an_alert(patient)
        watch(NOW, limit=100)
        take(Alert.objects.all(), alert.pk, Step.ACKNOWLEDGED, by=a_clinician(patient.care_team), at=NOW, note="")
        assert send_calls(NOW, limit=10) == {"cancelled": 1}
        assert mail.outbox == []

    def test_one_that_can_not_be_delivered_goes_to_the_next_at_once(
        self, patient: Patient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alert = an_alert(patient)
        watch(NOW, limit=100)
        monkeypatch.setitem(CHANNELS, "email", Failing(permanent=True))
        assert send_calls(NOW, limit=10) == {"dead": 1}
        watch(NOW, limit=100)
        assert told(alert) == ["1", "2"]

    def test_trouble_is_tried_again_and_ends_before_the_next_would_be_told_anyway(
        self, patient: Patient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        an_alert(patient)
        watch(NOW, limit=100)
        monkeypatch.setitem(CHANNELS, "email", Failing(permanent=False))
        now = NOW
        for attempt in range(MOST_ATTEMPTS):
            assert send_calls(now, limit=10) == {"dead" if attempt == MOST_ATTEMPTS - 1 else "pending": 1}
            now = Call.objects.get().due_at
        assert now - NOW < LEAST_STEP

    def test_a_call_whose_worker_died_is_sent_by_another_under_the_same_id(self, patient: Patient) -> None:
        an_alert(patient)
        watch(NOW, limit=100)
        claim(NOW, 10, uuid7())
        assert send_calls(NOW, limit=10) == {}
        assert send_calls(NOW + LEASE, limit=10) == {"sent": 1}
        assert Call.objects.count() == 1


WATCHER = """
import sys
from datetime import datetime
import django
django.setup()
from backend.reminders.escalation import watch
now = datetime.fromisoformat(sys.argv[1])
print("ready", flush=True)
while True:
    watch(now, limit=2)
"""


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_moment_no_alert_is_lost_or_told_twice() -> None:
    """kill -9 of one of two watchers, again and again; what is told, noted and in the outbox stays the same."""
    team = a_team()
    Clinic.objects.filter(pk=team.clinic_id).update(fallback_email="reception@example.org")
    on_call(team.clinic, a_clinician(team), 1)
    patients = [a_patient(team) for _ in range(60)]
    alerts = [an_alert(patient) for patient in patients]
    chance = random.Random(20261123)
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "backend.settings"}
    for round_ in range(3):
        now = NOW + timedelta(hours=round_)
        command = [sys.executable, "-c", WATCHER, now.isoformat()]
        both = [
            subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.PIPE) for _ in range(2)
        ]
        for watcher in both:
            assert watcher.stdout
            assert watcher.stdout.readline() == b"ready\n"
        clock.sleep(chance.uniform(0, 0.15))
        for watcher in both:
            watcher.send_signal(signal.SIGKILL)
            watcher.communicate()
        while watch(now, limit=100):
            pass
    for alert in alerts:
        alert.refresh_from_db()
        assert alert.told == 3
        assert told(alert) == ["1", "fallback", "1"]
        assert list(Call.objects.filter(alert=alert).order_by("n").values_list("n", flat=True)) == [1, 2, 3]
        assert AlertEvent.objects.filter(alert=alert).count() == 3
