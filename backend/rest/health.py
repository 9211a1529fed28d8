"""Is the server alive, and is everything that it needs there?"""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache as remembered

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

WORKER = "worker-heartbeat"
WORKER_SILENCE = 20  # seconds; a worker speaks up every 2
ALERTS = "alerts-watched"
ALERTS_SILENCE = 120  # seconds; they are looked at every 15
UNWATCHED = "alerts-unwatched"
SAID_AGAIN_AFTER = 60  # seconds
BEAT = "beat-heartbeat"
BEAT_SILENCE = 90  # seconds; beat wakes at least every 30

logger = logging.getLogger(__name__)


class NotReady(Exception):  # noqa: N818 - an answer rather than an error
    pass


def worker_is_alive() -> None:
    """Called by the worker, again and again."""
    cache.set(WORKER, True, timeout=WORKER_SILENCE)


def alerts_are_watched() -> None:
    """Called each time when the clocks of all alerts have been looked at."""
    cache.set(ALERTS, True, timeout=ALERTS_SILENCE)


def beat_is_alive() -> None:
    """Called by beat, again and again; while the cache is away it goes on, and is not seen."""
    with suppress(RedisError):
        cache.set(BEAT, True, timeout=BEAT_SILENCE)


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@remembered  # once they are, they stay so: an exception isn't remembered
def migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady


def broker() -> None:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_connect_timeout=2, socket_timeout=2) as client:
        client.ping()


def worker() -> None:
    if not cache.get(WORKER):
        raise NotReady


def alerts() -> None:
    if not cache.get(ALERTS):
        if cache.add(UNWATCHED, True, timeout=SAID_AGAIN_AFTER):  # probes come every few seconds
            logger.error("nobody watches the clocks of alerts: the worker or beat has stopped")
        raise NotReady


def is_ready(check: Callable[[], None]) -> bool:
    try:
        check()
    except NotReady:
        return False
    except Exception:
        logger.exception("not ready", extra={"service": check.__name__})
        return False
    return True


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that a database that is away restarts nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database, its migrations, the broker, a worker and the watch over alerts are there; else 503."""
    checks = {check.__name__: is_ready(check) for check in (database, migrations, broker, worker, alerts)}
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)
