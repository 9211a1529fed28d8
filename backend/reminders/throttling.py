"""What the providers ask of us together: so many a second, and silence after a 429. Kept in Redis for all workers.

Each asks Redis rarely: it takes several turns of a second at once, and looks once a second whether a channel is held.
Losing what Redis knows costs a few refusals, never a message.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from django.core.cache import cache

SHARE = 50  # a process takes this part of a second's turns at once; what of it is left over at the end is lost
LOOK_AGAIN = 1  # seconds

_lock = threading.Lock()
_turns: dict[str, tuple[int, int]] = {}  # by channel: the second, and how many of its turns are still ours
_held: dict[str, tuple[float, float]] = {}  # by channel: when we looked, and until when it is held


def wait_for_turn(channel: str, per_second: int) -> None:
    """Return when it is this message's turn; the workers share `per_second` among them."""
    while not _take(channel, int(time.time()), per_second):
        time.sleep(1 - time.time() % 1)


def _take(channel: str, second: int, per_second: int) -> bool:
    ours, key = cache.make_key(channel), f"reminders:rate:{channel}:{second}"
    with _lock:
        of, left = _turns.get(ours, (0, 0))
        if of != second or not left:
            some = max(1, per_second // SHARE)
            if of != second:
                cache.add(key, 0, timeout=5)
            taken = cache.incr(key, some)
            left = max(0, min(some, per_second - taken + some))
        _turns[ours] = second, max(0, left - 1)
        return left > 0


def hold(channel: str, wait: timedelta) -> None:
    """Send nothing through this channel for so long: its provider said so."""
    until = time.time() + wait.total_seconds()
    cache.set(f"reminders:hold:{channel}", until, timeout=wait.total_seconds())
    _held[cache.make_key(channel)] = time.time(), until


def held_for(channel: str) -> timedelta:
    """How long the channel is still held; zero if it isn't."""
    now, key = time.time(), cache.make_key(channel)
    looked_at, until = _held.get(key, (0, 0))
    if not looked_at <= now < looked_at + LOOK_AGAIN:
        until = cache.get(f"reminders:hold:{channel}", 0)
        _held[key] = now, until
    return timedelta(seconds=max(0, until - now))
