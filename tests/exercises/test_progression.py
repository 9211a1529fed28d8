"""Up, hold or back: each rule, and their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exercises import progression as rules
from exercises import steps
from exercises.dose import Minutes, Sets
from exercises.plan import Limits
from exercises.progression import Done, Log, Sign, propose
from tests.exercises.situations import ALL, STRONG, TODAY, ago, item, log, now, rule


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
