"""Up, hold or back: each rule, their order, and what holds whatever happens."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exercises import progression as rules
from exercises import steps
from exercises.adherence import volume
from exercises.dose import Dose, Intervals, Minutes, Sets, Steps
from exercises.library import library
from exercises.plan import Exposure, Limits, Rung
from exercises.progression import Done, Faced, Log, Proposal, Sign, Situation, propose
from exercises.steps import Item, easier, harder, lighten, raised
from exercises.words import FOLDER, _texts, for_clinician, for_patient

TODAY = date(2026, 11, 22)
ALL = library().exercises
# A busy machine is slow; that is no failure.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def item(slug: str = "bird-dog", dose: Dose | None = None, last_step: int = 30, **fields: Any) -> Item:
    exercise = ALL[slug]
    return Item(exercise, dose or exercise.dose, ago(last_step), **fields)


def log(days: int = 0, slug: str = "bird-dog", extra: int = 0, too_hard: bool = False, **fields: Any) -> Log:
    calm: dict[str, Any] = {"rpe": 3, "pain_before": 3, "pain_during": 3, "pain_after": 2}
    return Log(ago(days), {slug: Done(extra, too_hard)}, **calm | fields)


def now(**fields: Any) -> Situation:
    usual: dict[str, Any] = {"today": TODAY, "mode": "pain-contingent", "limits": Limits(), "items": [item()]}
    return Situation(**usual | fields)


def rule(**fields: Any) -> tuple[str, str] | None:
    proposal = propose(now(**fields))
    return (proposal.rule, proposal.action) if proposal else None


STRONG = [log(2, extra=2), log(0, extra=2)]  # what 2-for-2 asks for


class TestTrafficLight:
    @pytest.mark.parametrize(
        ("pain", "expected"),
        [
            (3, None),
            (4, ("pain-contingent", "hold")),
            (5, ("pain-contingent", "hold")),
            (6, ("red", "step-back")),
        ],
    )
    def test_up_to_3_is_green_to_5_amber_and_above_red(self, pain: int, expected: tuple[str, str] | None) -> None:
        assert rule(sessions=[log(pain_during=pain)]) == expected
        assert rule(sessions=[log(pain_after=pain)]) == expected

    def test_pain_that_has_not_settled_by_the_next_day_is_red(self) -> None:
        assert rule(sessions=[log(pain_before=3, pain_next_day=4)]) == ("red", "step-back")
        assert rule(sessions=[log(pain_before=3, pain_next_day=3)]) is None

    def test_what_is_not_known_is_not_red(self) -> None:
        assert rule(sessions=[log(pain_before=None, pain_next_day=5)]) is None
        assert rule(sessions=[log(pain_before=None, pain_during=None, pain_after=None)]) is None

    def test_one_session_steps_back_once(self) -> None:
        assert rule(sessions=[log(pain_during=8, handled=True)]) == ("pain-contingent", "hold")

    def test_only_what_was_too_hard_steps_back(self) -> None:
        items = [item("dead-bug"), item("bird-dog")]
        done = {"dead-bug": Done(), "bird-dog": Done(too_hard=True)}
        proposal = propose(now(items=items, sessions=[replace(log(pain_during=7), done=done)]))
        assert proposal
        assert [step.exercise for step in proposal.steps] == ["bird-dog"]

    def test_without_a_word_on_it_what_was_stepped_up_last_steps_back(self) -> None:
        items = [item("dead-bug", last_step=5), item("bird-dog", last_step=30)]
        done = {"dead-bug": Done(), "bird-dog": Done()}
        proposal = propose(now(items=items, sessions=[replace(log(pain_during=7), done=done)]))
        assert proposal
        assert [(step.exercise, step.to) for step in proposal.steps] == [("dead-bug", "heel-slide")]


class TestFlare:
    def test_a_flare_takes_a_third_to_a_half_of_the_volume(self) -> None:
        items = [item("bird-dog"), item("baseline-walk", Minutes(minutes=20, sessions_per_week=3))]
        proposal = propose(now(items=items, flares=[TODAY]))
        assert proposal
        assert (proposal.rule, proposal.action, proposal.applies) == ("flare", "step-back", True)
        assert [(step.variable, step.before, step.after) for step in proposal.steps] == [
            ("sets", 3, 2),
            ("minutes", 20, 12),
        ]

    def test_it_is_done_once_a_flare_and_then_held(self) -> None:
        assert rule(flares=[ago(4), ago(2), TODAY], last_step_back=ago(3)) == ("flare", "hold")
        assert rule(flares=[ago(20), TODAY], last_step_back=ago(19)) == ("flare", "step-back")

    def test_three_days_after_a_flare_that_is_over_the_rule_is_silent(self) -> None:
        assert rule(flares=[ago(3)], calm_on=ago(1)) == ("flare", "step-back")
        assert rule(flares=[ago(4)], calm_on=ago(1)) is None

    def test_a_flare_of_which_nothing_more_is_said_goes_on_for_a_week(self) -> None:
        assert rule(flares=[ago(7)], calm_on=ago(9)) == ("flare", "step-back")
        assert rule(flares=[ago(8)]) is None

    def test_for_two_weeks_after_a_flare_symptoms_lead_even_by_quota(self) -> None:
        quota = {"mode": "quota", "due": 6, "attended": 6, "sessions": [log(pain_during=4)]}
        assert rule(**quota, flares=[ago(14)], last_step_back=ago(14)) == ("pain-contingent", "hold")
        assert rule(**quota, flares=[ago(15)], last_step_back=ago(15)) == ("quota", "step-up")

    def test_once_it_is_calm_for_two_days_the_old_dose_is_proposed_again(self) -> None:
        eased = item(dose=Sets(sets=2, reps=6, sessions_per_week=3), last_step=6, eased_from=ALL["bird-dog"].dose)
        proposal = propose(
            now(items=[eased], flares=[ago(6)], last_step_back=ago(6), sessions=[log(1)], calm_on=ago(3))
        )
        assert proposal
        assert (proposal.rule, proposal.action, proposal.applies) == ("pain-contingent", "step-up", False)
        assert [(step.variable, step.before, step.after) for step in proposal.steps] == [("sets", 2, 3)]


TASKS = (("sit an hour", 20), ("bend to the shoes", 45), ("lift the shopping", 70))
LADDER = Exposure(ladder=tuple(Rung(task=task, fear=fear) for task, fear in TASKS))


class TestGradedExposure:
    def climbs(self, faced: Faced, task: str = "bend to the shoes", day: int = 0, **fields: Any) -> Any:
        logged = replace(log(day, pain_during=fields.pop("pain", 3)), faced={task: faced})
        usual = {"mode": "quota", "exposure": LADDER, "sessions": [logged], "items": [item(last_step=2)]}
        return propose(now(**usual | fields))

    def test_a_ladder_is_begun_in_the_middle(self) -> None:
        assert LADDER.rung.task == "bend to the shoes"
        assert Exposure(ladder=LADDER.ladder, at=2).rung.fear == 70

    @pytest.mark.parametrize(
        ("faced", "why"),
        [
            (Faced(fear_after=22), ["fear after"]),
            (Faced(feared=7, actual=5), ["pain expected", "pain that came"]),
            (Faced(came_true=False), ["what was feared"]),
        ],
    )
    def test_the_next_task_comes_when_fear_is_halved_or_the_worst_did_not_come(
        self, faced: Faced, why: list[str]
    ) -> None:
        proposal = self.climbs(faced)
        assert (proposal.rule, proposal.action, proposal.applies) == ("exposure", "step-up", False)
        assert [each.name for each in proposal.inputs] == ["fear on the ladder", *why]
        (step,) = proposal.steps
        assert (step.exercise, step.to, step.before, step.after) == ("bend to the shoes", "lift the shopping", 1, 2)
        for words in (for_patient(proposal, ALL, "en"), for_clinician(proposal, ALL, "en")):
            assert "lift the shopping" in words

    @pytest.mark.parametrize(
        "faced", [Faced(fear_after=23), Faced(feared=6, actual=5), Faced(came_true=True), Faced(actual=0), Faced()]
    )
    def test_until_then_the_task_is_repeated(self, faced: Faced) -> None:
        assert self.climbs(faced) is None

    def test_only_the_task_that_is_practised_counts_and_since_it_is(self) -> None:
        assert self.climbs(Faced(fear_after=0), task="sit an hour") is None
        assert self.climbs(Faced(fear_after=0), day=3, on_rung_since=ago(2)) is None
        assert self.climbs(Faced(fear_after=0), day=2, on_rung_since=ago(2)).rule == "exposure"

    def test_at_the_top_there_is_no_next(self) -> None:
        top = Exposure(ladder=LADDER.ladder, at=2)
        assert self.climbs(Faced(fear_after=0), task="lift the shopping", exposure=top) is None

    def test_pain_up_to_5_does_not_hold_it_by_quota_but_does_while_pain_leads(self) -> None:
        done = Faced(fear_after=0)
        assert self.climbs(done, pain=5).rule == "exposure"
        assert self.climbs(done, pain=6).rule == "red"
        assert self.climbs(done, pain=5, mode="pain-contingent").action == "hold"
        assert self.climbs(done, pain=3, mode="pain-contingent").rule == "exposure"

    def test_a_red_flag_or_item_9_holds_it(self) -> None:
        done = Faced(fear_after=0)
        assert self.climbs(done, open_flags=[Sign("RF-1", ago(1))]).rule == "red-flag-open"
        assert self.climbs(done, frozen_since=ago(1)).rule == "frozen"

    @pytest.mark.parametrize(
        "ladder",
        [
            {"ladder": [{"task": "lift", "fear": 70}, {"task": "sit", "fear": 20}]},
            {"ladder": [{"task": "sit", "fear": 20}, {"task": "sit", "fear": 70}]},
            {"ladder": [{"task": "sit", "fear": 20}], "at": 1},
            {"ladder": [{"task": "sit", "fear": 101}]},
            {"ladder": []},
        ],
    )
    def test_a_ladder_that_is_none_is_refused(self, ladder: dict[str, Any]) -> None:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(ladder, Exposure)


class TestQuota:
    def quota(self, **fields: Any) -> tuple[str, str] | None:
        return rule(**{"mode": "quota", "due": 6, "attended": 6, "sessions": [log(1)], "items": [item()]} | fields)

    def test_it_grows_by_the_calendar_whatever_the_pain_up_to_5(self) -> None:
        assert self.quota(sessions=[log(pain_during=5)]) == ("quota", "step-up")
        assert self.quota(sessions=[log(pain_during=6)]) == ("red", "step-back")

    def test_not_before_a_week_is_over(self) -> None:
        assert self.quota(items=[item(last_step=6)]) is None
        assert self.quota(items=[item(last_step=7)]) == ("quota", "step-up")

    def test_one_exercise_a_week_the_one_that_has_waited_longest(self) -> None:
        items = [item("dead-bug", last_step=10), item("bird-dog", last_step=20)]
        proposal = propose(now(mode="quota", due=6, attended=6, items=items))
        assert proposal
        assert [step.exercise for step in proposal.steps] == ["bird-dog"]

    def test_who_does_less_than_half_is_not_asked_for_more(self) -> None:
        assert self.quota(due=6, attended=2) is None
        assert self.quota(due=6, attended=3) == ("quota", "step-up")
        assert self.quota(due=0, attended=0) is None

    def test_on_a_good_day_more_than_asked_is_no_reason_for_more_within_the_week(self) -> None:
        assert self.quota(items=[item(last_step=5)], sessions=STRONG) is None


class TestTwoForTwo:
    def test_two_extra_in_two_sessions_at_the_target_effort_is_one_variable_up(self) -> None:
        proposal = propose(now(sessions=STRONG))
        assert proposal
        assert (proposal.rule, proposal.action, proposal.applies) == ("2-for-2", "step-up", False)
        assert [(step.variable, step.after) for step in proposal.steps] == [("hold_seconds", 6)]

    @pytest.mark.parametrize(
        "sessions",
        [
            [log(0, extra=2)],
            [log(2, extra=1), log(0, extra=2)],
            [log(2, extra=2), log(1), log(0, extra=2)],
            [log(2, extra=2), log(0, extra=2, rpe=5)],
            [log(2, extra=2), log(0, extra=2, rpe=None)],
        ],
    )
    def test_less_than_that_is_not_enough(self, sessions: list[Log]) -> None:
        assert rule(sessions=sessions) is None

    def test_sessions_before_the_last_step_do_not_count_again(self) -> None:
        assert rule(sessions=STRONG, items=[item(last_step=1)]) is None


class TestOrder:
    BACK = [log(2, extra=2), log(0, extra=2, pain_during=7)]
    LOUD = {"weekly_load": 200, "loads_before": [100, 100, 100, 100]}

    def test_stop_comes_before_everything(self) -> None:
        everything = {"flares": [TODAY], "sessions": self.BACK, **self.LOUD, "frozen_since": TODAY}
        assert rule(new_signs=[Sign("CES-1", TODAY)], **everything) == ("stop", "stop")

    def test_then_flare_then_red_then_the_mode_then_2_for_2_then_deload(self) -> None:
        assert rule(flares=[TODAY], sessions=self.BACK, **self.LOUD) == ("flare", "step-back")
        assert rule(sessions=self.BACK, **self.LOUD) == ("red", "step-back")
        amber = [log(2, extra=2), log(0, extra=2, pain_during=4)]
        assert rule(sessions=amber, **self.LOUD) == ("pain-contingent", "hold")
        assert rule(sessions=STRONG, **self.LOUD) == ("2-for-2", "step-up")
        assert rule(sessions=[log()], **self.LOUD) == ("deload", "step-back")
        assert rule(sessions=[log()]) is None

    def test_quota_stands_where_amber_would(self) -> None:
        assert rule(mode="quota", due=6, attended=6, sessions=STRONG, **self.LOUD) == ("quota", "step-up")

    def test_a_week_after_a_step_back_a_loud_week_is_held(self) -> None:
        assert rule(**self.LOUD, last_step_back=ago(3)) == ("deload", "hold")


class TestRedFlags:
    def test_while_one_is_open_there_is_no_step_up(self) -> None:
        flag = {"open_flags": [Sign("RF-1", ago(1))], "limits": Limits(step_up=True)}
        assert rule(sessions=STRONG, **flag) == ("red-flag-open", "hold")

    def test_holding_and_stepping_back_still_work(self) -> None:
        flag = {"open_flags": [Sign("RF-1", ago(1))]}
        assert rule(sessions=[log(pain_during=4)], **flag) == ("pain-contingent", "hold")
        proposal = propose(now(sessions=[log(pain_during=7)], **flag))
        assert proposal
        assert (proposal.rule, proposal.applies) == ("red", True)

    def test_item_9_freezes_progression_and_leaves_the_programme_in_place(self) -> None:
        frozen = {"frozen_since": ago(1), "limits": Limits(step_up=True)}
        assert rule(sessions=STRONG, **frozen) == ("frozen", "hold")
        back = propose(now(sessions=[log(pain_during=7)], **frozen))
        assert back
        assert (back.action, back.applies) == ("step-back", False)
        assert rule(sessions=[log()], **frozen) is None


class TestLimits:
    def test_a_step_back_beyond_what_was_signed_waits(self) -> None:
        two_sets = item(dose=Sets(sets=2, reps=1, sessions_per_week=3))
        proposal = propose(now(items=[two_sets], flares=[TODAY], limits=Limits(step_back=40)))
        assert proposal
        assert (proposal.action, proposal.applies) == ("step-back", False)

    def test_within_what_was_signed_it_applies_at_once(self) -> None:
        proposal = propose(now(flares=[TODAY], limits=Limits(step_back=34)))
        assert proposal
        assert proposal.applies

    def test_nothing_signed_nothing_by_itself(self) -> None:
        for fields in ({"flares": [TODAY]}, {"sessions": [log(pain_during=7)]}):
            proposal = propose(now(limits=Limits(step_back=0), **fields))
            assert proposal
            assert not proposal.applies

    def test_a_step_up_applies_only_where_that_was_signed(self) -> None:
        for signed in (True, False):
            proposal = propose(now(sessions=STRONG, limits=Limits(step_up=signed)))
            assert proposal
            assert proposal.applies is signed


def test_the_numbers_are_those_of_the_clinical_reference() -> None:
    assert (rules.GREEN_UP_TO, rules.RED_ABOVE) == (3, 5)
    assert steps.DELOAD == (0.30, 0.50)
    assert (timedelta(hours=48), timedelta(hours=72)) == (rules.RETEST_AFTER, rules.RETEST_BEFORE)
    assert steps.QUOTA_STEP == (0.10, 0.20)
    assert timedelta(days=7) == rules.QUOTA_EVERY
    assert timedelta(days=14) == rules.AFTER_FLARE
    assert (rules.EXTRA_REPS, rules.EXTRA_SESSIONS) == (2, 2)
    assert rules.LEAST_ADHERENCE == 0.5


every_week = st.integers(1, 7)
doses: st.SearchStrategy[Dose] = st.one_of(
    st.builds(
        lambda sets, kind, value, sides, week: Sets(
            sets=sets, each_side=sides, sessions_per_week=week, **{kind: value}
        ),
        st.integers(1, 20),
        st.sampled_from(["reps", "seconds", "breaths"]),
        st.integers(1, 100),
        st.booleans(),
        every_week,
    ),
    st.builds(
        lambda work, rounds: Intervals(
            work_seconds=work,
            rest_seconds=60,
            rounds=rounds,
            work_rpe=(7, 9),
            rest_rpe=(2, 3),
            sessions_per_week=2,
        ),
        st.integers(5, 600),
        st.integers(1, 30),
    ),
    st.builds(
        lambda minutes, bouts: Minutes(minutes=minutes, bouts=bouts, sessions_per_week=3),
        st.integers(1, 180),
        st.integers(1, 10),
    ),
    st.builds(lambda steps: Steps(steps=steps, over_baseline=500, sessions_per_week=7), st.integers(100, 40_000)),
)


@CALM
@given(doses, st.integers(0, 50))
def test_a_flare_never_takes_more_than_half_nor_all(dose: Dose, most: int) -> None:
    step = lighten(item(dose=dose), Limits(step_back=most))
    if step is None:
        return
    assert step.dose
    assert 0.5 - 1e-9 <= volume(step.dose) / volume(dose) <= 0.7 + 1e-9
    assert changed(dose, step.dose) == [step.variable]


@CALM
@given(doses)
def test_a_quota_step_is_ten_to_twenty_percent_of_one_variable(dose: Dose) -> None:
    step = raised(item(dose=dose))
    if step is None:
        return
    assert step.dose
    assert 1.1 - 1e-9 <= volume(step.dose) / volume(dose) <= 1.2 + 1e-9
    assert changed(dose, step.dose) == [step.variable]


def changed(one: Dose, other: Dose) -> list[str]:
    return [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]


@pytest.mark.parametrize("slug", sorted(ALL))
def test_each_exercise_has_a_step_either_way_in_one_variable(slug: str) -> None:
    up, down = harder(item(slug)), easier(item(slug))
    for step, sign in ((up, 1), (down, -1)):
        if step and step.dose:
            assert changed(ALL[slug].dose, step.dose) == [step.variable]
            grew = (step.after or 0) > (step.before or 0)
            assert grew == (sign > 0) or step.variable == "rest_seconds"


situations = st.builds(
    Situation,
    today=st.just(TODAY),
    mode=st.sampled_from(["quota", "pain-contingent"]),
    limits=st.builds(Limits, step_back=st.integers(0, 50), step_up=st.booleans()),
    items=st.lists(
        st.builds(lambda slug, days: item(slug, last_step=days), st.sampled_from(sorted(ALL)), st.integers(0, 30)),
        min_size=1,
        max_size=3,
        unique_by=lambda each: each.exercise.slug,
    ),
    sessions=st.lists(
        st.builds(
            lambda days, slug, extra, hard, pains: log(days, slug, extra, hard, **pains),
            st.integers(0, 20),
            st.sampled_from(sorted(ALL)),
            st.integers(0, 3),
            st.booleans(),
            st.fixed_dictionaries(
                {
                    name: st.none() | st.integers(0, 10)
                    for name in ("rpe", "pain_before", "pain_during", "pain_after", "pain_next_day")
                }
            ),
        ),
        max_size=4,
    ).map(lambda logs: sorted(logs, key=lambda each: each.day)),
    flares=st.lists(st.integers(0, 30).map(ago), max_size=3),
    new_signs=st.lists(st.just(Sign("CES-1", TODAY)), max_size=1),
    open_flags=st.lists(st.just(Sign("RF-1", ago(3))), max_size=1),
    frozen_since=st.none() | st.just(ago(2)),
    last_step_back=st.none() | st.integers(0, 30).map(ago),
    weekly_load=st.integers(0, 500).map(float),
    loads_before=st.lists(st.integers(0, 500).map(float), max_size=4),
    due=st.integers(0, 14),
    attended=st.integers(0, 14),
)


@settings(CALM, max_examples=400)
@given(situations)
def test_whatever_happens(situation: Situation) -> None:
    proposal = propose(situation)
    if proposal is None:
        return
    assert proposal.rule in rules.SOURCES
    assert proposal.version == rules.VERSION
    assert proposal.inputs or proposal.rule == "red", "a proposal says what it rests on"
    if situation.new_signs:
        assert proposal.action == "stop"
    if situation.open_flags or situation.frozen_since:
        assert proposal.action != "step-up"
    if situation.frozen_since and proposal.action == "step-back":
        assert not proposal.applies
    if proposal.action == "step-up":
        assert proposal.applies is situation.limits.step_up
        assert len(proposal.steps) == 1 or proposal.rule == "pain-contingent"
    for step in proposal.steps:
        before = next(each.dose for each in situation.items if each.exercise.slug == step.exercise)
        if step.dose is not None:
            assert volume(step.dose) > 0 or volume(before) == 0, "never to zero"
            assert changed(before, step.dose) == [step.variable], "one variable at a time"
    for say in (for_patient, for_clinician):
        assert "{" not in say(proposal, ALL, "en")


class TestWords:
    def test_a_flare_is_told_gently_and_with_what_changes(self) -> None:
        proposal = propose(now(flares=[TODAY]))
        assert proposal
        assert for_patient(proposal, ALL, "en") == (
            "You are having a flare. That is hard, and it is no sign of harm. For a few days there is less to do:\n"
            "Bird dog: number of sets 3 → 2\n"
            "Keep your usual days, move gently, and we look again in two to three days."
        )
        assert "30–50 %" in for_clinician(proposal, ALL, "en")

    def test_the_clinician_reads_the_inputs_with_their_days(self) -> None:
        proposal = propose(now(sessions=[log(pain_during=7, pain_next_day=5)]))
        assert proposal
        text = for_clinician(proposal, ALL, "en")
        assert "pain during 7, 2026-11-22" in text
        assert "pain next day 5, 2026-11-23" in text

    def test_the_patient_reads_nothing_of_item_9_nor_of_damage(self) -> None:
        assert _texts("en")["patient"]["frozen-hold"] == _texts("en")["patient"]["red-flag-open-hold"]
        for text in _texts("en")["patient"].values():
            assert not re.search(r"item|suicid|phq|flag|damage|brain|injur", text, re.IGNORECASE)

    def test_both_have_words_for_the_same_proposals(self) -> None:
        for path in FOLDER.glob("*.toml"):
            texts = _texts(path.stem)
            assert set(texts["patient"]) == set(texts["clinician"]) == set(_texts("en")["patient"])

    def test_a_language_without_a_file_falls_back(self) -> None:
        proposal = Proposal("frozen", "hold", ())
        assert for_patient(proposal, ALL, "xx") == for_patient(proposal, ALL, "en")
