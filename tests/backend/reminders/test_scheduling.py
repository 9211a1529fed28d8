"""Who can be asked for what, and the plans that ship."""

import threading
import time as time_
from datetime import date, time

import pytest
from django.db import connection, transaction

from backend.people.models import Membership, OnCall, OpeningHours, Patient, Role
from backend.people.writes import next_revisions
from backend.reminders.colleague_models import RefusedMail
from backend.reminders.models import Schedule, Slot
from backend.reminders.refusals import Refusal, refuse
from backend.reminders.scheduling import (
    ScheduleError,
    apply_plan,
    ask_as_watched,
    end_schedule,
    plans,
    set_schedule,
)
from backend.reminders.slots import Points
from backend.reminders.ticking import tick
from outcomes import library
from outcomes.packs import remove_pack
from tests import factories
from tests.backend.reminders.given import EVENING, a_diarist, a_patient, at, slot_of
from tests.outcomes.packs import a_pack

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")
INSTRUMENT = Schedule.Asks.INSTRUMENT


def somebody_on_call(patient: Patient) -> None:
    somebody = Membership.objects.create(clinic=patient.clinic, user=factories.a_user(), role=Role.CLINICIAN)
    OnCall.objects.create(clinic=patient.clinic, membership=somebody, position=1, hours="weekdays")


def hours_and_a_fallback(patient: Patient) -> None:
    OpeningHours.objects.create(clinic=patient.clinic, weekday=0, opens=time(8), closes=time(17))
    patient.clinic.fallback_email = "reception@example.org"
    patient.clinic.save()


def test_phq_9_waits_for_a_rota_and_phq_8_does_not() -> None:
    patient = a_patient()
    with pytest.raises(ScheduleError) as refused:
        set_schedule(patient, INSTRUMENT, "phq-9", EVENING, NOON)
    assert (refused.value.code, refused.value.instead) == ("no_rota", "phq-8")
    assert "item 9" in str(refused.value)
    set_schedule(patient, INSTRUMENT, "phq-8", EVENING, NOON)
    somebody_on_call(patient)
    with pytest.raises(ScheduleError, match="its opening hours, who is told when nobody answers"):
        set_schedule(patient, INSTRUMENT, "phq-9", EVENING, NOON)
    hours_and_a_fallback(patient)
    set_schedule(patient, INSTRUMENT, "phq-9", EVENING, NOON)


def test_who_is_asked_item_9_is_asked_without_it_once_nobody_would_read_it() -> None:
    patient, other = a_patient(), a_patient()
    for each in (patient, other):
        somebody_on_call(each)
        hours_and_a_fallback(each)
        set_schedule(each, INSTRUMENT, "phq-9", EVENING, NOON)
    assert ask_as_watched(NOON) == 0
    OnCall.objects.filter(clinic=patient.clinic).update(membership=somebody_who_left(patient))
    assert (ask_as_watched(NOON), ask_as_watched(NOON)) == (1, 0)
    asked = Schedule.objects.filter(active=True).values_list("patient", "code")
    assert sorted(asked) == [(patient.pk, "phq-8"), (other.pk, "phq-9")]
    assert slot_of(patient, "2026-03-02", code="phq-9").state == "withdrawn"
    assert slot_of(patient, "2026-03-02", code="phq-8").state == "upcoming"


def somebody_who_left(patient: Patient) -> Membership:
    return Membership.objects.create(clinic=patient.clinic, user=factories.a_user(is_active=False), role=Role.CLINICIAN)


def refuse_the_mail_of(patient: Patient, *, chain: bool = False, fallback: bool = False) -> None:
    users = [each.membership.user for each in OnCall.objects.filter(clinic=patient.clinic)] if chain else []
    found = [Refusal(user.email, "no such user", user_id=user.pk) for user in users]
    if fallback:
        found.append(Refusal(patient.clinic.fallback_email, "no such user", clinic_id=patient.clinic_id))
    refuse(found, NOON)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ({"chain": True}, "has not named: anybody on call whom a message reaches. "),
        ({"fallback": True}, "has not named: an address that takes mail for when nobody answers. "),
    ],
    ids=("chain", "fallback"),
)
def test_a_chain_or_a_fallback_that_nothing_reaches_counts_as_none(lost: dict[str, bool], said: str) -> None:
    patient = a_patient()
    somebody_on_call(patient)
    hours_and_a_fallback(patient)
    refuse_the_mail_of(patient, **lost)
    with pytest.raises(ScheduleError, match=said) as refused:
        set_schedule(patient, INSTRUMENT, "phq-9", EVENING, NOON)
    assert (refused.value.code, refused.value.instead) == ("no_rota", "phq-8")
    RefusedMail.objects.all().delete()
    set_schedule(patient, INSTRUMENT, "phq-9", EVENING, NOON)


def test_one_refused_address_ends_nothing_that_is_asked_and_the_last_one_does() -> None:
    patient = a_patient()
    somebody_on_call(patient)
    hours_and_a_fallback(patient)
    set_schedule(patient, INSTRUMENT, "phq-9", EVENING, NOON)
    refuse_the_mail_of(patient, chain=True)
    assert ask_as_watched(NOON) == 0
    refuse_the_mail_of(patient, fallback=True)
    assert ask_as_watched(NOON) == 1
    assert [schedule.code for schedule in Schedule.objects.filter(active=True)] == ["phq-8"]


def test_anothers_rota_is_no_rota() -> None:
    patient, other = a_patient(), a_patient()
    somebody_on_call(other)
    hours_and_a_fallback(other)
    with pytest.raises(ScheduleError):
        set_schedule(patient, INSTRUMENT, "phq-9", EVENING, NOON)


