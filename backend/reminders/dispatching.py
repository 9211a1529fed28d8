"""All that is due now: plans ahead, looks at the clock, sends."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from backend.reminders.planning import plan_ahead
from backend.reminders.sending import send_due
from backend.reminders.ticking import tick


def dispatch(now: datetime, limit: int) -> Counter[str]:
    """Do everything that is due at `now`, `limit` at a time, and count it. Any number of these may run at once."""
    counts: Counter[str] = Counter()
    for step in (_plan, tick, send_due):
        while done := step(now, limit):
            counts += done
    return counts


def _plan(now: datetime, limit: int) -> Counter[str]:
    planned = plan_ahead(now, limit)
    return Counter(planned=planned) if planned else Counter()
