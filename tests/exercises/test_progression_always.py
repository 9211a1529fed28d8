"""What holds of a proposal whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exercises import progression as rules
from exercises.adherence import volume
from exercises.dose import Dose, Intervals, Minutes, Sets, Steps
from exercises.plan import Limits
from exercises.progression import Sign, Situation, propose
from exercises.steps import easier, harder, lighten, raised
from exercises.words import for_clinician, for_patient
from tests.exercises.situations import ALL, TODAY, ago, item, log

# A busy machine is slow; that is no failure.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

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
