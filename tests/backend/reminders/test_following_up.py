"""PHQ-2 of three or more asks once for the full questionnaire."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import Origin, Patient
from backend.people.writes import Door
from backend.reminders.agenda import agenda
from backend.reminders.following_up import choices, choose
from backend.reminders.models import Message, Schedule
from backend.reminders.planning import plan_ahead
from backend.reminders.scheduling import ScheduleError, apply_plan
from backend.reminders.ticking import tick
from backend.sync.push import push
from tests.backend.reminders.given import a_patient, at
from tests.backend.reminders.test_scheduling import hours_and_a_fallback, somebody_on_call
from tests.factories import a_clinician, a_user, an_admin
from tests.signin import browser

pytestmark = pytest.mark.django_db

NOON = at("2026-03-02T12:00:00+01:00")


def screen(patient: Patient, *answers: int, now: datetime = NOON, origin: str = Origin.PHONE, **fields: Any) -> None:
    item = {
        "type": "response",
        "id": str(uuid7()),
        "instrument": "phq-2",
        "version": "1",
        "authored_at": now.isoformat(),
        "time_zone": "Europe/Zurich",
        "answers": {str(number): value for number, value in enumerate(answers, 1)},
    } | fields
    (verdict,) = push([msgspec.Raw(json.dumps(item).encode())], patient.pk, patient.clinic_id, Door(origin, now))
    assert verdict.status in ("stored", "duplicate")


def asked(patient: Patient, now: datetime = NOON) -> list[str]:
    return [item.code for item in agenda(patient.pk, now, 1)]


def test_a_positive_screen_asks_at_once_and_says_so_the_next_morning() -> None:
    patient = a_patient()
    screen(patient, 2, 1)
    assert asked(patient) == ["phq-8"]
    tick(NOON, 10)
    assert not Message.objects.exists()
    tick(at("2026-03-03T09:00:00+01:00"), 10)
    assert Message.objects.get().planned_at == at("2026-03-03T09:00:00+01:00")


@pytest.mark.parametrize("answers", [(1, 1), (3,)])
def test_a_negative_or_an_incomplete_one_asks_nothing(answers: tuple[int, ...]) -> None:
    patient = a_patient()
    screen(patient, *answers)
    assert asked(patient) == []


def test_a_negative_one_costs_no_statement() -> None:
    patient = a_patient()

    def statements(*answers: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            screen(patient, *answers)
        return sum("follow_up" in query["sql"] or "reminders_schedule" in query["sql"] for query in queries)

    assert statements(1, 0) == 1  # the slot that the answer might complete


def test_the_same_answer_sent_again_asks_once() -> None:
    patient = a_patient()
    again = str(uuid7())
    screen(patient, 3, 3, id=again)
    screen(patient, 3, 3, id=again, now=NOON)
    assert Schedule.objects.count() == 1


def test_another_positive_one_while_it_is_asked_or_just_answered_asks_nothing_more() -> None:
    patient = a_patient()
    screen(patient, 3, 3)
    screen(patient, 2, 2, now=NOON + timedelta(hours=1))
    assert Schedule.objects.count() == 1
    answers = {str(number): 1 for number in range(1, 9)}
    screen(patient, now=NOON + timedelta(hours=2), instrument="phq-8", answers=answers)
    screen(patient, 2, 2, now=NOON + timedelta(days=3))
    assert Schedule.objects.count() == 1
    screen(patient, 2, 2, now=NOON + timedelta(days=17))
    assert Schedule.objects.count() == 2


def test_what_the_plan_asks_soon_is_not_asked_twice() -> None:
    patient = a_patient(enrolled_at="2026-03-02T10:00:00+01:00")
    apply_plan(patient, "default", NOON)
    screen(patient, 3, 3)
    assert asked(patient).count("phq-8") == 1


def test_the_clinics_choice_holds_while_somebody_reads_item_9() -> None:
    patient = a_patient()
    somebody_on_call(patient)
    hours_and_a_fallback(patient)
    choose(patient.clinic, "phq-2", "phq-9", by=a_user(), now=NOON)
    screen(patient, 3, 3)
    assert asked(patient) == ["phq-9"]
    other = a_patient(clinic=patient.clinic, care_team=patient.care_team)
    patient.clinic.fallback_email = ""
    patient.clinic.save()
    screen(other, 3, 3)
    assert asked(other) == ["phq-8"]


def test_phq_9_is_not_chosen_where_nobody_would_read_it() -> None:
    with pytest.raises(ScheduleError) as refused:
        choose(a_patient().clinic, "phq-2", "phq-9", by=a_user(), now=NOON)
    assert (refused.value.code, refused.value.instead) == ("no_rota", "phq-8")


def test_an_old_screen_and_an_imported_one_ask_nothing() -> None:
    patient = a_patient()
    screen(patient, 3, 3, origin=Origin.IMPORT)
    screen(patient, 3, 3, authored_at=(NOON - timedelta(days=15)).isoformat())
    assert not Schedule.objects.exists()


def test_what_was_asked_once_is_planned_no_more_when_it_is_over() -> None:
    patient = a_patient()
    screen(patient, 3, 3)
    plan_ahead(NOON + timedelta(days=9), 10)
    assert not Schedule.objects.filter(active=True).exists()


def test_staff_reads_the_choice_and_an_admin_makes_it() -> None:
    patient = a_patient()
    path = f"/api/v1/clinics/{patient.clinic_id}/follow-ups"
    clinician, admin = browser(a_clinician(patient.care_team)), browser(an_admin(patient.clinic))
    (choice,) = json.loads(clinician.get(path).content)["results"]
    assert (choice["screen"], choice["at_least"], choice["offered"], choice["chosen"]) == (
        "phq-2",
        3,
        ["phq-8", "phq-9"],
        None,
    )

    def put(**body: str) -> tuple[int, Any]:
        answer = admin.put(path, json.dumps(body), content_type="application/json")
        return answer.status_code, json.loads(answer.content)

    status, body = put(screen="phq-2", code="phq-9")
    assert (status, body["errors"][0]["code"], body["instead"]) == (422, "no_rota", "phq-8")
    assert put(screen="phq-2", code="gad-7")[1]["errors"][0]["code"] == "not_offered"
    assert put(screen="gad-7", code="phq-9")[1]["errors"][0]["field"] == "screen"
    assert put(screen="phq-2", code="phq-8")[0] == 200
    assert choices(patient.clinic)[0].chosen == "phq-8"
