"""What the trend worker is told to do, and the bell that tells it. Messages carry nothing: what is due stands in the
database, so a lost one costs seconds.

The imports wait for the worker: the web server rings, and has no use for numpy.
"""

import logging

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

BELL = "trends-due"
PAUSE = 2  # seconds from the first ring to the recompute, in which further rings cost nothing
FORGOTTEN = 30  # seconds after which a ring that nobody answered is no reason not to ring again


@shared_task
def recompute_due_trends() -> None:
    from outcomes.recompute import recompute_due

    cache.delete(BELL)  # Before reading: whoever marks from here on rings again.
    recompute_due(timezone.now())


@shared_task
def recompute_all_trends() -> None:
    from outcomes.recompute import recompute_all

    recompute_all(timezone.now())


def ring() -> None:
    """Ask for the trends that are marked as due, after the transaction that marked them. Never raises."""
    try:
        if cache.add(BELL, 1, FORGOTTEN):
            recompute_due_trends.apply_async(countdown=PAUSE, retry=False)
    except (RedisError, OperationalError) as error:
        logger.warning("nobody could be told that trends are due: %s", type(error).__name__)
