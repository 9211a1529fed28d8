"""What the providers ask of us together: so many a second, and silence after a 429. Kept in Redis for all workers.

Losing it costs a few refusals, never a message.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.core.cache import cache


def wait_for_turn(channel: str, per_second: int) -> None:
    """Return when it is this message's turn; the workers share `per_second` among them."""
    while True:
        now = time.time()
        key = f"reminders:rate:{channel}:{int(now)}"
        cache.add(key, 0, timeout=5)
        if cache.incr(key) <= per_second:
            return
        time.sleep(1 - now % 1)


def hold(channel: str, wait: timedelta) -> None:
    """Send nothing through this channel for so long: its provider said so."""
    cache.set(f"reminders:hold:{channel}", time.time() + wait.total_seconds(), timeout=wait.total_seconds())


def held_for(channel: str) -> timedelta:
    """How long the channel is still held; zero if it isn't."""
    until = cache.get(f"reminders:hold:{channel}", 0)
    return timedelta(seconds=max(0, until - time.time()))
