"""What counts as done. The naive definition stands here in full; the fast one must agree with it."""

from collections import defaultdict
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exercises.adherence import (
    DONE_FROM,
    LOAD_JUMP,
    Days,
    Periods,
    Sessions,
    State,
    load_jump,
    met_minutes,
    overall,
    settle,
    volume,
    weeks,
)
from exercises.dose import Intervals, Minutes, Sets, Steps

MONDAY = date(2026, 11, 2).toordinal()
MON_WED_FRI = 0b0010101
SUNDAY_AFTER = MONDAY + 6
NEXT_WEEK = MONDAY + 10

Logged = tuple[int, float, bool, bool]
# A busy machine is slow; that is no failure.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def state_of(sessions: list[Logged], today: int = NEXT_WEEK, paused: tuple[int, int] | None = None) -> list[State]:
    """The states of Monday, Wednesday and Friday of one week, after these (day, share, open, declined)."""
    days = settle(
        Periods.of([(1, MONDAY, SUNDAY_AFTER, MON_WED_FRI)]),
        Periods.of([(1, *paused, 0)] if paused else []),
        Sessions.of((1, *session) for session in sessions),
        MONDAY,
        np.array([today, today]),
    )
    return [State(state) for state in days.state]


MON, TUE, WED, FRI, SAT = MONDAY, MONDAY + 1, MONDAY + 2, MONDAY + 4, MONDAY + 5


def test_a_week_with_nothing_logged_is_missed_once_it_is_over() -> None:
    assert state_of([]) == [State.MISSED] * 3


def test_a_day_that_is_not_over_is_not_missed() -> None:
    assert state_of([], today=WED) == [State.MISSED, State.NOT_STARTED, State.NOT_STARTED]


def test_most_of_the_dose_is_done_and_less_is_partly_done() -> None:
    assert state_of([(MON, 0.8, False, False), (WED, 0.79, False, False)])[:2] == [State.DONE, State.PARTLY_DONE]


def test_short_bouts_of_one_day_add_up() -> None:
    assert state_of([(MON, 1 / 3, False, False)] * 3)[0] is State.DONE


def test_not_today_is_declined_and_not_missed() -> None:
    assert state_of([(MON, 0, False, True)])[0] is State.DECLINED


def test_whoever_declines_and_does_it_later_that_day_has_done_it() -> None:
    assert state_of([(MON, 0, False, True), (MON, 1, False, False)])[0] is State.DONE


def test_a_session_begun_today_is_in_progress_and_one_never_finished_counts_for_what_was_done() -> None:
    assert state_of([(WED, 0.5, True, False)], today=WED)[1] is State.IN_PROGRESS
    assert state_of([(WED, 0.5, True, False)], today=FRI)[1] is State.PARTLY_DONE


def test_a_session_on_another_day_of_the_week_makes_up_for_the_first_that_was_missed() -> None:
    assert state_of([(TUE, 1, False, False)]) == [State.DONE, State.MISSED, State.MISSED]
    assert state_of([(WED, 1, False, False), (SAT, 1, False, False)]) == [State.DONE, State.DONE, State.MISSED]


def test_it_makes_up_for_no_day_that_is_still_to_come() -> None:
    tuesday = [(TUE, 1.0, False, False)]
    assert state_of([(MON, 1, False, False), *tuesday], today=TUE) == [State.DONE, State.NOT_STARTED, State.NOT_STARTED]
    assert state_of([(MON, 1, False, False), *tuesday], today=WED) == [State.DONE, State.DONE, State.NOT_STARTED]


def test_a_session_makes_up_for_nothing_of_another_week() -> None:
    assert state_of([(MONDAY + 8, 1, False, False)]) == [State.MISSED] * 3


def test_a_paused_day_is_neither_done_nor_missed() -> None:
    assert state_of([], paused=(MON, WED)) == [State.PAUSED, State.PAUSED, State.MISSED]


def test_paused_days_are_not_due_in_the_week() -> None:
    days = settle(
        Periods.of([(1, MONDAY, SUNDAY_AFTER, MON_WED_FRI)]),
        Periods.of([(1, MON, TUE, 0)]),
        Sessions.of([(1, WED, 1, False, False)]),
        MONDAY,
        np.array([NEXT_WEEK, NEXT_WEEK]),
    )
    week = weeks(days)
    assert (week.due[0], week.done[0], week.dose[0]) == (2, 1, 0.5)


def test_a_changed_prescription_counts_from_its_own_first_day() -> None:
    old_and_new = Periods.of([(1, MON, TUE, 0b1111111), (1, WED, SUNDAY_AFTER, MON_WED_FRI)])
    days = settle(old_and_new, Periods.of([]), Sessions.of([]), MONDAY, np.array([NEXT_WEEK, NEXT_WEEK]))
    assert list(days.day) == [MON, TUE, WED, FRI]


def test_streaks_and_gaps_leave_pauses_out() -> None:
    kinds = [State.DONE, State.MISSED, State.DECLINED, State.DONE, State.PAUSED, State.PARTLY_DONE, State.NOT_STARTED]
    count = len(kinds)
    days = Days(np.ones(count, np.int64), np.arange(count), np.array(kinds, np.int64), np.full(count, 0.5))
    whole = overall(days, 1)
    assert (whole.due, whole.done, whole.streak, whole.longest_streak, whole.longest_gap) == (5, 3, 2, 2, 2)


