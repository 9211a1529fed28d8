"""Schedules become slots, and only the difference is written."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries
from uuid_utils.compat import uuid7

from backend.people.models import Consent, Patient, PatientRev, ZoneHistory
from backend.reminders.models import Absence, Schedule, Slot, SlotState
from backend.reminders.planning import plan, plan_ahead
from backend.reminders.scheduling import ScheduleError, end_schedule, set_schedule
from backend.reminders.slots import Points, Rule, Window
from exercises.models import Pause
from tests.backend.reminders.given import DIARY, EVENING, a_diarist, a_patient, answer, at, slot_of

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
EARLIER = Rule((Window(time(15), time(17)),))


def states(patient: Patient) -> list[tuple[str, str]]:
    rows = Slot.objects.filter(patient=patient).order_by("local_date", "n")
    return [(row.local_date.isoformat()[5:], row.state) for row in rows]


def test_a_new_schedule_stands_for_two_weeks_from_today() -> None:
    patient = a_diarist(NOON)
    found = states(patient)
    assert found[0] == ("03-02", "upcoming")
    assert found[-1] == ("03-16", "upcoming")
    assert len(found) == 15
    assert slot_of(patient, "2026-03-02").opens_at == at("2026-03-02T18:00:00+01:00")


def test_planning_again_writes_nothing() -> None:
    patient = a_diarist(NOON)
    assert plan([patient.pk], NOON) == 0


def test_what_is_over_is_not_asked_for_in_hindsight() -> None:
    patient = a_diarist(at("2026-03-02T23:30:00+01:00"))
    assert states(patient)[0] == ("03-03", "upcoming")


def test_planning_takes_the_same_statements_for_one_patient_and_for_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    patients = [a_diarist(NOON) for _ in range(20)]
    later = NOON + timedelta(days=8)
    for some in (patients[:1], patients[1:]):
        ids = [patient.pk for patient in some]
        ZoneHistory.objects.filter(patient_id__in=ids).update(time_zone="Asia/Tokyo")
        with django_assert_num_queries(14):  # two of them open and end the transaction
            assert plan(ids, later) > 0


def test_an_edited_schedule_moves_what_is_to_come_and_leaves_what_was_done() -> None:
    patient = a_diarist(NOON)
    answer(patient, "2026-03-02T18:30:00+01:00")
    set_schedule(patient, *DIARY, EARLIER, at("2026-03-02T19:00:00+01:00"))
    assert Schedule.objects.get(patient=patient).version == 2
    done, next_one = slot_of(patient, "2026-03-02"), slot_of(patient, "2026-03-03")
    assert done.state == SlotState.COMPLETED
    assert done.opens_at == at("2026-03-02T18:00:00+01:00")
    assert next_one.opens_at == at("2026-03-03T15:00:00+01:00")


def test_who_moves_to_another_zone_is_asked_by_its_clock() -> None:
    patient = a_diarist(NOON)
    before = slot_of(patient, "2026-03-03").rev
    ZoneHistory.objects.create(
        clinic=patient.clinic, patient=patient, since=at("2026-03-03T06:00:00+09:00"), time_zone="Asia/Tokyo"
    )
    plan([patient.pk], at("2026-03-03T06:00:00+09:00"))
    moved = slot_of(patient, "2026-03-03")
    assert moved.opens_at == at("2026-03-03T18:00:00+09:00")
    assert moved.rev == PatientRev.objects.get(patient=patient).rev > before


def test_an_absence_pauses_its_days_and_one_that_ended_frees_them() -> None:
    patient = a_diarist(NOON)
    absence = Absence.objects.create(
        id=uuid7(), clinic=patient.clinic, patient=patient, rev=0, first_day=date(2026, 3, 3), last_day=date(2026, 3, 4)
    )
    plan([patient.pk], NOON)
    assert [state for _, state in states(patient)[:4]] == ["upcoming", "paused", "paused", "upcoming"]
    absence.delete()
    plan([patient.pk], NOON)
    assert {state for _, state in states(patient)} == {"upcoming"}


def test_a_paused_programme_pauses_its_sessions_and_nothing_else() -> None:
    patient = a_diarist(NOON)
    programme = uuid7()
    set_schedule(patient, Schedule.Asks.SESSION, str(programme), EVENING, NOON)
    Pause.objects.create(
        id=uuid7(),
        clinic=patient.clinic,
        patient=patient,
        rev=0,
        programme=programme,
        from_day=date(2026, 3, 4),
        reason=Pause.Reason.FLARE,
    )
    plan([patient.pk], NOON)
    assert slot_of(patient, "2026-03-03", code=str(programme)).state == SlotState.UPCOMING
    assert slot_of(patient, "2026-03-10", code=str(programme)).state == SlotState.PAUSED
    assert slot_of(patient, "2026-03-10").state == SlotState.UPCOMING


def test_an_ended_schedule_withdraws_what_is_to_come_and_keeps_what_was_answered() -> None:
    patient = a_diarist(NOON)
    answer(patient, "2026-03-02T18:30:00+01:00")
    end_schedule(Schedule.objects.get(patient=patient), at("2026-03-02T19:00:00+01:00"))
    found = states(patient)
    assert found[0] == ("03-02", "completed")
    assert {state for _, state in found[1:]} == {"withdrawn"}


def test_withdrawn_consent_and_discharge_end_what_is_to_come() -> None:
    withdrawn, discharged = a_diarist(NOON), a_diarist(NOON)
    Consent.objects.filter(patient=withdrawn).update(withdrawn_at=NOON)
    Patient.objects.filter(pk=discharged.pk).update(status=Patient.Status.DISCHARGED)
    plan([withdrawn.pk, discharged.pk], NOON)
    assert {state for _, state in states(withdrawn) + states(discharged)} == {"withdrawn"}


def test_planning_goes_on_before_the_slots_run_out() -> None:
    patient = a_diarist(NOON)
    assert plan_ahead(NOON + timedelta(days=6), 10) == 0
    assert plan_ahead(NOON + timedelta(days=8), 10) == 1
    assert states(patient)[-1] == ("03-24", "upcoming")
    assert plan_ahead(NOON + timedelta(days=8), 10) == 0


def test_an_anchor_that_is_not_known_yet_asks_nothing_until_it_is() -> None:
    patient = a_patient()
    start = Rule((Window(time(8), time(20)),), pattern=Points(days=(0,)), anchor="programme-start")
    set_schedule(patient, *DIARY, start, NOON)
    assert states(patient) == []
    Patient.objects.filter(pk=patient.pk).update(programme_started_on=date(2026, 3, 5))
    plan([patient.pk], NOON)
    assert states(patient) == [("03-05", "upcoming")]


def test_a_rule_from_a_surgery_needs_its_date() -> None:
    after_surgery = Rule((Window(time(8), time(20)),), pattern=Points(days=(0,)), anchor="surgery")
    with pytest.raises(ScheduleError) as refused:
        set_schedule(a_patient(), *DIARY, after_surgery, NOON)
    assert refused.value.code == "anchor_on"


def test_the_composite_foreign_key_to_the_slot_stands() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'mention_slot'")
        (definition,) = cursor.fetchone() or ("",)
    assert "(patient_id, schedule_id, local_date, n) REFERENCES reminders_slot" in definition
