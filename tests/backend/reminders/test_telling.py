"""Weeks in kind words, and that the team has seen something: in the app always, said only as the patient wants."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries
from uuid_utils.compat import uuid7

from backend.people.models import Consent, Origin, Patient
from backend.people.writes import Door
from backend.reminders.dispatching import dispatch
from backend.reminders.models import Message, ReminderSettings, Seen, Week
from backend.reminders.planning import plan
from backend.reminders.telling import look_back, tell_seen
from backend.sync.pull import pull
from backend.sync.push import push
from outcomes.alert_handling import take
from outcomes.models import Alert, AlertEvent
from tests.backend.reminders.given import a_diarist, at
from tests.factories import a_user
from tests.pulling import changes_of

pytestmark = pytest.mark.django_db

# A Monday, and the Monday after it.
NOON = at("2026-03-02T12:00:00+01:00")
LOOKED_BACK_AT = at("2026-03-09T09:00:00+01:00")


def write_diary(patient: Patient, *days: int) -> None:
    for day in days:
        moment = at(f"2026-03-{day:02}T20:00:00+01:00")
        item = {
            "type": "response",
            "id": str(uuid7()),
            "instrument": "daily-diary",
            "version": "1",
            "authored_at": moment.isoformat(),
            "time_zone": "Europe/Zurich",
            "answers": {"pain-now": 4, "flare": 0},
        }
        raw = [msgspec.Raw(json.dumps(item).encode())]
        (verdict,) = push(raw, patient.pk, patient.clinic_id, Door(Origin.SIMULATED, moment))
        assert verdict.status == "stored"


def pulled(patient: Patient, kind: str) -> list[dict[str, object]]:
    changes = changes_of(pull(None, patient.pk, patient.clinic_id, "en"))
    return [change["data"] for change in changes if change["type"] == kind]


def wish(patient: Patient, **wishes: object) -> None:
    ReminderSettings.objects.create(patient=patient, clinic=patient.clinic, rev=0, changed_at=NOON, **wishes)


class TestWeeks:
    def test_on_monday_morning_the_week_is_told_in_the_app_and_announced_without_a_word_of_it(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        patient = a_diarist(NOON)
        write_diary(patient, 2, 3, 5)
        assert look_back(LOOKED_BACK_AT - timedelta(minutes=1), 10) == {}
        dispatch(LOOKED_BACK_AT, 100)
        dispatch(LOOKED_BACK_AT, 100)
        (week,) = pulled(patient, "week")
        assert week["first_day"] == "2026-03-02"
        assert week["words"] == [
            "You wrote in your diary on 3 days.",
            "Each of these helps you and your team to see where you are heading. Thank you.",
        ]
        message = Message.objects.get(kind="week")
        assert (message.state, message.planned_at) == ("sent", LOOKED_BACK_AT)
        assert str(message.pk) in capsys.readouterr().out

    def test_the_next_week_is_expected_and_told_once(self) -> None:
        patient = a_diarist(NOON)
        write_diary(patient, 2, 9)
        for day in range(7, 24):
            dispatch(at(f"2026-03-{day:02}T10:00:00+01:00"), 100)
        assert [week["first_day"] for week in pulled(patient, "week")] == ["2026-03-02", "2026-03-09"]
        assert Message.objects.filter(kind="week").count() == 2
        assert Week.objects.filter(made_at=None).count() == 1

    def test_a_week_of_silence_is_not_held_against_anybody(self) -> None:
        patient = a_diarist(NOON)
        dispatch(LOOKED_BACK_AT, 100)
        assert pulled(patient, "week") == []
        assert not Message.objects.filter(kind="week").exists()

    def test_in_their_own_language(self) -> None:
        patient = a_diarist(NOON, language="de")
        write_diary(patient, 4)
        look_back(LOOKED_BACK_AT, 10)
        assert pulled(patient, "week")[0]["words"][0] == "Sie haben an einem Tag Tagebuch geführt."  # type: ignore[index]

    @pytest.mark.parametrize("wishes", [{"tell_week": False}, {"channel": "none"}, {"weekly_cap": 0}])
    def test_who_wants_no_message_finds_it_in_the_app_all_the_same(self, wishes: dict[str, object]) -> None:
        patient = a_diarist(NOON)
        wish(patient, **wishes)
        write_diary(patient, 4)
        look_back(LOOKED_BACK_AT, 10)
        assert len(pulled(patient, "week")) == 1
        assert not Message.objects.filter(kind="week").exists()

    def test_it_waits_for_the_end_of_the_quiet_hours(self) -> None:
        patient = a_diarist(NOON)
        wish(patient, quiet_to="10:30")
        write_diary(patient, 4)
        look_back(LOOKED_BACK_AT, 10)
        assert Message.objects.get(kind="week").planned_at == at("2026-03-09T10:30:00+01:00")

    def test_after_a_long_outage_it_is_in_the_app_and_nobody_is_told(self) -> None:
        patient = a_diarist(NOON)
        write_diary(patient, 4)
        look_back(LOOKED_BACK_AT + timedelta(days=3), 10)
        assert len(pulled(patient, "week")) == 1
        assert not Message.objects.filter(kind="week").exists()

    def test_it_comes_by_the_clock_of_where_they_are(self) -> None:
        patient = a_diarist(NOON)
        patient.zones.create(clinic=patient.clinic, since=NOON, time_zone="Asia/Tokyo")
        plan([patient.pk], NOON)
        assert Week.objects.get().due_at == at("2026-03-09T09:00:00+09:00")

    def test_who_takes_part_no_more_is_told_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        patient = a_diarist(NOON)
        write_diary(patient, 4)
        look_back(LOOKED_BACK_AT, 10)
        Consent.objects.update(withdrawn_at=LOOKED_BACK_AT)
        capsys.readouterr()
        dispatch(LOOKED_BACK_AT, 100)
        assert Message.objects.get(kind="week").state == "cancelled"
        assert capsys.readouterr().out == ""

    def test_one_or_many_take_the_same_statements(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        for patients in (1, 12):
            for _ in range(patients):
                write_diary(a_diarist(NOON), 4)
            with django_assert_num_queries(22):  # two of them open and end the transaction
                assert look_back(LOOKED_BACK_AT, 100)["weeks"] == patients


class TestSeen:
    def an_alert(self, patient: Patient, source: UUID | None = None) -> Alert:
        return Alert.objects.create(
            clinic=patient.clinic,
            patient=patient,
            rule="PAIN-1",
            rule_version="1",
            severity=2,
            source=source or uuid7(),
            origin=Origin.PHONE,
            authored_at=NOON,
            received_at=NOON,
            late=False,
            opened_at=NOON,
        )

    def acknowledge(self, alert: Alert, now: datetime = NOON) -> None:
        take(Alert.objects.all(), alert.pk, AlertEvent.Kind.ACKNOWLEDGED, by=a_user(), at=now, note="")

    def test_the_patient_sees_that_the_team_has_seen_it_and_not_why(self) -> None:
        patient = a_diarist(NOON)
        alert = self.an_alert(patient)
        self.acknowledge(alert)
        tell_seen(NOON, 10)
        (seen,) = [
            change for change in changes_of(pull(None, patient.pk, patient.clinic_id, "en")) if change["type"] == "seen"
        ]
        assert (seen["id"], list(seen["data"])) == (str(alert.source), ["seen_at"])
        assert not Message.objects.exists()

    def test_who_wants_to_hear_of_it_is_told_once_and_by_day(self, capsys: pytest.CaptureFixture[str]) -> None:
        patient = a_diarist(NOON)
        wish(patient, tell_seen=True)
        late = at("2026-03-02T22:00:00+01:00")
        alert = self.an_alert(patient)
        self.acknowledge(alert, late)
        take(Alert.objects.all(), alert.pk, AlertEvent.Kind.CONTACTED, by=a_user(), at=late, note="")
        for hours in (0, 1, 8, 9, 10):
            dispatch(late + timedelta(hours=hours), 100)
        message = Message.objects.get(kind="seen")
        assert (message.state, message.planned_at) == ("sent", at("2026-03-03T07:00:00+01:00"))
        assert capsys.readouterr().out.count(str(message.pk)) == 1

    def test_what_time_itself_raised_the_patient_has_not_sent(self) -> None:
        self.acknowledge(self.an_alert(a_diarist(NOON), UUID("c0f7b8f0-0000-5000-8000-000000000000")))
        assert not Seen.objects.exists()

    def test_looking_again_tells_nothing_twice(self) -> None:
        patient = a_diarist(NOON)
        self.acknowledge(self.an_alert(patient))
        assert tell_seen(NOON, 10) == {"seen": 1}
        assert tell_seen(NOON, 10) == {}
