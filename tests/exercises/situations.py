"""What the rules of progression look at, built in a line."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from exercises.dose import Dose
from exercises.library import library
from exercises.plan import Limits
from exercises.progression import Done, Log, Situation, propose
from exercises.steps import Item

TODAY = date(2026, 11, 22)
ALL = library().exercises


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
