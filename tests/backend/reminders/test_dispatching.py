"""A slot is opened, reminded of, answered or missed; what is said goes through the outbox, once."""

import re
import threading
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from backend.people.models import Patient, PatientRev
from backend.people.writes import Door, next_revisions
from backend.reminders.agenda import agenda, changes
from backend.reminders.completing import Answer, complete, unknown_slots
from backend.reminders.dispatching import dispatch
from backend.reminders.models import Message, Schedule, SlotState
from backend.reminders.scheduling import set_schedule
from backend.reminders.sending import LEASE, claim, send_due
from backend.reminders.slots import SlotKey
from backend.reminders.ticking import tick
from tests.backend.reminders.given import EVENING, a_diarist, a_patient, answer, at, slot_of

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
SIX = at("2026-03-02T18:00:00+01:00")
SEVEN = at("2026-03-02T19:00:00+01:00")
EIGHT = at("2026-03-02T20:00:00+01:00")


def key(patient: Patient, day: str) -> SlotKey:
    slot = slot_of(patient, day)
    return SlotKey(slot.schedule_id, slot.local_date, slot.n)


def test_one_day_of_the_diary_from_opening_to_answer(capsys: pytest.CaptureFixture[str]) -> None:
    patient = a_diarist(NOON)
    dispatch(SIX, 100)
    assert slot_of(patient, "2026-03-02").state == SlotState.OPEN
    assert capsys.readouterr().out == ""
    dispatch(SEVEN, 100)
    line = capsys.readouterr().out
    assert re.fullmatch(rf"reminder ([0-9a-f-]{{36}}) to patient {patient.pk}, Mon 19:00 in Europe/Zurich\n", line)
    message = Message.objects.get()
    assert str(message.id) in line
    assert message.state == Message.State.SENT
    response = answer(patient, "2026-03-02T19:30:00+01:00")
    slot = slot_of(patient, "2026-03-02")
    assert (slot.state, slot.completed_by) == (SlotState.COMPLETED, response)
    dispatch(EIGHT, 100)
    dispatch(at("2026-03-02T23:00:00+01:00"), 100)
    assert capsys.readouterr().out == ""


def test_however_often_the_clock_is_looked_at_each_reminder_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    a_diarist(NOON)
    for minute in range(0, 24 * 60, 7):
        dispatch(SIX + timedelta(minutes=minute), 100)
        dispatch(SIX + timedelta(minutes=minute), 100)
    assert len(capsys.readouterr().out.splitlines()) == 2  # the reminder and its one nudge
    assert Message.objects.count() == 2


def test_an_unanswered_slot_is_missed_when_its_grace_is_over() -> None:
    patient = a_diarist(NOON)
    dispatch(SIX, 100)
    slot = slot_of(patient, "2026-03-02")
    tick(slot.missed_at - timedelta(seconds=1), 100)
    assert slot_of(patient, "2026-03-02").state == SlotState.OPEN
    tick(slot.missed_at, 100)
    assert slot_of(patient, "2026-03-02").state == SlotState.MISSED


def test_an_answer_authored_in_the_window_completes_the_slot_however_late_it_arrives() -> None:
    punctual, late = a_diarist(NOON), a_diarist(NOON)
    missed_at = slot_of(late, "2026-03-02").missed_at
    tick(missed_at, 100)
    answer(punctual, "2026-03-02T22:00:00+01:00", missed_at.isoformat())
    answer(late, "2026-03-02T22:00:00+01:00", (missed_at + timedelta(days=20)).isoformat())
    assert slot_of(punctual, "2026-03-02").state == SlotState.COMPLETED
    assert slot_of(late, "2026-03-02").state == SlotState.LATE


@pytest.mark.parametrize("authored_at", ["2026-03-02T17:59:59+01:00", "2026-03-02T23:00:00+01:00"])
def test_an_answer_authored_outside_the_window_completes_nothing(authored_at: str) -> None:
    patient = a_diarist(NOON)
    answer(patient, authored_at, slot=key(patient, "2026-03-02"))
    assert slot_of(patient, "2026-03-02").state == SlotState.UPCOMING


def test_the_first_answer_stays_the_slots() -> None:
    patient = a_diarist(NOON)
    first = answer(patient, "2026-03-02T18:10:00+01:00")
    answer(patient, "2026-03-02T18:20:00+01:00")
    assert slot_of(patient, "2026-03-02").completed_by == first


def test_an_answer_to_another_instrument_completes_nothing() -> None:
    patient = a_diarist(NOON)
    answer(patient, "2026-03-02T18:10:00+01:00", code="phq-8", slot=key(patient, "2026-03-02"))
    assert slot_of(patient, "2026-03-02").state == SlotState.UPCOMING


def test_a_session_completes_the_slot_of_its_prescription() -> None:
    patient = a_patient()
    prescription = str(uuid4())
    set_schedule(patient, Schedule.Asks.SESSION, prescription, EVENING, NOON)
    with transaction.atomic():
        session = Answer(patient.pk, Schedule.Asks.SESSION, prescription, SEVEN, uuid4())
        complete([session], Door("phone", SEVEN), next_revisions([patient.pk]))
    assert slot_of(patient, "2026-03-02", code=prescription).state == SlotState.COMPLETED


