"""A batch in, verdicts out; and what changed, read back by cursor."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import ClinicText, Patient, PatientRev
from backend.people.writes import Door
from backend.reminders.models import Slot
from backend.reminders.slots import Rule, Window
from backend.rest.verdicts import Verdict
from backend.sync.models import Quarantine
from backend.sync.pull import PAGE, Cursor, Pulled, decode_cursor, pull
from backend.sync.push import clock_skew, push
from exercises.models import Session
from outcomes.models import Alert, AlertEvent, Response
from tests.backend.reminders import given
from tests.backend.reminders.given import a_diarist, at, slot_of
from tests.exercises.programmes import a_programme, session
from tests.factories import a_patient
from tests.pulling import changes_of

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def a_response(**fields: Any) -> dict[str, Any]:
    return {
        "type": "response",
        "id": str(uuid7()),
        "instrument": "nrs-pain",
        "version": "1",
        "authored_at": "2026-11-22T08:15:00+01:00",
        "time_zone": "Europe/Zurich",
        "answers": {"pain": 4},
    } | fields


def send(patient: Patient, *items: object) -> list[Verdict]:
    raw = [msgspec.Raw(item if isinstance(item, bytes) else json.dumps(item).encode()) for item in items]
    return push(raw, patient.pk, patient.clinic_id, Door(origin="phone", received_at=NOW))


def read(patient: Patient, cursor: str | None = None) -> Pulled:
    return pull(decode_cursor(cursor), patient.pk, patient.clinic_id, "en")


@pytest.mark.django_db
class TestPush:
    def test_each_item_is_answered_in_its_place(self) -> None:
        patient = a_patient()
        good, bad = a_response(), a_response(instrument="phq-99")
        withdrawal = {
            "type": "withdrawal",
            "id": str(uuid7()),
            "response": good["id"],
            "authored_at": "2026-11-22T08:20:00+01:00",
        }
        verdicts = send(patient, bad, b"5", withdrawal, good)
        assert [verdict.status for verdict in verdicts] == ["rejected", "rejected", "stored", "stored"]
        assert [verdict.id and str(verdict.id) for verdict in verdicts] == [
            bad["id"],
            None,
            withdrawal["id"],
            good["id"],
        ]

    def test_what_is_refused_is_kept_to_the_letter(self) -> None:
        patient = a_patient()
        content = b'{"type": "response", "id": "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",  "answers": {"1": "a\\u0000b"}}'
        send(patient, content)
        row = Quarantine.objects.get(patient=patient)
        assert bytes(row.content) == content
        assert str(row.client_id) == "01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37"
        assert row.errors[0]["code"] == "required"

    def test_the_same_refusal_twice_is_kept_once(self) -> None:
        patient = a_patient()
        bad = a_response(instrument="phq-99")
        assert [send(patient, bad)[0].status for _ in range(2)] == ["rejected", "rejected"]
        assert Quarantine.objects.filter(patient=patient).count() == 1

    def test_the_second_of_a_conflict_goes_to_quarantine(self) -> None:
        patient = a_patient()
        first = a_response()
        send(patient, first)
        send(patient, first | {"answers": {"pain": 9}})
        assert Quarantine.objects.get(patient=patient).status == "conflict"
        assert Response.objects.get(patient=patient).answers == {"pain": 4}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"authored_at": "2190-01-01T00:00:00Z"},
            {"version": "17"},
            {"time_zone": None},
            {"id": "no id"},
            {"answers": {"3": 17, "9": 1}},
            {"answers": {"3": "\0", "9": 1}},
        ],
    )
    def test_a_refused_form_that_answers_item_9_still_raises_its_alert_once(self, wrong: dict[str, Any]) -> None:
        patient = a_patient()
        item = a_response(instrument="phq-9", answers={"9": 1}) | wrong
        for _ in range(2):
            (verdict,) = send(patient, item)
            assert (verdict.status, verdict.safety) == ("rejected", ["crisis"])
        alert = Alert.objects.get(patient=patient)
        assert (alert.rule, alert.source) == ("SUI-1", Quarantine.objects.get(patient=patient).id)
        assert AlertEvent.objects.filter(alert=alert).count() == 1

    @pytest.mark.parametrize(
        ("answers", "field", "flags"),
        [
            ('{"9": 1, "9": 0}', "answers.9", ["crisis"]),
            ('{"9": 0, "8": 2, "9": 3}', "answers.9", ["crisis"]),
            ('{"9" : 1, "\\u0039": 0}', "answers.9", ["crisis"]),
            ('{"9": 1}, "answers": {"9": 0}', "answers", ["crisis"]),
            ('{"9": 1}, "\\u0061nswers": {"9": 0}', "answers", ["crisis"]),
            ('{"9": 0, "9": 0}', "answers.9", []),
            ('{"1": 2, "9": 0, "9": null}', "answers.9", ["support"]),
            ('{"1": 2, "9": "1", "9": 0}', "answers.9", []),
        ],
    )
    def test_a_form_that_answers_an_item_twice_is_refused_and_each_answer_is_read(
        self, answers: str, field: str, flags: list[str]
    ) -> None:
        patient = a_patient()
        content = json.dumps(a_response(instrument="phq-9")).replace('{"pain": 4}', answers).encode()
        (verdict,) = send(patient, content)
        assert (verdict.status, verdict.safety) == ("rejected", flags)
        assert [(error.field, error.code) for error in verdict.errors] == [(field, "repeated_key")]
        kept = Quarantine.objects.get(patient=patient)
        assert bytes(kept.content) == content
        assert not Response.objects.filter(patient=patient).exists()
        assert list(Alert.objects.filter(patient=patient).values_list("source", flat=True)) == [kept.id] * len(flags)

    def test_text_with_a_colon_or_a_quote_is_no_key(self) -> None:
        (verdict,) = send(a_patient(), a_response(note='a "pain": 1, "answers": {"pain": 2}'))
        assert verdict.status == "stored"

    def test_an_adverse_event_of_two_kinds_is_refused_and_each_kind_is_read(self) -> None:
        patient = a_patient()
        event = {"type": "adverse-event", "id": str(uuid7()), "kind": "other", "authored_at": "2026-11-22T08:15:00Z"}
        content = json.dumps(event).replace('"kind": "other"', '"kind": "syncope", "kind": "other"').encode()
        (verdict,) = send(patient, content)
        assert [(error.field, error.code) for error in verdict.errors] == [("kind", "repeated_key")]
        assert verdict.safety == ["adverse-event"]
        assert Alert.objects.get(patient=patient).rule == "AE-1"

    def test_a_conflict_that_answers_item_9_raises_its_alert(self) -> None:
        patient = a_patient()
        item = a_response(instrument="phq-9", answers={"9": 0})
        send(patient, item)
        (verdict,) = send(patient, item | {"answers": {"9": 3}})
        assert (verdict.status, verdict.safety) == ("conflict", ["crisis"])
        assert Alert.objects.get(patient=patient).rule == "SUI-1"

    def test_scores_sent_along_are_not_believed(self) -> None:
        (verdict,) = send(a_patient(), a_response(scores={"nrs-pain.total": 0}))
        assert verdict.scores == {"nrs-pain.total": 4}

    def test_five_hundred_items_cost_as_many_statements_as_one_of_each_kind(self) -> None:
        def statements(times: int) -> int:
            patient = a_patient()
            with CaptureQueriesContext(connection) as queries:
                send(patient, *[item for _ in range(times) for item in (a_response(), a_response(instrument="x"))])
            return len(queries)

        statements(1)
        assert statements(1) == statements(250)

    def test_nothing_pushed_costs_nothing(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            assert push([], 1, 1, Door(origin="phone", received_at=NOW)) == []
        assert len(queries) == 0


@pytest.mark.django_db
class TestSlots:
    def a_diarist(self) -> tuple[Patient, Slot]:
        patient = a_diarist(at("2026-11-22T07:00:00+01:00"), Rule((Window(time(7), time(23)),)))
        return patient, slot_of(patient, "2026-11-22")

    def a_diary(self, **fields: Any) -> dict[str, Any]:
        return a_response(instrument="daily-diary", answers={"pain-average": 3}) | fields

    def test_the_answer_completes_the_slot_that_asked_for_it_and_the_phone_is_told(self) -> None:
        patient, slot = self.a_diarist()
        cursor = read(patient).cursor
        item = self.a_diary(slot=f"{slot.schedule_id}:{slot.local_date}:{slot.n}")
        assert send(patient, item)[0].status == "stored"
        slot.refresh_from_db()
        assert (slot.state, str(slot.completed_by)) == ("completed", item["id"])
        told = {change["type"]: change["data"] for change in changes_of(read(patient, cursor))}
        assert told["slot"]["state"] == "completed"

    def test_an_answer_that_names_no_slot_completes_the_one_that_is_open(self) -> None:
        patient, slot = self.a_diarist()
        send(patient, self.a_diary())
        slot.refresh_from_db()
        assert slot.state == "completed"

    def test_another_patients_slot_is_unknown_and_stays_as_it_is(self) -> None:
        patient, _ = self.a_diarist()
        _, foreign = self.a_diarist()
        (verdict,) = send(patient, self.a_diary(slot=f"{foreign.schedule_id}:{foreign.local_date}:0"))
        assert [(error.field, error.code) for error in verdict.errors] == [("slot", "unknown_slot")]
        foreign.refresh_from_db()
        assert foreign.state != "completed"

    @pytest.mark.parametrize("name", ["", "tomorrow", "1:2:3", "::", "\u0661:2026-11-22:0"])
    def test_what_names_no_slot_is_told_so(self, name: str) -> None:
        (verdict,) = send(a_patient(), self.a_diary(slot=name))
        assert [(error.field, error.code) for error in verdict.errors] == [("slot", "invalid")]


@pytest.mark.parametrize(
    ("sent_at", "skew"), [(None, None), (NOW + timedelta(minutes=5), 300), (datetime(1, 1, 1, tzinfo=UTC), -(2**31))]
)
def test_the_phones_clock_is_compared_with_ours(sent_at: datetime | None, skew: int | None) -> None:
    assert clock_skew(sent_at, NOW) == skew


@pytest.mark.django_db(transaction=True)
def test_two_pushes_of_the_same_at_the_same_moment_store_it_once() -> None:
    patient = a_patient()
    item = a_response()
    answers: list[str] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        answers.append(send(patient, item)[0].status)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["duplicate", "duplicate", "duplicate", "stored"]
    assert Response.objects.filter(patient=patient).count() == 1


@pytest.mark.django_db
class TestPull:
    def test_the_first_pull_is_full_and_the_next_has_only_what_is_new(self) -> None:
        patient = a_patient()
        send(patient, a_response())
        first = read(patient)
        assert (first.full, first.more, first.count, len(changes_of(first))) == (True, False, 1, 1)
        nothing = read(patient, first.cursor)
        assert (nothing.full, nothing.count, changes_of(nothing)) == (False, 0, [])
        later = a_response()
        send(patient, later)
        assert [change["id"] for change in changes_of(read(patient, nothing.cursor))] == [later["id"]]

    def test_a_corrected_response_comes_again_as_it_now_is(self) -> None:
        patient = a_patient()
        first = a_response()
        send(patient, first)
        cursor = read(patient).cursor
        second = a_response(replaces=first["id"])
        send(patient, second)
        changes = {change["id"]: change["data"]["live"] for change in changes_of(read(patient, cursor))}
        assert changes == {first["id"]: False, second["id"]: True}

    def test_pages_follow_each_other_without_gap_or_repeat_even_within_one_revision(self) -> None:
        patient = a_patient()
        sent = [a_response() for _ in range(PAGE - 1)]
        send(patient, *sent)
        send(patient, *(more := [a_response() for _ in range(PAGE - 1)]))
        seen: list[str] = []
        cursor = None
        pages = 0
        more_to_come = True
        while more_to_come:
            page = read(patient, cursor)
            seen += [change["id"] for change in changes_of(page)]
            cursor = page.cursor
            more_to_come = page.more
            pages += 1
        assert pages == 2
        assert page.count == len(changes_of(page)) == PAGE - 2
        assert sorted(seen) == sorted(item["id"] for item in sent + more)

    def test_another_patients_changes_are_not_seen(self) -> None:
        send(a_patient(), a_response())
        assert changes_of(read(a_patient())) == []

    def test_a_revision_from_the_future_means_a_full_pull(self) -> None:
        """After a restore the phone has seen revisions that this database never made."""
        patient = a_patient()
        send(patient, a_response())
        cursor = read(patient).cursor
        PatientRev.objects.filter(patient=patient).update(rev=0)
        assert read(patient, cursor).full

    @pytest.mark.parametrize(
        "text", ["nonsense", "é", "=" * 5, "WzFd", "A" * 100_000, "", Cursor("x", 0, "\0").encode()]
    )
    def test_a_cursor_that_is_not_ours_means_a_full_pull(self, text: str) -> None:
        patient = a_patient()
        send(patient, a_response())
        pulled = read(patient, text)
        assert (pulled.full, len(changes_of(pulled))) == (True, 1)

    def test_another_epoch_means_a_full_pull(self) -> None:
        patient = a_patient()
        send(patient, a_response())
        cursor = decode_cursor(read(patient).cursor)
        assert cursor is not None
        assert read(patient, msgspec.structs.replace(cursor, epoch="another").encode()).full

    def test_nothing_new_costs_one_statement(self) -> None:
        patient = a_patient()
        send(patient, a_response())
        cursor = read(patient).cursor
        with CaptureQueriesContext(connection) as queries:
            read(patient, cursor)
        assert len(queries) == 1

    def test_the_safety_card_is_announced_when_it_changes(self) -> None:
        patient = a_patient()
        cursor = read(patient).cursor
        assert not read(patient, cursor).new_card
        ClinicText.objects.create(clinic=patient.clinic, kind="crisis", language="en", version=1, body="Call us.")
        assert read(patient, cursor).new_card


def test_a_cursor_survives_its_way() -> None:
    cursor = Cursor("1f-2", 2**60, "response:x", "7-de")
    assert decode_cursor(cursor.encode()) == cursor


@pytest.mark.django_db
class TestEveryKind:
    def a_diarist(self) -> tuple[Patient, str]:
        patient = a_diarist(at("2026-11-22T07:00:00+01:00"), Rule((Window(time(7), time(23)),)))
        slot = slot_of(patient, "2026-11-22")
        return patient, f"{slot.schedule_id}:{slot.local_date}:{slot.n}"

    def an_item(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, "id": str(uuid7()), "authored_at": "2026-11-22T08:20:00+01:00"} | fields

    def test_not_today_is_one_tap_and_the_slot_asks_no_more(self) -> None:
        patient, slot = self.a_diarist()
        item = self.an_item("not-today", slot=slot, reason="pain", time_zone="Europe/Zurich")
        assert [verdict.status for verdict in send(patient, item, item)] == ["stored", "duplicate"]
        assert Slot.objects.get(patient=patient, local_date="2026-11-22").state == "declined"
        assert not Session.objects.filter(patient=patient).exists()

    def test_not_today_of_a_session_is_kept_as_a_session_that_was_skipped(self) -> None:
        patient = a_patient()
        prescription = a_programme(patient)
        item = self.an_item("not-today", prescription=str(prescription.pk), reason="fear", time_zone="Europe/Zurich")
        assert [verdict.status for verdict in send(patient, item)] == ["stored"]
        assert Session.objects.get(patient=patient).skipped == "fear"

    def test_not_today_says_what_is_not_for_today(self) -> None:
        (verdict,) = send(a_patient(), self.an_item("not-today", time_zone="Europe/Zurich"))
        assert [(error.field, error.code) for error in verdict.errors] == [("slot", "required")]

    def test_what_is_said_of_a_session_is_said_of_the_slot_that_asks_for_it(self) -> None:
        patient = given.a_patient(enrolled_at="2026-11-01T09:00:00+01:00")
        prescription = a_programme(patient, now=NOW - timedelta(days=3), weekdays=(1, 2, 3, 4, 5, 6, 7))
        declined = self.an_item(
            "not-today", prescription=str(prescription.pk), reason="fear", time_zone="Europe/Zurich"
        )
        send(patient, declined)
        slot = slot_of(patient, "2026-11-22", code=str(prescription.programme))
        assert (slot.state, slot.reason, slot.remind_at) == ("declined", "fear", None)
        done = session(prescription, started_at="2026-11-22T07:10:00+01:00")  # the hours begin at eight
        send(patient, done)
        slot.refresh_from_db()
        assert (slot.state, str(slot.completed_by)) == ("completed", done["id"])

    def test_an_unknown_slot_is_refused_whatever_names_it(self) -> None:
        foreign = self.a_diarist()[1]
        verdicts = send(
            a_patient(),
            self.an_item("not-today", slot=foreign, time_zone="Europe/Zurich"),
            self.an_item("snooze", slot=foreign, minutes=30),
            a_response(slot=foreign),
        )
        assert [verdict.errors[0].code for verdict in verdicts] == ["unknown_slot"] * 3

    def test_later_away_settings_and_receipts_are_taken_in_together(self) -> None:
        patient, slot = self.a_diarist()
        verdicts = send(
            patient,
            self.an_item("snooze", slot=slot, minutes=30),
            self.an_item("absence", first_day="2026-12-24", last_day="2026-12-26"),
            self.an_item("settings", channel="none"),
            {"type": "receipt", "id": str(uuid7()), "message": str(uuid7()), "opened_at": "2026-11-22T08:20:00Z"},
        )
        assert [verdict.status for verdict in verdicts] == ["stored", "stored", "stored", "rejected"]
        assert verdicts[3].errors[0].code == "unknown_message"
