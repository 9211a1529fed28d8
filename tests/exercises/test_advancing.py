"""From what was logged to the programme of tomorrow, through the phone's own door."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from uuid_utils.compat import uuid7

from backend.people.models import Patient, User
from backend.people.writes import Door
from backend.sync.pull import pull
from backend.sync.push import push
from exercises.advancing import advance, decide
from exercises.keeping import retire
from exercises.models import Pause, Prescription, Proposal, Session
from exercises.plan import Exposure, Limits, Rung
from exercises.prescribing import RefusedError, change, stop
from tests.exercises.programmes import BIRD_DOG, CAT_COW, NOW, WALK, a_plan, a_programme, an_own_exercise, session
from tests.exercises.test_prescribing import a_flag
from tests.factories import a_patient, a_user
from tests.pulling import changes_of

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 4)


@pytest.fixture
def patient() -> Patient:
    return a_patient()


def send(patient: Patient, *items: dict[str, Any], now: datetime = NOW) -> None:
    raw = [msgspec.Raw(json.dumps(item).encode()) for item in items]
    verdicts = push(raw, patient.pk, patient.clinic_id, Door(origin="phone", received_at=now))
    assert [verdict.errors for verdict in verdicts] == [[]] * len(items)


def diary(day: date, *, flare: bool) -> dict[str, Any]:
    return {
        "type": "response",
        "id": str(uuid7()),
        "instrument": "daily-diary",
        "version": "1",
        "authored_at": f"{day}T20:00:00+01:00",
        "time_zone": "Europe/Zurich",
        "answers": {"pain-now": 4, "flare": int(flare)},
    }


def in_force(programme: Prescription) -> Prescription:
    return Prescription.objects.get(programme=programme.programme, ends_on=None)


def doses(programme: Prescription) -> dict[str, Any]:
    return {item["exercise"]: item["dose"] for item in in_force(programme).plan["items"]}


class TestAFlare:
    def test_the_dose_is_eased_at_once_and_the_phone_is_told_gently(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        send(patient, diary(TODAY - timedelta(days=1), flare=True))
        assert doses(programme)["bird-dog"]["sets"] == 2
        told = changes_of(pull(None, patient.pk, patient.clinic_id, "en"))
        (words,) = [change["data"]["words"] for change in told if change["type"] == "proposal"]
        assert words.startswith("You are having a flare.")
        assert "number of sets 3 → 2" in words
        assert [change["data"]["version"] for change in told if change["type"] == "prescription"] == [1, 2]

    def test_saying_so_again_does_not_ease_it_again(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        for day in range(3):
            send(patient, diary(TODAY + timedelta(days=day), flare=True), now=NOW + timedelta(days=day, hours=12))
        assert doses(programme)["bird-dog"]["sets"] == 2
        assert in_force(programme).version == 2

    def test_when_it_is_over_the_old_dose_is_proposed_and_waits(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        send(patient, diary(TODAY, flare=True), now=NOW + timedelta(hours=12))
        later = NOW + timedelta(days=5)
        again = session(in_force(programme), started_at="2026-11-09T08:00:00+01:00")
        send(patient, diary(TODAY + timedelta(days=3), flare=False), again, now=later)
        (waiting,) = Proposal.objects.filter(state="waiting")
        assert (waiting.rule, waiting.action) == ("pain-contingent", "step-up")
        assert doses(programme)["bird-dog"]["sets"] == 2
        user = a_user()
        decide(waiting, accepted=True, by=user, now=later)
        assert doses(programme)["bird-dog"]["sets"] == 3
        assert in_force(programme).prescribed_by == user
        with pytest.raises(RefusedError):
            decide(waiting, accepted=True, by=user, now=later)

    def test_it_is_eased_even_where_an_exercise_is_prescribed_to_nobody_new(self, patient: Patient) -> None:
        own = an_own_exercise(patient.clinic)
        programme = a_programme(patient, BIRD_DOG, replace(CAT_COW, exercise=own.slug), now=NOW - timedelta(days=14))
        retire(own, patient.clinic_id)
        send(patient, diary(TODAY - timedelta(days=1), flare=True))
        assert (doses(programme)["bird-dog"]["sets"], doses(programme)[own.slug]["sets"]) == (2, 1)
        assert in_force(programme).exercises[own.slug]["words"]["en"]["name"] == "Cat-cow"

    def test_it_is_eased_at_once_and_what_is_planned_for_later_stays(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        planned = change(
            programme, a_plan(BIRD_DOG, WALK), by=a_user(), now=NOW, reason="x", from_day=TODAY + timedelta(days=3)
        )
        send(patient, diary(TODAY - timedelta(days=1), flare=True))
        versions = Prescription.objects.order_by("version")
        assert [(row.version, row.rule, row.starts_on, row.ends_on) for row in versions] == [
            (1, "", TODAY - timedelta(days=14), TODAY - timedelta(days=1)),
            (2, "flare", TODAY, TODAY + timedelta(days=2)),
            (3, "", TODAY + timedelta(days=3), None),
        ]
        assert versions[2].pk == planned.pk

    def test_it_is_eased_at_once_where_the_end_is_planned(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        stop(programme, now=NOW, reason="goal reached", last_day=TODAY + timedelta(days=2))
        send(patient, diary(TODAY - timedelta(days=1), flare=True))
        last = Prescription.objects.get(version=2)
        assert (last.rule, last.ends_on, last.stop_reason) == ("flare", TODAY + timedelta(days=2), "goal reached")
        assert Prescription.objects.get(version=1).stop_reason == ""

    def test_a_flare_of_a_week_offline_is_answered_when_it_arrives(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        week = [diary(TODAY - timedelta(days=day), flare=day == 4) for day in range(4, 8)]
        send(patient, *week, session(programme))
        assert doses(programme)["bird-dog"]["sets"] == 2


class TestARedSession:
    def test_one_step_back_and_not_again_for_the_same_session(self, patient: Patient) -> None:
        programme = a_programme(patient, CAT_COW, now=NOW - timedelta(days=14))
        send(patient, session(programme, pain_during=7))
        tomorrow = in_force(programme)
        assert [item["exercise"] for item in tomorrow.plan["items"]] == ["seated-cat-cow"]
        assert tomorrow.starts_on == TODAY + timedelta(days=1), "today's session was already done"
        assert tomorrow.exercises["seated-cat-cow"]["words"]["en"]["name"] == "Seated cat-cow"
        send(patient, diary(TODAY, flare=False))
        assert in_force(programme).version == 2

    def test_the_day_after_counts_too(self, patient: Patient) -> None:
        programme = a_programme(patient, CAT_COW, now=NOW - timedelta(days=14))
        done = session(programme)
        send(patient, done)
        assert not Proposal.objects.exists()
        after = {
            "type": "session-followup",
            "id": str(uuid7()),
            "session": done["id"],
            "authored_at": "2026-11-05T08:00:00+01:00",
            "pain_next_day": 5,
        }
        send(patient, after, now=NOW + timedelta(days=1))
        assert Proposal.objects.get().rule == "red"

    def test_beyond_the_signed_limits_it_waits_for_the_clinician(self, patient: Patient) -> None:
        programme = a_programme(patient, CAT_COW, now=NOW - timedelta(days=14), limits=Limits(step_back=0))
        send(patient, session(programme, pain_during=7))
        assert Proposal.objects.get().state == "waiting"
        assert in_force(programme).version == 1
        told = changes_of(pull(None, patient.pk, patient.clinic_id, "en"))
        assert "proposal" not in {change["type"] for change in told}

    def test_a_form_without_numbers_is_marked_on_the_item(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        send(patient, session(programme, pain_during=7))
        assert [item["form"] for item in in_force(programme).plan["items"]] == ["easier"]


class TestTwoForTwo:
    def strong(self, programme: Prescription) -> list[dict[str, Any]]:
        done = [{"exercise": "bird-dog", "sets": 3, "reps": 8}]
        return [
            session(programme, exercises=done, started_at=f"2026-11-0{day}T08:00:00+01:00", finished_at=None)
            for day in (2, 4)
        ]

    def test_it_waits_for_the_clinician_and_can_be_declined(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14))
        send(patient, *self.strong(programme))
        row = Proposal.objects.get()
        assert (row.rule, row.state, row.action) == ("2-for-2", "waiting", "step-up")
        decide(row, accepted=False, by=a_user(), now=NOW, reason="let us wait a week")
        assert in_force(programme).version == 1
        assert not advance(patient.pk, NOW), "what was declined is not proposed again"

    def test_with_signed_limits_it_is_done_from_tomorrow(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14), limits=Limits(step_up=True))
        send(patient, *self.strong(programme))
        assert doses(programme)["bird-dog"]["hold_seconds"] == 6

    def test_not_while_a_red_flag_is_open(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, now=NOW - timedelta(days=14), limits=Limits(step_up=True))
        a_flag(patient, "SUI-1")
        send(patient, *self.strong(programme))
        row = Proposal.objects.get()
        assert (row.rule, row.action, row.state) == ("frozen", "hold", "applied")
        assert in_force(programme).version == 1
        assert "item" not in row.words


class TestStop:
    def test_a_stopping_sign_rests_the_programme_until_somebody_resumes_it(self, patient: Patient) -> None:
        programme = a_programme(patient, now=NOW - timedelta(days=14))
        event = {
            "type": "adverse-event",
            "id": str(uuid7()),
            "kind": "chest-pain",
            "authored_at": "2026-11-04T09:00:00+01:00",
        }
        send(patient, event)
        row = Proposal.objects.get()
        assert (row.rule, row.action, row.state) == ("stop", "stop", "applied")
        assert Pause.objects.get().reason == Pause.Reason.SAFETY
        send(patient, session(programme, pain_during=7), now=NOW + timedelta(hours=1))
        assert Proposal.objects.latest("made_at").rule == "red", "stepping back still works"

    def test_so_does_a_programme_that_was_answered_for_today_and_begins_again_tomorrow(self, patient: Patient) -> None:
        programme = a_programme(patient, CAT_COW, now=NOW - timedelta(days=14))
        send(patient, session(programme, pain_during=7))
        assert in_force(programme).starts_on == TODAY + timedelta(days=1)
        a_flag(patient, "CES-1")
        advance(patient.pk, NOW)
        assert Pause.objects.get().from_day == TODAY

    def test_one_that_begins_tomorrow_does_nothing_else(self, patient: Patient) -> None:
        a_programme(patient, BIRD_DOG, now=NOW + timedelta(days=1))
        send(patient, diary(TODAY - timedelta(days=1), flare=True))
        assert not Proposal.objects.exists()


def test_who_has_no_programme_costs_one_statement(patient: Patient, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert advance(patient.pk, NOW) == []


def test_each_proposal_keeps_rule_version_inputs_and_source(patient: Patient) -> None:
    programme = a_programme(patient, CAT_COW, now=NOW - timedelta(days=14))
    send(patient, session(programme, pain_during=7))
    row = Proposal.objects.get()
    assert (row.rule, row.rule_version, row.prescription_id) == ("red", "1", programme.pk)
    assert {"name": "pain during", "value": 7, "day": "2026-11-04"} in row.inputs
    assert isinstance(row.decided_by, User | None)


class TestTheLadderOfFear:
    EXPOSURE = Exposure(ladder=(Rung(task="sit an hour", fear=45), Rung(task="lift the shopping", fear=70)))

    def faced(self, programme: Prescription, **fields: Any) -> dict[str, Any]:
        task = {"task": "sit an hour", "fear_before": 45, "fear_after": 20, "feared": 8, "actual": 3}
        return session(programme, exposures=[task | fields])

    def test_the_clinicians_yes_puts_the_next_task_into_the_programme(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, exposure=self.EXPOSURE, mode="quota")
        send(patient, self.faced(programme))
        (waiting,) = Proposal.objects.filter(rule="exposure")
        assert waiting.state == "waiting"
        assert in_force(programme).plan["exposure"]["at"] == 0
        decide(waiting, accepted=True, by=a_user(), now=NOW)
        tomorrow = in_force(programme)
        assert tomorrow.plan["exposure"]["at"] == 1
        assert tomorrow.starts_on == TODAY + timedelta(days=1)
        programme.refresh_from_db()
        assert tomorrow.plan["items"] == programme.plan["items"]
        send(patient, diary(TODAY, flare=False))
        assert Proposal.objects.count() == 1, "what was faced on the rung below says nothing of this one"

    def test_it_climbs_by_itself_where_the_limits_are_signed_so(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, exposure=self.EXPOSURE, mode="quota", limits=Limits(step_up=True))
        send(patient, self.faced(programme))
        assert in_force(programme).plan["exposure"]["at"] == 1

    def test_a_task_of_no_ladder_is_kept_and_marked(self, patient: Patient) -> None:
        send(patient, self.faced(a_programme(patient, BIRD_DOG)))
        row = Session.objects.get()
        assert row.marks == ["extra-task"]
        assert row.content["exposures"][0]["feared"] == 8

    def test_after_a_no_the_other_rules_have_their_say(self, patient: Patient) -> None:
        programme = a_programme(patient, BIRD_DOG, exposure=self.EXPOSURE, now=NOW - timedelta(days=7))
        strong = [{"exercise": "bird-dog", "reps": 8}]
        for day in ("2026-11-02", "2026-11-04"):
            send(patient, self.faced(programme) | {"started_at": f"{day}T08:00:00+01:00", "exercises": strong})
        waiting = Proposal.objects.get(state="waiting")
        assert waiting.rule == "exposure"
        decide(waiting, accepted=False, by=a_user(), now=NOW, reason="not yet")
        advance(patient.pk, NOW)
        assert Proposal.objects.get(state="waiting").rule == "2-for-2"


def test_a_quota_that_was_declined_comes_again_after_a_week(patient: Patient) -> None:
    a_programme(patient, WALK, now=NOW - timedelta(days=14), mode="quota")
    send(patient, *(session(Prescription.objects.get(), started_at=f"2026-11-0{day}T08:00:00+01:00") for day in (2, 4)))
    advance(patient.pk, NOW)
    waiting = Proposal.objects.get(state="waiting")
    assert waiting.rule == "quota"
    decide(waiting, accepted=False, by=a_user(), now=NOW)
    for days, again in ((0, 0), (6, 0), (7, 1), (8, 1)):
        advance(patient.pk, NOW + timedelta(days=days))
        assert Proposal.objects.filter(state="waiting").count() == again


def test_a_flare_far_east_of_greenwich_eases_the_dose_once() -> None:
    """In the morning it is still yesterday in Greenwich."""
    patient = a_patient(time_zone="Asia/Tokyo")
    morning = datetime.fromisoformat("2026-11-04T06:00:00+09:00")
    programme = a_programme(patient, BIRD_DOG, now=morning - timedelta(days=14))
    said = diary(TODAY, flare=True) | {"authored_at": morning.isoformat(), "time_zone": "Asia/Tokyo"}
    send(patient, said, now=morning)
    advance(patient.pk, morning + timedelta(minutes=5))
    assert in_force(programme).version == 2
    assert doses(programme)["bird-dog"]["sets"] == 2