def test_completing_takes_one_statement_for_one_answer_and_for_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    patient = a_diarist(NOON)
    authored = [SEVEN + timedelta(days=day, minutes=minute) for day in range(14) for minute in range(20)]
    answers = [Answer(patient.pk, Schedule.Asks.INSTRUMENT, "daily-diary", moment, uuid4()) for moment in authored]
    revisions = next_revisions([patient.pk])
    for some in (answers[:1], answers[1:]):
        with django_assert_num_queries(1):
            complete(some, Door("phone", authored[-1]), revisions)
    assert [slot_of(patient, f"2026-03-{day:02}").state for day in (2, 15)] == ["late", "completed"]
    assert slot_of(patient, "2026-03-15").rev == PatientRev.objects.get(patient=patient).rev


def test_anothers_slot_is_unknown() -> None:
    patient, other = a_diarist(NOON), a_diarist(NOON)
    mine, theirs = key(patient, "2026-03-02"), key(other, "2026-03-02")
    assert unknown_slots(patient.pk, [mine, theirs]) == {theirs}


def test_nothing_is_sent_after_the_answer_was_stored_before_the_claim(capsys: pytest.CaptureFixture[str]) -> None:
    patient = a_diarist(NOON)
    tick(SIX, 100)
    tick(SEVEN, 100)
    assert Message.objects.get().state == Message.State.PENDING
    answer(patient, "2026-03-02T19:00:00+01:00")
    send_due(SEVEN, 100)
    assert capsys.readouterr().out == ""
    assert Message.objects.get().state == Message.State.CANCELLED


def test_a_worker_that_dies_after_its_claim_leaves_the_message_to_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    a_diarist(NOON)
    tick(SIX, 100)
    tick(SEVEN, 100)
    _, (claimed,) = claim(SEVEN, 100, UUID(int=1))
    send_due(SEVEN + LEASE - timedelta(seconds=1), 100)
    assert capsys.readouterr().out == ""
    send_due(SEVEN + LEASE, 100)
    assert str(claimed.id) in capsys.readouterr().out


def test_three_things_due_at_once_make_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    patient = a_diarist(NOON)
    for code in ("phq-8", "red-flag-screen"):
        set_schedule(patient, Schedule.Asks.INSTRUMENT, code, EVENING, NOON)
    dispatch(SIX, 100)
    dispatch(SEVEN, 100)
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert Message.objects.get().mentions.count() == 3


def test_a_bundle_goes_out_for_what_is_left_of_it() -> None:
    patient = a_diarist(NOON)
    set_schedule(patient, Schedule.Asks.INSTRUMENT, "phq-8", EVENING, NOON)
    tick(SIX, 100)
    tick(SEVEN, 100)
    answer(patient, "2026-03-02T19:00:00+01:00")
    _, (claimed,) = claim(SEVEN, 100, UUID(int=1))
    assert claimed.count == 1


def test_a_tick_takes_the_same_statements_for_one_patient_and_for_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for patients in (1, 20):
        for _ in range(patients):
            a_diarist(NOON)
        tick(SIX, 100)
        with django_assert_num_queries(15):  # two of them open and end the transaction
            assert tick(SEVEN, 100)["pending"] == patients
        send_due(SEVEN, 100)


def test_a_tick_with_nothing_due_takes_one_look(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    a_diarist(NOON)
    with django_assert_num_queries(3):
        assert not tick(NOON, 100)


def test_the_agenda_says_what_is_due_with_its_window_and_nothing_that_was_missed() -> None:
    patient = a_diarist(NOON)
    tick(at("2026-03-05T18:00:00+01:00"), 100)
    found = agenda(patient.pk, at("2026-03-05T18:30:00+01:00"), 2)
    assert [(item.local_date.isoformat(), item.state) for item in found] == [
        ("2026-03-05", "open"),
        ("2026-03-06", "upcoming"),
        ("2026-03-07", "upcoming"),
    ]
    assert found[0].closes_at == at("2026-03-05T23:00:00+01:00")
    assert found[0].slot == str(key(patient, "2026-03-05"))


def test_a_pull_carries_each_change_of_a_slot() -> None:
    patient = a_diarist(NOON)
    seen = PatientRev.objects.get(patient=patient).rev
    assert changes(patient.pk).filter(rev__lte=seen).count() == 15
    answer(patient, "2026-03-02T18:30:00+01:00")
    ((_, place, change),) = changes(patient.pk).filter(rev__gt=seen)
    assert place == f"slot:{key(patient, '2026-03-02')}"
    assert change["id"] == str(key(patient, "2026-03-02"))
    assert change["data"]["state"] == "completed"


@pytest.mark.django_db(transaction=True)
def test_who_finds_the_oldest_taken_looks_at_the_next() -> None:
    for _ in range(2):
        a_diarist(NOON)
    found: list[Counter[str]] = []

    def colleague() -> None:
        try:
            found.append(tick(SIX, 1))
        finally:
            connection.close()

    with transaction.atomic():
        assert tick(SIX, 1)["patients"] == 1
        thread = threading.Thread(target=colleague)
        thread.start()
        thread.join()
    assert [each["patients"] for each in found] == [1]
    assert tick(SIX, 1)["patients"] == 0


@pytest.mark.parametrize(("patients", "calls"), [(1, 0), (2, 1), (5, 1)])
def test_help_is_called_for_once_where_the_first_look_does_not_see_all(patients: int, calls: int) -> None:
    for _ in range(patients):
        a_diarist(NOON)
    called: list[None] = []
    dispatch(SIX, 2, call_for_help=lambda: called.append(None))
    assert len(called) == calls
