"""What the trend worker is told to do, and the bell that tells it. Messages carry nothing: what is due stands in the
database, so a lost one costs seconds.

The imports wait for the worker: the web server rings, and has no use for numpy.
"""

import logging
import time
from functools import cache

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

BELL = "trends-due"
PAUSE = 2  # seconds from the first ring to the recompute, in which further rings cost nothing
SURE = 0.5  # seconds that the clocks of servers may differ
FORGOTTEN = 30  # seconds after which a ring that nobody answered is worth no answer: the beat has rung meanwhile


@shared_task
def recompute_due_trends() -> None:
    from outcomes.recompute import recompute_due

    _redis().delete(BELL)  # Before reading: whoever marks from here on rings again, should this be early.
    recompute_due(timezone.now())


@shared_task
def recompute_all_trends() -> None:
    from outcomes.recompute import recompute_all

    recompute_all(timezone.now())


def ring() -> None:
    """Ask for the trends that are marked as due, after the transaction that marked them. Never raises.

    The bell says when the recompute starts: what is marked until then it sees, so nobody has to ask again. Should a
    clock differ by more than SURE, a mark waits for the next ring or for the beat.
    """
    global _asked_until
    now = time.time()
    if now < _asked_until <= now + PAUSE:
        return
    try:
        rung = _redis().set(BELL, now + PAUSE, nx=True, get=True, ex=PAUSE)
        if rung is None:
            recompute_due_trends.apply_async(countdown=PAUSE, expires=FORGOTTEN, retry=False)
    except (RedisError, OperationalError) as error:
        logger.warning("nobody could be told that trends are due: %s", type(error).__name__)
    else:
        _asked_until = float(rung or now + PAUSE) - SURE


_asked_until = 0.0  # Unix time; until then a ring would tell nobody anything new


@cache
def _redis() -> Redis:
    """A client that stays. Django's cache makes a new one for each call, which was a fifth of what a push costs."""
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
