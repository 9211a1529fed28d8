"""Sessions into the record: what is kept, what is refused by name, and the adherence that follows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import Patient, PatientRev
from backend.people.writes import Door
from backend.sync.models import Quarantine
from exercises.models import AdverseEvent, Prescription, Session, SessionFollowup
from exercises.prescribing import pause, today_of
from exercises.programme_api import stored
from exercises.series import Span, refresh
from outcomes.models import Alert, Score, TrendDue
from tests.exercises.programmes import BIRD_DOG, CAT_COW, DOOR, NOW, WALK, a_programme, session, store
from tests.factories import a_patient
from tests.pulling import changes_of

pytestmark = pytest.mark.django_db
MONDAY, WEDNESDAY, FRIDAY = date(2026, 11, 2), date(2026, 11, 4), date(2026, 11, 6)


@pytest.fixture
def patient() -> Patient:
    return a_patient()


@pytest.fixture
def programme(patient: Patient) -> Prescription:
    return a_programme(patient)


def values(patient: Patient, measure: str = "adherence.day") -> dict[date, float]:
    rows = Score.objects.filter(patient=patient, measure__code=measure, live=True)
    return dict(rows.values_list("local_day", "value"))


def codes(verdict: Any) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in verdict.errors]


def test_a_session_done_becomes_adherence(patient: Patient, programme: Prescription) -> None:
    (verdict,) = store(patient, session(programme))
    assert (verdict.status, verdict.scores) == ("stored", {"adherence.day": 100.0})
    assert values(patient) == {WEDNESDAY: 100.0}
    assert values(patient, "session.load") == {WEDNESDAY: 30.0}
    assert values(patient, "activity.met-minutes") == {WEDNESDAY: 33.0}
    assert TrendDue.objects.filter(patient=patient, measure__code="adherence.day").exists()


def test_a_programme_copied_to_another_patient_under_its_id_is_counted_for_each(
    patient: Patient, programme: Prescription
) -> None:
    other = a_programme(a_patient(patient.care_team), WALK)
    Prescription.objects.filter(pk=other.pk).update(programme=programme.programme)
    other.refresh_from_db()
    pause(programme, by=None, now=NOW, reason="holiday", from_day=FRIDAY)
    week = Span(MONDAY, MONDAY + timedelta(days=6), today=MONDAY + timedelta(days=7))
    store(patient, session(programme))
    with transaction.atomic():
        refresh({patient.pk: week, other.patient_id: week})
    assert values(patient) == {WEDNESDAY: 100.0}
    assert values(other.patient) == {WEDNESDAY: 0.0, FRIDAY: 0.0}
    (shown,) = stored([other])
    assert shown.pauses == []


def test_half_a_session_is_half_the_dose(patient: Patient, programme: Prescription) -> None:
    store(patient, session(programme, exercises=[{"exercise": "cat-cow"}]))
    assert values(patient) == {WEDNESDAY: 50.0}


def test_a_session_sent_twice_counts_once(patient: Patient, programme: Prescription) -> None:
    sent = session(programme)
    assert [store(patient, sent)[0].status, store(patient, sent)[0].status] == ["stored", "duplicate"]
    assert Session.objects.count() == 1


def test_the_same_session_twice_in_one_push_counts_once(patient: Patient, programme: Prescription) -> None:
    sent = session(programme)
    assert [verdict.status for verdict in store(patient, sent, sent)] == ["stored", "duplicate"]


def test_another_session_under_the_same_id_is_a_conflict_and_the_first_stays(
    patient: Patient, programme: Prescription
) -> None:
    sent = session(programme)
    assert [verdict.status for verdict in store(patient, sent, sent | {"rpe": 9})] == ["stored", "conflict"]
    assert Session.objects.get().rpe == 3


def test_two_patients_whose_phones_made_the_same_id_do_not_meet(patient: Patient, programme: Prescription) -> None:
    other = a_patient()
    sent = session(programme)
    store(patient, sent)
    assert store(other, sent | {"prescription": str(a_programme(other).pk)})[0].status == "stored"


def test_a_correction_takes_the_place_of_the_old_session(patient: Patient, programme: Prescription) -> None:
    first = session(programme)
    better = session(programme, exercises=[{"exercise": "cat-cow"}], replaces=first["id"])
    store(patient, first)
    assert store(patient, better)[0].status == "stored"
    assert values(patient) == {WEDNESDAY: 50.0}
    old = Session.objects.get(id=first["id"])
    assert (old.live, str(old.replaced_by)) == (False, better["id"])


def test_a_correction_may_move_a_session_to_another_day(patient: Patient) -> None:
    programme = a_programme(patient, now=NOW - timedelta(days=7))
    first = session(programme)
    store(patient, first, session(programme, started_at="2026-11-02T08:00:00+01:00", replaces=first["id"]))
    assert values(patient)[date(2026, 11, 2)] == 100.0
    assert WEDNESDAY not in values(patient)


@pytest.mark.parametrize("replaced", ["never sent", "already replaced"])
def test_only_a_session_that_stands_can_be_corrected(patient: Patient, programme: Prescription, replaced: str) -> None:
    old = session(programme)
    if replaced == "already replaced":
        store(patient, old, session(programme, replaces=old["id"]))
    (verdict,) = store(patient, session(programme, replaces=old["id"]))
    assert codes(verdict) == [("replaces", "not_live" if replaced == "already replaced" else "unknown_session")]


def test_not_today_is_declined_and_offers_something_easier(patient: Patient, programme: Prescription) -> None:
    (verdict,) = store(
        patient,
        {
            "type": "not-today",
            "id": str(uuid7()),
            "prescription": str(programme.pk),
            "authored_at": "2026-11-04T08:00:00+01:00",
            "time_zone": "Europe/Zurich",
            "reason": "pain",
        },
    )
    assert values(patient) == {WEDNESDAY: 0.0}
    assert [(each.exercise, each.to) for each in verdict.easier] == [
        ("cat-cow", "seated-cat-cow"),
        ("baseline-walk", None),
    ]
    assert "seated-cat-cow" in programme.exercises


def test_who_has_no_time_is_offered_nothing_easier(patient: Patient, programme: Prescription) -> None:
    (verdict,) = store(patient, session(programme, skipped="time", exercises=[], minutes=None))
    assert verdict.easier == []


def test_a_session_begun_and_not_finished_is_in_progress(patient: Patient, programme: Prescription) -> None:
    (verdict,) = store(patient, session(programme, minutes=None))
    assert (verdict.complete, verdict.scores) == (False, None)
    assert values(patient) == {}


def test_a_session_after_midnight_belongs_to_the_evening(patient: Patient, programme: Prescription) -> None:
    late = Door(origin="phone", received_at=NOW + timedelta(days=1))
    store(patient, session(programme, started_at="2026-11-05T00:30:00+01:00"), door=late)
    assert values(patient) == {WEDNESDAY: 100.0}


def test_a_paused_day_has_no_value(patient: Patient, programme: Prescription) -> None:
    store(patient, session(programme, skipped="ill", exercises=[], minutes=None))
    assert values(patient) == {WEDNESDAY: 0.0}
    pause(programme, by=None, now=NOW, reason="illness")
    assert values(patient) == {}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"exercises": [{"exercise": "cat-cow", "sets": -3}]}, ("exercises.0.sets", "out_of_range")),
        ({"minutes": 1441}, ("minutes", "out_of_range")),
        ({"pain_during": 11}, ("pain_during", "out_of_range")),
        ({"rpe": -1}, ("rpe", "out_of_range")),
        ({"finished_at": "2026-11-04T07:59:00+01:00"}, ("finished_at", "before_start")),
        (
            {"started_at": "2026-11-02T08:00:00+01:00", "finished_at": "2026-11-04T08:00:00+01:00"},
            ("finished_at", "too_long"),
        ),
        ({"started_at": "2026-11-07T08:00:00+01:00"}, ("started_at", "in_the_future")),
        ({"started_at": "1890-11-04T08:00:00+01:00"}, ("started_at", "too_long_ago")),
        ({"started_at": None}, ("started_at", "required")),
        ({"exposures": [{"task": "lift", "fear_after": 101}]}, ("exposures.0.fear_after", "out_of_range")),
        ({"exposures": [{"task": "lift", "feared": 11}]}, ("exposures.0.feared", "out_of_range")),
        ({"time_zone": "Mars/Olympus"}, ("time_zone", "unknown_time_zone")),
        ({"prescription": str(uuid7())}, ("prescription", "unknown_prescription")),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    patient: Patient, programme: Prescription, fields: dict[str, Any], error: tuple[str, str]
) -> None:
    (verdict,) = store(patient, session(programme) | fields)
    assert verdict.status == "rejected"
    assert codes(verdict) == [error]


def test_another_patients_prescription_is_unknown(patient: Patient) -> None:
    (verdict,) = store(patient, session(a_programme(a_patient())))
    assert codes(verdict) == [("prescription", "unknown_prescription")]


@pytest.mark.parametrize(
    ("fields", "mark"),
    [
        ({"heart_rate": 400}, "implausible-heart-rate"),
        ({"started_at": "2026-11-03T08:00:00+01:00"}, "before-prescription"),
        ({"exercises": [{"exercise": "somersault"}]}, "extra-exercise"),
    ],
)
def test_what_is_odd_is_kept_and_marked(
    patient: Patient, programme: Prescription, fields: dict[str, Any], mark: str
) -> None:
    (verdict,) = store(patient, session(programme, **fields))
    assert verdict.status == "stored"
    row = Session.objects.get()
    assert row.marks == [mark]
    assert row.content["exercises"] == (fields.get("exercises") or session(programme)["exercises"])


def test_a_session_of_no_prescription_is_kept_as_extra(patient: Patient) -> None:
    (verdict,) = store(patient, session(None, exercises=[{"exercise": "cat-cow"}]))
    assert (verdict.status, Session.objects.get().marks) == ("stored", ["not-prescribed"])


def test_sessions_that_overlap_are_marked_and_a_corrected_one_does_not_count(
    patient: Patient, programme: Prescription
) -> None:
    first = session(programme, finished_at="2026-11-04T08:30:00+01:00")
    store(patient, first)
    store(patient, session(programme, started_at="2026-11-04T08:10:00+01:00"))
    assert [row.marks for row in Session.objects.order_by("started_at")] == [[], ["overlapping"]]
    store(patient, session(programme, started_at="2026-11-04T08:20:00+01:00", replaces=first["id"]))
    assert Session.objects.order_by("started_at").last().marks == []  # type: ignore[union-attr]


def test_a_session_of_which_only_the_minutes_are_told_overlaps_too(patient: Patient, programme: Prescription) -> None:
    store(patient, session(programme, minutes=30))
    after = [session(programme, started_at=f"2026-11-04T08:{minute}:00+01:00") for minute in (29, 40)]
    store(patient, *after)
    assert [row.marks for row in Session.objects.order_by("started_at")] == [[], ["overlapping"], []]


def test_many_sessions_take_as_many_statements_as_one(patient: Patient) -> None:
    programme = a_programme(patient, now=NOW - timedelta(days=700))
    morning = NOW - timedelta(hours=2)

    def sent(count: int, weeks_ago: int) -> list[dict[str, Any]]:
        return [
            session(programme, started_at=(morning - timedelta(weeks=weeks_ago, days=n)).isoformat())
            for n in range(count)
        ]

    store(patient, *sent(2, 90))
    with CaptureQueriesContext(
        connection,
    ) as one:
        store(patient, *sent(1, 80))
    with CaptureQueriesContext(connection) as many:
        store(patient, *sent(500, 0))
    assert len(one) == len(many)
    assert Session.objects.count() == 503


def test_each_write_carries_the_patients_revision(patient: Patient, programme: Prescription) -> None:
    before = PatientRev.objects.get(patient=patient).rev
    store(patient, session(programme))
    assert Session.objects.get().rev == PatientRev.objects.get(patient=patient).rev == before + 1


def test_more_than_prescribed_is_the_whole_dose_and_no_more(patient: Patient, programme: Prescription) -> None:
    store(patient, session(programme, exercises=[{"exercise": "cat-cow", "sets": 9, "breaths": 99}]))
    assert values(patient) == {WEDNESDAY: 50.0}


def test_what_was_not_completed_counts_as_far_as_it_was_counted(patient: Patient) -> None:
    programme = a_programme(patient, BIRD_DOG, CAT_COW, WALK)
    done = [
        {"exercise": "bird-dog", "sets": 1, "completed": False},
        {"exercise": "cat-cow", "completed": False},
        {"exercise": "baseline-walk", "minutes": 5},
    ]
    store(patient, session(programme, exercises=done))
    assert values(patient) == {WEDNESDAY: pytest.approx(100 * (1 / 3 + 0 + 1 / 2) / 3, abs=0.1)}


def test_the_local_day_is_the_patients() -> None:
    traveller = a_patient(time_zone="Pacific/Auckland")
    assert today_of(traveller, NOW) == date(2026, 11, 4)
    assert today_of(traveller, NOW + timedelta(hours=7)) == date(2026, 11, 5)


class TestThroughTheDoor:
    """The same by the phone's push, with follow-ups and adverse events."""

    @pytest.fixture
    def send(self, patient: Patient) -> Any:
        import json

        from backend.sync.push import push

        def do(*items: dict[str, Any]) -> Any:
            raw = [msgspec.Raw(json.dumps(item).encode()) for item in items]
            return push(raw, patient.pk, patient.clinic_id, DOOR)

        return do

    def followup(self, of: dict[str, Any], pain: int = 3) -> dict[str, Any]:
        return {
            "type": "session-followup",
            "id": str(uuid7()),
            "session": of["id"],
            "authored_at": "2026-11-04T09:30:00+01:00",
            "pain_next_day": pain,
        }

    def test_a_session_and_its_followup_in_one_push(self, send: Any, programme: Prescription) -> None:
        done = session(programme)
        after = self.followup(done)
        assert [verdict.status for verdict in send(after, done)] == ["stored", "stored"]
        assert [verdict.status for verdict in send(after, done)] == ["duplicate", "duplicate"]
        assert SessionFollowup.objects.get().pain_next_day == 3

    def withdrawal(self, of: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {
            "type": "session-withdrawal",
            "id": str(uuid7()),
            "session": of["id"],
            "authored_at": "2026-11-04T09:40:00+01:00",
            "reason": "that was my sister",
        } | fields

    def test_a_session_taken_back_stays_on_record_and_counts_no_more(
        self, patient: Patient, send: Any, programme: Prescription
    ) -> None:
        done = session(programme)
        send(done)
        assert values(patient) == {WEDNESDAY: 100.0}
        assert send(self.withdrawal(done))[0].status == "stored"
        assert (values(patient), values(patient, "session.load")) == ({}, {})
        row = Session.objects.get()
        assert (row.live, row.withdrawn_at, row.withdrawn_reason) == (False, NOW, "that was my sister")
        assert row.rev == PatientRev.objects.get(patient=patient).rev

    def test_a_session_is_taken_back_once(self, send: Any, programme: Prescription) -> None:
        done = session(programme)
        once, twice = self.withdrawal(done), self.withdrawal(done, reason="really")
        assert [verdict.status for verdict in send(done, once, twice)] == ["stored", "stored", "duplicate"]
        assert send(once)[0].status == "duplicate"
        assert Session.objects.get().withdrawn_reason == "that was my sister"

    def test_what_was_taken_back_is_not_corrected_any_more(self, send: Any, programme: Prescription) -> None:
        done = session(programme)
        send(done, self.withdrawal(done))
        (verdict,) = send(session(programme, replaces=done["id"]))
        assert codes(verdict) == [("replaces", "not_live")]

    def test_a_painful_session_taken_back_raises_nothing_with_the_next(
        self, send: Any, programme: Prescription
    ) -> None:
        red = session(programme, pain_during=9)
        send(red, self.withdrawal(red))
        send(session(programme, started_at="2026-11-02T08:00:00+01:00", pain_during=9))
        assert not Alert.objects.exists()

    def test_only_ones_own_session_can_be_taken_back(self, patient: Patient, send: Any) -> None:
        other = a_patient()
        theirs = session(a_programme(other))
        store(other, theirs)
        for sent in (self.withdrawal(theirs), self.withdrawal({"id": str(uuid7())})):
            (verdict,) = send(sent)
            assert codes(verdict) == [("session", "unknown_session")]
        assert Session.objects.get().live
        assert Quarantine.objects.filter(patient=patient, kind="session-withdrawal").count() == 2

    def test_many_withdrawals_take_as_many_statements_as_one(self, send: Any, programme: Prescription) -> None:
        done = [session(programme, started_at=f"2026-11-04T0{hour}:00:00+01:00") for hour in range(5, 10)]
        send(*done)
        with CaptureQueriesContext(connection) as one:
            send(self.withdrawal(done[0]))
        with CaptureQueriesContext(connection) as many:
            send(*(self.withdrawal(each) for each in done[1:4]))
        assert len(one) == len(many)

    def test_a_followup_of_no_session_is_refused(self, send: Any) -> None:
        (verdict,) = send(self.followup({"id": str(uuid7())}))
        assert codes(verdict) == [("session", "unknown_session")]

    def test_two_painful_sessions_in_a_week_raise_an_alert_once(self, send: Any, programme: Prescription) -> None:
        red = session(programme, pain_during=6)
        unsettled = session(programme, started_at="2026-11-02T08:00:00+01:00")
        send(red, unsettled)
        assert not Alert.objects.exists()
        send(self.followup(unsettled, pain=4))
        send(session(programme, started_at="2026-11-03T08:00:00+01:00"))
        assert list(Alert.objects.values_list("rule", "severity")) == [("EX-1", Alert.Severity.MEDIUM)]
        assert Alert.objects.get().events.count() == 1

    @pytest.mark.parametrize(("kind", "serious"), [("syncope", True), ("chest-pain", True), ("fall", False)])
    def test_a_serious_adverse_event_raises_an_alert_and_calls_for_the_clinics_text(
        self, send: Any, kind: str, serious: bool
    ) -> None:
        event = {
            "type": "adverse-event",
            "id": str(uuid7()),
            "kind": kind,
            "authored_at": "2026-11-04T09:30:00+01:00",
            "severity": 2,
        }
        (verdict,) = send(event)
        assert verdict.safety == (["adverse-event"] if serious else [])
        assert Alert.objects.filter(rule="AE-1").exists() is serious
        assert send(event)[0].status == "duplicate"
        assert AdverseEvent.objects.count() == 1

    def test_a_serious_adverse_event_is_seen_even_if_the_rest_of_it_is_wrong(self, send: Any) -> None:
        event = {"type": "adverse-event", "id": str(uuid7()), "kind": "syncope", "authored_at": "yesterday"}
        (verdict,) = send(event)
        assert (verdict.status, verdict.safety) == ("rejected", ["adverse-event"])
        assert Alert.objects.get().rule == "AE-1"

    def test_the_programme_is_pulled_with_all_that_a_phone_needs(
        self, patient: Patient, programme: Prescription, send: Any
    ) -> None:
        from backend.sync.pull import pull

        done = session(programme)
        send(done)
        changes = {change["type"]: change for change in changes_of(pull(None, patient.pk, patient.clinic_id, "en"))}
        assert changes["prescription"]["id"] == str(programme.pk)
        assert changes["prescription"]["data"]["exercises"]["cat-cow"]["words"]["en"]["steps"]
        assert changes["session"]["id"] == done["id"]
