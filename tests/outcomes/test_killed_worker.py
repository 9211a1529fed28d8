"""Nothing is lost when a worker is killed, and a bell rung many times costs one recompute."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from outcomes import tasks
from outcomes.models import Summary, Trend, TrendDue
from outcomes.recompute import recompute_all, recompute_due
from tests.database import database_url
from tests.factories import a_patient
from tests.outcomes.entries import all_summaries, all_trends, put

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def program(*arguments: str, talk: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Another process of ours on the tests' own database; killed at the end if it is still there."""
    env = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "backend.settings"}
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, cwd=PROJECT, env=env, text=True, stdin=talk, stdout=talk) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_at_any_line_leaves_all_or_nothing_of_each_patient() -> None:
    patients = [a_patient(user=None) for _ in range(3)]
    died = []
    with program("-m", "tests.outcomes.dying_worker", talk=subprocess.PIPE) as worker:
        assert worker.stdin
        assert worker.stdout
        for day in range(200):
            for patient in patients:
                put(patient, "nrs-pain.total", [(day, day % 7)])
            before = {patient.pk: TrendDue.objects.get(patient=patient).marked for patient in patients}
            worker.stdin.write(f"{1 + 11 * day}\n")
            worker.stdin.flush()
            died.append(worker.stdout.readline())
            for patient in patients:
                trend = Trend.objects.filter(patient=patient).first()
                due = TrendDue.objects.filter(patient=patient).first()
                if due is None:
                    assert trend
                    assert trend.n == min(day + 1, 84)
                    assert Summary.objects.get(patient=patient).pain == day % 7
                else:
                    assert due.marked == before[patient.pk]
                    assert trend is None or trend.n <= day
            if died[-1] == "finished\n":
                break
    assert died[-1] == "finished\n"
    assert len(set(died)) > 20, "it died at many different lines"
    recompute_due(NOW)
    kept = all_trends(), all_summaries()
    Trend.objects.all().delete()
    recompute_all(NOW)
    assert (all_trends(), all_summaries()) == kept


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """The broker, with an empty queue before and after, that nobody has rung at yet."""
    monkeypatch.setattr(tasks, "_asked_until", 0.0)
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        redis.flushdb()
        yield redis
        redis.flushdb()


@pytest.mark.django_db(transaction=True)
def test_many_pushes_in_a_moment_ring_once(queue: Redis) -> None:
    patient = a_patient(user=None)
    for day in range(5):
        put(patient, "nrs-pain.total", [(day, 5)])
    assert queue.llen("celery") == 1
    assert TrendDue.objects.get().marked == 5


@pytest.mark.django_db(transaction=True)
def test_what_is_marked_after_the_worker_has_begun_rings_again(queue: Redis) -> None:
    patient = a_patient(user=None)
    put(patient, "nrs-pain.total", [(0, 5)])
    time.sleep(tasks.PAUSE)  # no worker begins before
    tasks.recompute_due_trends()
    put(patient, "nrs-pain.total", [(1, 5)])
    assert queue.llen("celery") == 2


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_does_not_hurt_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Redis.from_url("redis://127.0.0.1:1")
    monkeypatch.setattr(tasks, "_redis", lambda: away)
    patient = a_patient(user=None)
    put(patient, "nrs-pain.total", [(0, 5)])
    assert TrendDue.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_answers_the_bell_within_seconds(queue: Redis) -> None:
    patient = a_patient(user=None)
    quiet = ("--without-heartbeat", "--without-gossip", "--without-mingle", "-l", "ERROR")
    with program("-m", "celery", "-A", "backend", "worker", "-P", "solo", *quiet) as worker:
        for day in range(20):
            put(patient, "nrs-pain.total", [(day, 5)])
        end = time.monotonic() + 60
        while TrendDue.objects.exists() and time.monotonic() < end:
            time.sleep(0.1)
        assert worker.poll() is None
    assert Trend.objects.get(patient=patient).n == 20
