"""All that is due now: plans ahead, looks at the clock, looks back, sends."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime

from backend.reminders.planning import plan_ahead
from backend.reminders.sending import send_due
from backend.reminders.telling import look_back, tell_seen
from backend.reminders.ticking import tick


def dispatch(now: datetime, limit: int, seconds: float | None = None) -> Counter[str]:
    """Do everything that is due at `now`, `limit` at a time, and count it. Any number of these may run at once.

    What waits longest leaves while the rest is still being looked at. After `seconds` it stops at the next occasion,
    and counts itself as `unfinished`.
    """
    counts: Counter[str] = Counter()
    end = None if seconds is None else time.monotonic() + seconds
    while done := sum((step(now, limit) for step in STEPS), Counter()):
        counts += done
        if end is not None and time.monotonic() > end:
            return counts + Counter(unfinished=1)
    return counts


def _plan(now: datetime, limit: int) -> Counter[str]:
    planned = plan_ahead(now, limit)
    return Counter(planned=planned) if planned else Counter()


STEPS = (_plan, tick, look_back, tell_seen, send_due)
