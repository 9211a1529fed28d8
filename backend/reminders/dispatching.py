"""All that is due now: plans ahead, looks at the clock, looks back, sends."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from backend.reminders.planning import plan_ahead
from backend.reminders.sending import Sender
from backend.reminders.telling import look_back, tell_seen
from backend.reminders.ticking import tick


def dispatch(
    now: datetime, limit: int, seconds: float | None = None, call_for_help: Callable[[], None] = lambda: None
) -> Counter[str]:
    """Do everything that is due at `now`, `limit` at a time, and count it. Any number of these may run at once.

    What waits longest is on its way while the rest is still being looked at. After `seconds` it stops at the next
    occasion, and counts itself as `unfinished`. Calls for help, once, where the first look doesn't see all.
    """
    counts: Counter[str] = Counter()
    end = None if seconds is None else time.monotonic() + seconds
    with Sender() as sender:
        while True:
            done = sum((look(now, limit) for look in LOOKS), Counter()) + sender.step(now, limit)
            if not counts and max(done.values(), default=0) >= limit:
                call_for_help()
            counts += done
            if not done and not sender.is_busy:
                return counts
            if end is not None and time.monotonic() > end:
                return counts + sender.finish() + Counter(unfinished=1)


def _plan(now: datetime, limit: int) -> Counter[str]:
    planned = plan_ahead(now, limit)
    return Counter(planned=planned) if planned else Counter()


LOOKS = (_plan, tick, look_back, tell_seen)
