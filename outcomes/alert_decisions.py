"""Whether a rule applies: pure functions over what a patient's series says up to one day.

A series holds one value a day, so "report" is a day with a value. Missing days count for nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise, takewhile
from statistics import median

import msgspec

from outcomes.alert_rules import Rule, Severity

# Two reports further apart than this are not "in a row", and no jump "from one day to the next".
IN_A_ROW = timedelta(days=3)
NEXT_DAY = timedelta(days=2)  # An evening entry after a morning one that was left out.


class History(msgspec.Struct, frozen=True):
    """One measure of one patient: days in ascending order, the value of each, and the baseline if there is one."""

    days: Sequence[date] = ()
    values: Sequence[float] = ()
    baseline: float | None = None

    @classmethod
    def of(cls, entries: Iterable[tuple[date, float]], baseline: float | None = None) -> History:
        """From entries in any order; several of one day become their median."""
        by_day: dict[date, list[float]] = {}
        for day, value in entries:
            by_day.setdefault(day, []).append(value)
        days = sorted(by_day)
        return cls(days, [median(by_day[day]) for day in days], baseline)

    def until(self, day: date) -> History:
        """What was known at the end of `day`."""
        end = bisect_right(self.days, day)
        return History(self.days[:end], self.values[:end], self.baseline)


def decide(rules: Iterable[Rule], histories: Mapping[str, History]) -> list[Rule]:
    """The rules that apply, each at the grade it has here. `histories` holds, by measure, what a new answer ends."""
    applied: dict[str, Rule] = {}
    for rule in rules:
        decision = DECISIONS.get(rule.kind)
        if decision is None or rule.unless in applied:
            continue
        for measure in rule.measures:
            if measure in histories and (severity := decision(rule, histories[measure])):
                applied[rule.code] = rule.at(severity)
    return list(applied.values())


def level(rule: Rule, history: History) -> Severity | None:
    """The value reaches a threshold (DEP-1)."""
    return rule.severity if history.values[-1] >= rule.number("at_least") else None


def newly_high(rule: Rule, history: History) -> Severity | None:
    """The value reaches a threshold that the one before it did not, or lies so much above the baseline (DEP-2).

    A first value that reaches it is new too.
    """
    *before, value = history.values
    threshold = rule.number("at_least")
    newly = value >= threshold and (not before or before[-1] < threshold)
    risen = history.baseline is not None and value - history.baseline >= rule.number("rise")
    return rule.severity if newly or risen else None


def many_high_days(rule: Rule, history: History) -> Severity | None:
    """So many of the last reports are high, the newest among them (PAIN-1)."""
    last = _recent(history, rule)[-int(rule.number("of_last")) :]
    high = [value >= rule.number("at_least") for value in last]
    return rule.severity if high[-1] and sum(high) >= rule.number("reports") else None


def above_baseline(rule: Rule, history: History) -> Severity | None:
    """The last reports in a row all lie above the baseline, in points and in per cent (PAIN-2).

    A jump from one day to the next is the lesser form of it, and needs no baseline.
    """
    days, base = int(rule.number("days")), history.baseline
    if base is not None and len(history.days) >= days and _in_a_row(history.days[-days:]):
        bar = max(base + rule.number("rise"), base * (1 + rule.number("rise_percent") / 100))
        if all(value >= bar for value in history.values[-days:]):
            return rule.severity
    if len(history.days) < 2 or history.days[-1] - history.days[-2] > NEXT_DAY:
        return None
    return rule.lesser if history.values[-1] - history.values[-2] >= rule.number("jump") else None


def lasting_flare(rule: Rule, history: History) -> Severity | None:
    """The patient says that it is a flare; it is graver once it lasts (FLARE)."""
    return flare_since(rule, history, history.days[-1]) if history.days else None


def flare_since(rule: Rule, history: History, today: date) -> Severity | None:
    """The grade on `today` of a flare that the last report says is on, however long ago that report was."""
    if not history.values or not history.values[-1]:
        return None
    on = list(takewhile(lambda report: report[1], zip(reversed(history.days), reversed(history.values), strict=True)))
    lasting = (today - on[-1][0]).days
    return rule.severity if lasting >= rule.number("lasting_days") else rule.lesser


def low_ears(rule: Rule, history: History) -> Severity | None:
    """The adherence questionnaire is below its cut-off (ADH-1)."""
    return rule.severity if history.values[-1] < rule.number("ears_below") else None


def _recent(history: History, rule: Rule) -> Sequence[float]:
    since = history.days[-1] - timedelta(days=rule.reach_days)
    return history.values[bisect_right(history.days, since) :]


def _in_a_row(days: Sequence[date]) -> bool:
    return all(later - earlier <= IN_A_ROW for earlier, later in pairwise(days))


DECISIONS: dict[str, Callable[[Rule, History], Severity | None]] = {
    "level": level,
    "newly-high": newly_high,
    "many-high-days": many_high_days,
    "above-baseline": above_baseline,
    "lasting-flare": lasting_flare,
    "adherence": low_ears,
}
"""By kind of rule; the other kinds are decided by whoever sees what they are about."""
