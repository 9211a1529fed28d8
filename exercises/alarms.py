"""Red flags that exercise raises: an adverse event of the listed kinds, and pain that sessions leave behind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from outcomes.alert_rules import Rule, rule

AE_1 = rule("AE-1")
SERIOUS = frozenset(AE_1.events)


def rules_of_refused(kinds: Iterable[object]) -> list[Rule]:
    """The red flag in an adverse event that can't be stored, whatever else is wrong with it."""
    return [AE_1] if any(kind in SERIOUS for kind in kinds if isinstance(kind, str)) else []


class PainOfSession(msgspec.Struct, frozen=True):
    """How a session hurt. `next_day` is the pain that the follow-up tells; null: not told."""

    id: UUID
    authored_at: datetime
    before: int | None
    worst: int | None
    next_day: int | None

    def hurt(self, rule: Rule) -> bool:
        """Above the threshold during or after it, or worse on the next day than before it."""
        settled = self.before is None or self.next_day is None or self.next_day <= self.before
        return not settled or (self.worst is not None and self.worst > rule.number("pain_above"))


def painful(rule: Rule, sessions: Iterable[PainOfSession]) -> PainOfSession | None:
    """The latest session that hurt and is, with those before it, one too many within too few days (EX-1)."""
    hurt = sorted((each for each in sessions if each.hurt(rule)), key=lambda each: (each.authored_at, each.id))
    times, within = int(rule.number("times")), timedelta(days=rule.number("within_days"))
    runs = zip(hurt, hurt[times - 1 :], strict=False)
    return next((last for first, last in reversed(list(runs)) if last.authored_at - first.authored_at <= within), None)