def test_a_programme_without_a_settled_day_has_no_share() -> None:
    assert overall(settle(Periods.of([]), Periods.of([]), Sessions.of([]), MONDAY, np.array([MONDAY])), 1).dose is None


def make_up(done: dict[int, float], shares: dict[int, float], going_on: set[int], today: int) -> None:
    for day, share in sorted(done.items()):
        monday = day - date.fromordinal(day).weekday()
        week = range(monday, min(monday + 7, today + 1))
        empty = [each for each in week if shares.get(each) == 0 and each not in going_on]
        if share > 0 and day not in shares and empty:
            shares[empty[0]] = share


def naive_state(day: int, share: float, today: int, going_on: set[int], said_no: set[int]) -> State:
    if day in going_on:
        return State.IN_PROGRESS
    if share > 0:
        return State.DONE if share >= DONE_FROM else State.PARTLY_DONE
    if day in said_no:
        return State.DECLINED
    return State.NOT_STARTED if day >= today else State.MISSED


def naive(
    first: int, last: int, weekdays: int, pause: tuple[int, int], sessions: list[Logged], today: int
) -> dict[int, tuple[State, float]]:
    """The definition, day by day, for one programme."""
    due = [day for day in range(first, last + 1) if weekdays >> date.fromordinal(day).weekday() & 1]
    end_of_week = today + 6 - date.fromordinal(today).weekday()
    result: dict[int, tuple[State, float]] = {}
    done: dict[int, float] = defaultdict(float)
    for day, share, _, _ in sessions:
        done[day] = min(1.0, done[day] + share)
    going_on = {day for day, _, is_open, _ in sessions if is_open and day >= today}
    said_no = {day for day, _, _, declined in sessions if declined}
    shares = {}
    for day in due:
        if pause[0] <= day <= pause[1]:
            result[day] = (State.PAUSED, 0)
        elif day <= end_of_week:
            shares[day] = done.pop(day, 0.0)
    make_up(done, shares, going_on, today)
    for day, share in shares.items():
        result[day] = (naive_state(day, share, today, going_on, said_no), share)
    return {day: value for day, value in sorted(result.items()) if day <= end_of_week}


days_of_a_month = st.integers(MONDAY, MONDAY + 27)
logged = st.tuples(days_of_a_month, st.sampled_from([0.0, 0.25, 0.5, 0.8, 1.0]), st.booleans(), st.booleans())


@settings(CALM, max_examples=200)
@given(
    programmes=st.lists(
        st.tuples(
            days_of_a_month,
            st.integers(0, 27),
            st.integers(1, 127),
            st.tuples(days_of_a_month, days_of_a_month),
            st.lists(logged, max_size=12),
        ),
        min_size=1,
        max_size=4,
    ),
    today=days_of_a_month,
)
def test_many_programmes_at_once_settle_as_each_does_day_by_day(
    programmes: list[tuple[int, int, int, tuple[int, int], list[Logged]]], today: int
) -> None:
    days = settle(
        Periods.of((n, first, first + length, bits) for n, (first, length, bits, _, _) in enumerate(programmes)),
        Periods.of((n, *pause, 0) for n, (_, _, _, pause, _) in enumerate(programmes)),
        Sessions.of((n, *session) for n, (_, _, _, _, sessions) in enumerate(programmes) for session in sessions),
        MONDAY,
        np.full(len(programmes), today),
    )
    for n, (first, length, bits, pause, sessions) in enumerate(programmes):
        mine = days.programme == n
        expected = naive(first, first + length, bits, pause, sessions, today)
        assert list(days.day[mine]) == list(expected)
        assert [State(state) for state in days.state[mine]] == [state for state, _ in expected.values()]
        assert list(days.share[mine]) == [pytest.approx(share) for _, share in expected.values()]


@CALM
@given(st.lists(logged, max_size=20))
def test_more_sessions_never_lower_adherence(sessions: list[Logged]) -> None:
    def dose(of: list[Logged]) -> float:
        days = settle(
            Periods.of([(1, MONDAY, MONDAY + 27, MON_WED_FRI)]),
            Periods.of([]),
            Sessions.of((1, *session) for session in of),
            MONDAY,
            np.array([MONDAY + 60, MONDAY + 60]),
        )
        return overall(days, 1).done

    assert dose([*sessions, (SAT, 1.0, False, False)]) >= dose(sessions)


def test_the_share_that_counts_as_done_is_four_fifths() -> None:
    assert DONE_FROM == 0.8


def test_a_load_thirty_percent_above_the_four_weeks_before_is_a_jump() -> None:
    assert LOAD_JUMP == 0.30
    assert load_jump(130, [100, 100, 100, 100]) == pytest.approx(0.3)
    assert load_jump(130, [100, 100, 100]) is None
    assert load_jump(130, [0, 0, 0, 0]) is None


def test_volume_counts_both_sides_and_every_bout() -> None:
    assert volume(Sets(sets=3, reps=6, each_side=True, sessions_per_week=3)) == 36
    assert volume(Sets(sets=2, breaths=8, sessions_per_week=3)) == 16
    assert volume(Minutes(minutes=10, bouts=3, sessions_per_week=5)) == 30
    hard = Intervals(work_seconds=60, rest_seconds=60, rounds=5, work_rpe=(7, 9), rest_rpe=(2, 3), sessions_per_week=2)
    assert volume(hard) == 300
    assert volume(Steps(steps=4000, over_baseline=500, sessions_per_week=7)) == 4000


def test_met_minutes_are_met_times_minutes() -> None:
    assert met_minutes(3.3, 30) == pytest.approx(99)