@pytest.mark.parametrize(("code", "why"), [("phq-99", "unknown_instrument"), ("tsk-11", "no_text")])
def test_what_a_phone_cannot_show_cannot_be_asked(code: str, why: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        set_schedule(a_patient(), INSTRUMENT, code, EVENING, NOON)
    assert refused.value.code == why
    assert code in str(refused.value)


def test_the_default_plan_asks_what_can_be_asked_and_says_what_cannot() -> None:
    patient = a_patient()
    made, left_out = apply_plan(patient, "default", NOON)
    assert [schedule.code for schedule in made] == ["daily-diary", "red-flag-screen", "phq-8"]
    assert [error.code for error in left_out] == ["no_rota", "no_text"]
    other = a_patient()
    somebody_on_call(other)
    hours_and_a_fallback(other)
    made, left_out = apply_plan(other, "default", NOON)
    assert [schedule.code for schedule in made] == ["daily-diary", "red-flag-screen", "phq-9"]
    assert Slot.objects.filter(patient=other).exists()


def test_a_plan_applied_twice_asks_once() -> None:
    patient = a_patient()
    apply_plan(patient, "default", NOON)
    apply_plan(patient, "default", NOON)
    assert Schedule.objects.filter(patient=patient).count() == 3


@pytest.mark.parametrize(("name", "anchor"), [("ichom", "programme-start"), ("ichom-surgery", "surgery")])
def test_the_ichom_time_points_are_those_published(name: str, anchor: str) -> None:
    """Clement et al. 2015, 10.3109/17453674.2015.1036696: 6, 12, 24 months; 3 months and 5 years if wanted."""
    for ask in plans()[name].ask:
        assert ask.rule.anchor == anchor
        assert ask.rule.pattern == Points(days=(0,), months=(3, 6, 12, 24, 60))


def test_after_a_surgery_its_date_anchors_the_plan() -> None:
    patient = a_patient()
    made, left_out = apply_plan(patient, "ichom-surgery", NOON, anchor_on=date(2026, 3, 2))
    assert [schedule.code for schedule in made] == ["nrs-pain", "work-items"]
    assert {error.code for error in left_out} == {"no_text"}
    assert slot_of(patient, "2026-03-02", code="nrs-pain").closes_at == at("2026-03-15T20:00:00+01:00")


def test_every_plan_asks_for_instruments_that_there_are() -> None:
    for plan in plans().values():
        for ask in plan.ask:
            assert library.get(ask.code)


def test_a_new_schedule_is_reminded_of_however_long_the_patient_was_silent() -> None:
    a_diarist(NOON, enrolled_at="2025-03-01T10:00:00+01:00")
    tick(at("2026-03-02T18:00:00+01:00"), 10)
    assert tick(at("2026-03-02T19:00:00+01:00"), 10)["pending"] == 1


def test_a_clinics_own_text_makes_it_askable_until_it_is_removed() -> None:
    patient, foreign = a_patient(), a_patient()
    pack = a_pack(patient.clinic, now=NOON)
    schedule = set_schedule(patient, INSTRUMENT, "tsk-11", EVENING, NOON)
    assert Slot.objects.filter(patient=patient, schedule=schedule).exists()
    with pytest.raises(ScheduleError, match="tsk-11 has no text"):
        set_schedule(foreign, INSTRUMENT, "tsk-11", EVENING, NOON)
    remove_pack(pack, by=None, now=NOON)
    schedule.refresh_from_db()
    assert not schedule.active
    assert not Slot.objects.filter(patient=patient, schedule=schedule, state="upcoming").exists()
    with pytest.raises(ScheduleError, match="tsk-11 has no text"):
        set_schedule(patient, INSTRUMENT, "tsk-11", EVENING, NOON)


def test_while_there_are_words_in_another_language_it_goes_on() -> None:
    patient = a_patient()
    patient.clinic.languages = ["en", "de"]
    patient.clinic.save()
    english, _ = a_pack(patient.clinic, now=NOON), a_pack(patient.clinic, language="de", now=NOON)
    schedule = set_schedule(patient, INSTRUMENT, "tsk-11", EVENING, NOON)
    remove_pack(english, by=None, now=NOON)
    schedule.refresh_from_db()
    assert schedule.active


def test_what_clinicians_fill_in_goes_to_no_phone() -> None:
    patient = a_patient()
    a_pack(patient.clinic, "siras")
    with pytest.raises(ScheduleError, match="filled in by a clinician"):
        set_schedule(patient, INSTRUMENT, "siras", EVENING, NOON)


@pytest.mark.django_db(transaction=True)
def test_a_change_and_the_planner_do_not_wait_for_each_other() -> None:
    """Whoever plans holds the patient's revision first, then the schedule; so does whoever changes a schedule."""
    patient = a_diarist(NOON)
    schedule = Schedule.objects.get(patient=patient)
    ended: list[Exception | None] = []

    def end() -> None:
        try:
            end_schedule(schedule, NOON)
            ended.append(None)
        except Exception as error:
            ended.append(error)
        finally:
            connection.close()

    colleague = threading.Thread(target=end)
    with transaction.atomic():
        next_revisions([patient.pk])
        colleague.start()
        wait_until_somebody_waits()
        Schedule.objects.filter(pk=schedule.pk).update(planned_until=NOON.date())
    colleague.join()
    assert ended == [None]
    assert not Schedule.objects.get(pk=schedule.pk).active


def wait_until_somebody_waits() -> None:
    """For a lock that another holds."""
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time_.sleep(0.05)
    pytest.fail("nobody waits")
