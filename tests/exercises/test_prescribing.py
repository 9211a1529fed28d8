"""Programmes are prescribed behind a safety gate, change without touching the past, and rest."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.test import Client

from backend.people.models import Origin, Patient
from backend.reminders.models import Schedule, Slot
from backend.reminders.scheduling import set_schedule
from backend.reminders.slots import Points, Rule, Window
from exercises.dose import Intervals, Minutes, Sets, Steps
from exercises.gate import Block
from exercises.models import Clearance, Condition, Pause, Prescription
from exercises.plan import Item
from exercises.prescribing import BlockedError, RefusedError, change, check, pause, prescribe, resume, stop
from outcomes.models import Alert, Baseline
from outcomes.recompute import recompute_all, recompute_due
from tests.backend.dashboard import builders
from tests.exercises.programmes import BIRD_DOG, CAT_COW, NOW, WALK, a_plan, a_programme, session, store
from tests.exercises.test_intake import values
from tests.factories import a_clinician, a_patient, a_team
from tests.signin import a_consent, browser, phone

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 4)
YESTERDAY, TOMORROW, FRIDAY = (TODAY + timedelta(days=days) for days in (-1, 1, 2))
CURL_UP = Item(exercise="modified-curl-up", dose=Sets(sets=3, reps=6, sessions_per_week=3))
HARD = Item(
    exercise="cycle-one-minute",
    dose=Intervals(work_seconds=60, rest_seconds=60, rounds=5, work_rpe=(7, 9), rest_rpe=(2, 3), sessions_per_week=2),
)


@pytest.fixture
def patient() -> Patient:
    return a_patient()


def has(patient: Patient, *codes: str) -> None:
    for code in codes:
        Condition.objects.create(clinic=patient.clinic, patient=patient, code=code)


def a_flag(patient: Patient, rule: str, state: str = "open") -> Alert:
    return Alert.objects.create(
        clinic=patient.clinic,
        patient=patient,
        rule=rule,
        rule_version="1",
        severity=4,
        state=state,
        source="01990d2a-5b1c-7c3e-9a58-0d6f4c1b2a37",
        origin="phone",
        authored_at=NOW,
        received_at=NOW,
        late=False,
        opened_at=NOW,
    )


class TestTheGate:
    def blocks(self, patient: Patient, *items: Item) -> list[str]:
        return [block.key for block in check(patient, a_plan(*items), NOW).blocks]

    def test_nothing_blocks_who_has_nothing(self, patient: Patient) -> None:
        assert self.blocks(patient, CURL_UP) == []

    def test_a_contraindication_blocks(self, patient: Patient) -> None:
        has(patient, "osteoporosis")
        assert self.blocks(patient, CURL_UP) == ["contraindication:modified-curl-up:osteoporosis"]

    def test_so_does_what_a_condition_implies(self, patient: Patient) -> None:
        has(patient, "late-pregnancy")
        assert "contraindication:modified-curl-up:pregnancy" in self.blocks(patient, CURL_UP)

    def test_what_is_over_blocks_no_more(self, patient: Patient) -> None:
        has(patient, "osteoporosis")
        Condition.objects.update(ended_on=TODAY)
        assert self.blocks(patient, CURL_UP) == []

    def test_a_precaution_is_said_and_blocks_nothing(self, patient: Patient) -> None:
        has(patient, "wrist-pain")
        finding = check(patient, a_plan(CAT_COW), NOW)
        assert (finding.blocks, [each.about for each in finding.precautions]) == ((), ["wrist-pain"])

    def test_hard_intervals_need_a_clearance_that_is_still_valid(self, patient: Patient) -> None:
        assert self.blocks(patient, HARD) == ["clearance:cycle-one-minute"]
        clearance = Clearance.objects.create(
            clinic=patient.clinic,
            patient=patient,
            screen="PAR-Q+",
            cleared_by="the clinic",
            cleared_on=TODAY - timedelta(days=400),
            valid_until=YESTERDAY,
        )
        assert self.blocks(patient, HARD) == ["clearance:cycle-one-minute"]
        clearance.valid_until = TODAY
        clearance.save()
        assert self.blocks(patient, HARD) == []

    @pytest.mark.parametrize("rule", ["CES-1", "RF-1", "AE-1"])
    def test_an_open_red_flag_blocks(self, patient: Patient, rule: str) -> None:
        flag = a_flag(patient, rule)
        assert self.blocks(patient) == [f"red-flag:{rule}"]
        flag.state = "resolved"
        flag.save()
        assert self.blocks(patient) == []

    def test_an_answer_to_item_9_is_talked_about_and_takes_no_exercise_away(self, patient: Patient) -> None:
        a_flag(patient, "SUI-1")
        finding = check(patient, a_plan(), NOW)
        assert (finding.blocks, [each.key for each in finding.precautions]) == ((), ["red-flag:SUI-1"])

    @pytest.mark.parametrize(
        "block",
        [
            Block("contraindication", "cat-cow", "osteoporosis"),
            Block("clearance", "cycle-one-minute", ""),
            Block("red-flag", "", "CES-1"),
        ],
    )
    def test_a_block_is_known_again_by_its_key(self, block: Block) -> None:
        assert Block.of(block.key) == block

    def test_a_block_is_overridden_only_by_a_written_reason_which_is_kept(self, patient: Patient) -> None:
        has(patient, "osteoporosis")
        key = "contraindication:modified-curl-up:osteoporosis"
        with pytest.raises(BlockedError):
            prescribe(patient, a_plan(CURL_UP), by=None, now=NOW)
        with pytest.raises(BlockedError):
            prescribe(patient, a_plan(CURL_UP), by=None, now=NOW, overrides={key: "  "})
        row = prescribe(patient, a_plan(CURL_UP), by=None, now=NOW, overrides={key: "head nod only"})
        assert row.overrides == [{"key": key, "reason": "head nod only"}]
        assert change(row, a_plan(CURL_UP), by=None, now=NOW, reason="same").overrides == row.overrides


class TestAProgrammeInTime:
    def test_it_starts_today_unless_said_and_never_in_the_past(self, patient: Patient) -> None:
        assert prescribe(patient, a_plan(), by=None, now=NOW).starts_on == TODAY
        with pytest.raises(RefusedError) as refused:
            prescribe(patient, a_plan(), by=None, now=NOW, starts_on=YESTERDAY)
        assert (refused.value.field, refused.value.code) == ("starts_on", "in_the_past")

    def test_a_change_leaves_past_days_as_they_were_prescribed(self, patient: Patient) -> None:
        old = a_programme(patient, now=NOW - timedelta(days=7))
        old.refresh_from_db()
        before = (old.plan, old.exercises, old.starts_on)
        new = change(old, a_plan(WALK, weekdays=(2,)), by=None, now=NOW, reason="only the walk")
        old.refresh_from_db()
        assert (old.plan, old.exercises, old.starts_on) == before
        assert (old.ends_on, new.starts_on, new.version, new.programme) == (YESTERDAY, TODAY, 2, old.programme)
        assert [row.version for row in Prescription.objects.filter(ends_on=None)] == [2]

    def test_a_version_that_was_replaced_on_its_first_day_was_in_force_on_none(self, patient: Patient) -> None:
        old = a_programme(patient)
        change(old, a_plan(WALK), by=None, now=NOW, reason="typed wrong")
        old.refresh_from_db()
        assert old.ends_on == YESTERDAY

    def test_two_who_change_the_same_version_do_not_overwrite_each_other(self, patient: Patient) -> None:
        old = a_programme(patient)
        change(old, a_plan(WALK), by=None, now=NOW, reason="first")
        with pytest.raises(RefusedError) as refused:
            change(old, a_plan(CAT_COW), by=None, now=NOW, reason="second")
        assert refused.value.code == "not_latest"

    def test_what_is_planned_for_later_gives_way_to_what_is_written_then(self, patient: Patient) -> None:
        first = prescribe(patient, a_plan(), by=None, now=NOW)
        planned = change(first, a_plan(WALK), by=None, now=NOW, reason="from Friday on", from_day=FRIDAY)
        change(planned, a_plan(BIRD_DOG), by=None, now=NOW, reason="sooner", from_day=TOMORROW)
        in_force = [row for row in Prescription.objects.order_by("version") if not row.ends_on or row.ends_on >= FRIDAY]
        assert [(row.version, row.starts_on) for row in in_force] == [(3, TOMORROW)]
        first.refresh_from_db()
        assert first.ends_on == TODAY

    def test_what_is_stopped_is_stopped_with_all_that_is_planned(self, patient: Patient) -> None:
        first = prescribe(patient, a_plan(), by=None, now=NOW)
        planned = change(first, a_plan(WALK), by=None, now=NOW, reason="from Friday on", from_day=FRIDAY)
        stop(planned, now=NOW, reason="moved away")
        assert set(Prescription.objects.values_list("ends_on", flat=True)) == {YESTERDAY}

    def test_what_is_stopped_is_due_no_more_and_changes_no_more(self, patient: Patient) -> None:
        programme = a_programme(patient, now=NOW - timedelta(days=2))
        store(patient, session(programme, started_at="2026-11-02T08:00:00+01:00"))
        stop(programme, now=NOW, reason="goal reached")
        assert values(patient) == {date(2026, 11, 2): 100.0}
        with pytest.raises(RefusedError) as refused:
            change(programme, a_plan(), by=None, now=NOW, reason="more")
        assert refused.value.code == "stopped"

    def test_the_same_pause_is_entered_once(self, patient: Patient) -> None:
        programme = a_programme(patient)
        one, other = (pause(programme, by=None, now=NOW, reason="holiday") for _ in range(2))
        assert one == other
        assert Pause.objects.count() == 1
        assert pause(programme, by=None, now=NOW, reason="illness") != one

    def test_a_pause_lasts_until_it_is_resumed(self, patient: Patient) -> None:
        programme = a_programme(patient, now=NOW - timedelta(days=2))
        pause(programme, by=None, now=NOW, reason="holiday", from_day=date(2026, 11, 2))
        later = NOW + timedelta(days=10)
        resume(programme, now=later)
        assert Pause.objects.get().to_day == date(2026, 11, 13)
        with pytest.raises(RefusedError):
            resume(programme, now=later)

    def test_each_write_takes_the_patients_next_revision(self, patient: Patient) -> None:
        programme = a_programme(patient)
        first = programme.rev
        new = change(programme, a_plan(), by=None, now=NOW, reason="again")
        programme.refresh_from_db()
        assert programme.rev == new.rev > first

    @pytest.mark.parametrize(
        ("item", "field", "code"),
        [
            (Item(exercise="somersault", dose=WALK.dose), "items.0.exercise", "unknown_exercise"),
            (Item(exercise="baseline-walk", dose=CAT_COW.dose), "items.0.dose.kind", "other_kind"),
            (
                Item(exercise="daily-step-goal", dose=Steps(over_baseline=500, sessions_per_week=7)),
                "items.0.dose.steps",
                "required",
            ),
        ],
    )
    def test_a_plan_that_cannot_be_done_is_refused_by_field(
        self, patient: Patient, item: Item, field: str, code: str
    ) -> None:
        with pytest.raises(RefusedError) as refused:
            prescribe(patient, a_plan(item), by=None, now=NOW)
        assert (refused.value.field, refused.value.code) == (field, code)

    def test_what_a_programme_has_is_not_changed_to_another_kind_of_dose(self, patient: Patient) -> None:
        programme = a_programme(patient, CAT_COW)
        with pytest.raises(RefusedError) as refused:
            change(programme, a_plan(Item(exercise="cat-cow", dose=WALK.dose)), by=None, now=NOW, reason="again")
        assert (refused.value.field, refused.value.code) == ("items.0.dose.kind", "other_kind")

    def test_the_days_of_a_new_programme_are_due_from_its_first(self, patient: Patient) -> None:
        programme = a_programme(patient, now=NOW - timedelta(days=9), weekdays=(1, 2, 3, 4, 5, 6, 7))
        stop(programme, now=NOW, reason="for the test")
        missed = values(patient)
        assert set(missed.values()) == {0.0}
        assert min(missed) >= date(2026, 10, 26)


@pytest.mark.parametrize("weekdays", [(), (3, 1), (1, 1), (0,), (8,)])
def test_weekdays_stand_in_order_each_once(weekdays: tuple[int, ...]) -> None:
    import msgspec

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(
            {"title": "x", "weekdays": weekdays, "items": [msgspec.to_builtins(WALK)]}, type(a_plan()), strict=False
        )


class TestOverTheApi:
    @pytest.fixture
    def clinician(self, patient: Patient) -> Client:
        return browser(a_clinician(patient.care_team))

    def post(self, client: Client, address: str, body: Any) -> Any:
        return client.post(f"/api/v1/patients/{address}", body, content_type="application/json")

    PLAN: dict[str, Any] = {
        "title": "Move again",
        "weekdays": [1, 3, 5],
        "items": [{"exercise": "cat-cow", "dose": {"kind": "sets", "sets": 2, "breaths": 8, "sessions_per_week": 3}}],
    }

    def test_prescribed_by_the_clinician_and_read_by_the_patient(self, patient: Patient, clinician: Client) -> None:
        made = self.post(clinician, f"{patient.pk}/prescriptions", {"plan": self.PLAN})
        assert made.status_code == 201, made.content
        (own,) = phone(patient).get("/api/v1/prescriptions").json()["results"]
        assert own["id"] == made.json()["id"]
        assert own["exercises"]["cat-cow"]["words"]["en"]["name"] == "Cat-cow"

    def test_a_block_is_named_and_can_be_overridden(self, patient: Patient, clinician: Client) -> None:
        has(patient, "osteoporosis")
        plan = self.PLAN | {
            "items": [
                {"exercise": "modified-curl-up", "dose": {"kind": "sets", "sets": 3, "reps": 6, "sessions_per_week": 3}}
            ]
        }
        refused = self.post(clinician, f"{patient.pk}/prescriptions", {"plan": plan})
        key = "contraindication:modified-curl-up:osteoporosis"
        assert refused.status_code == 409
        assert [error["field"] for error in refused.json()["errors"]] == [f"overrides.{key}"]
        checked = self.post(clinician, f"{patient.pk}/prescriptions/check", plan).json()
        assert checked["blocks"] == [
            {"code": "contraindication", "exercise": "modified-curl-up", "about": "osteoporosis"}
        ]
        again = self.post(
            clinician, f"{patient.pk}/prescriptions", {"plan": plan, "overrides": {key: "discussed with the patient"}}
        )
        assert again.status_code == 201

    def test_changed_paused_resumed_and_stopped(self, patient: Patient, clinician: Client) -> None:
        made = self.post(clinician, f"{patient.pk}/prescriptions", {"plan": self.PLAN}).json()
        here = f"{patient.pk}/prescriptions/{made['id']}"
        assert self.post(clinician, f"{here}/pause", {"reason": "holiday"}).status_code == 201
        assert self.post(clinician, f"{here}/resume", {}).status_code == 200
        changed = self.post(clinician, f"{here}/change", {"plan": self.PLAN | {"title": "x"}, "reason": "went well"})
        assert (changed.status_code, changed.json()["version"]) == (201, 2)
        stopped = self.post(clinician, f"{patient.pk}/prescriptions/{changed.json()['id']}/stop", {"reason": "done"})
        assert stopped.json()["stop_reason"] == "done"
        versions = clinician.get(f"/api/v1/patients/{patient.pk}/prescriptions").json()["results"]
        assert [row["version"] for row in versions] == [2, 1]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "plan"),
            ({"plan": PLAN | {"weekdays": []}}, "plan.weekdays"),
            ({"plan": PLAN | {"items": [{"exercise": "cat-cow", "dose": {"kind": "sets"}}]}}, "plan.items.0.dose"),
            ({"plan": PLAN, "starts": "2026-11-23"}, None),
        ],
    )
    def test_what_does_not_fit_is_refused_by_field(
        self, patient: Patient, clinician: Client, body: Any, field: str | None
    ) -> None:
        answer = self.post(clinician, f"{patient.pk}/prescriptions", body)
        assert answer.status_code == 400
        assert (answer.json()["errors"][0]["field"] or "").startswith(field or "")

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"plan": PLAN | {"items": [PLAN["items"][0] | {"exercise": "somersault"}]}},
             "plan.items.0.exercise", "unknown_exercise"),
            ({"template": "somersaults"}, "template", "unknown_template"),
            ({"starts_on": "2020-01-01"}, "starts_on", "in_the_past"),
        ],
    )  # fmt: skip
    def test_what_can_not_be_prescribed_is_refused_by_field(
        self, patient: Patient, clinician: Client, change: Any, field: str, code: str
    ) -> None:
        answer = self.post(clinician, f"{patient.pk}/prescriptions", {"plan": self.PLAN} | change)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"], error["code"]) == (422, field, code)

    def test_another_patients_prescription_is_not_found(self, patient: Patient, clinician: Client) -> None:
        other = a_programme(a_patient(patient.care_team))
        assert clinician.get(f"/api/v1/patients/{patient.pk}/prescriptions/{other.pk}").status_code == 404
        assert clinician.get(f"/api/v1/patients/{other.patient_id}/prescriptions/{other.pk}").status_code == 200
        foreign = a_programme(a_patient(a_team()))
        assert clinician.get(f"/api/v1/patients/{foreign.patient_id}/prescriptions/{foreign.pk}").status_code == 404

    def test_sessions_are_read_page_by_page(self, patient: Patient, clinician: Client) -> None:
        programme = prescribe(patient, a_plan(), by=None, now=NOW, origin=Origin.SIMULATED)
        store(patient, session(programme), session(programme, started_at="2026-11-04T07:00:00+01:00"))
        page = clinician.get(f"/api/v1/patients/{patient.pk}/sessions?limit=1").json()
        (newest,) = page["results"]
        assert (newest["share"], newest["content"]["exercises"][0]["exercise"]) == (1.0, "cat-cow")
        (older,) = clinician.get(page["next"]).json()["results"]
        assert older["authored_at"] < newest["authored_at"]


def test_minutes_are_kept_as_numbers() -> None:
    assert a_plan(Item(exercise="baseline-walk", dose=Minutes(minutes=12, sessions_per_week=3))).weekday_bits == 0b10101


FAR = date(9999, 12, 31)


def test_a_day_beyond_every_calendar_is_refused_by_its_field(patient: Patient) -> None:
    programme = a_programme(patient)
    for field, write in (
        ("starts_on", lambda: prescribe(patient, a_plan(), by=None, now=NOW, starts_on=FAR)),
        ("from_day", lambda: change(programme, a_plan(WALK), by=None, now=NOW, reason="x", from_day=FAR)),
        ("last_day", lambda: stop(programme, now=NOW, reason="x", last_day=FAR)),
        ("from_day", lambda: pause(programme, by=None, now=NOW, reason="holiday", from_day=FAR)),
        ("to_day", lambda: pause(programme, by=None, now=NOW, reason="holiday", to_day=FAR)),
        ("from_day", lambda: pause(programme, by=None, now=NOW, reason="holiday", from_day=date.min)),
    ):
        with pytest.raises(RefusedError) as refused:
            write()
        assert (refused.value.field, refused.value.code) == (field, "out_of_range")
    assert Prescription.objects.get() == programme


class TestTheFirstProgramme:
    """Its first day is what baselines are taken before, and what questionnaires may count from."""

    def test_its_first_day_is_kept_with_the_patient(self, patient: Patient) -> None:
        prescribe(patient, a_plan(), by=None, now=NOW, starts_on=TOMORROW)
        assert Patient.objects.get().programme_started_on == TOMORROW

    def test_a_later_one_leaves_it_and_an_earlier_one_moves_it(self, patient: Patient) -> None:
        for starts_on in (TODAY + timedelta(days=3), TODAY + timedelta(days=9), TOMORROW):
            prescribe(patient, a_plan(), by=None, now=NOW, starts_on=starts_on)
        assert Patient.objects.get().programme_started_on == TOMORROW

    def test_trends_are_counted_anew_from_before_it(self, patient: Patient) -> None:
        builders.scores(patient, "daily-diary.pain-average", [8, 8, 8, 8, 2], last=TODAY)
        recompute_all(NOW)
        prescribe(patient, a_plan(), by=None, now=NOW, starts_on=TODAY)
        recompute_due(NOW)
        frozen = Baseline.objects.get(measure__code="daily-diary.pain-average")
        assert (frozen.value, frozen.to_day) == (8, YESTERDAY)

    def test_what_is_asked_from_its_start_on_is_asked(self, patient: Patient) -> None:
        a_consent(patient)
        rule = Rule(windows=(Window(time(9), time(20)),), pattern=Points(days=(7,)), anchor="programme-start")
        set_schedule(patient, Schedule.Asks.INSTRUMENT, "pgic", rule, NOW)
        assert not Slot.objects.exists()
        prescribe(patient, a_plan(), by=None, now=NOW, starts_on=TODAY)
        assert Slot.objects.get(schedule__code="pgic").local_date == TODAY + timedelta(days=7)
