"""The bell that tells the worker of trends that are due, at the real broker."""

from __future__ import annotations

import time

import pytest
from django.conf import settings
from redis import Redis

from outcomes import tasks


class Broker:
    """What the worker would find."""

    def __init__(self) -> None:
        self.redis = Redis.from_url(settings.REDIS_URL)

    def calls(self) -> int:
        """How many recomputes have been asked for."""
        return int(self.redis.llen("celery"))

    def answer(self) -> None:
        """As a worker that begins a recompute: from here on new marks need a new ring."""
        self.redis.delete(tasks.BELL)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    broker.redis.flushdb()
    monkeypatch.setattr(tasks, "_asked_until", 0.0)
    return broker


def at(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    monkeypatch.setattr(time, "time", lambda: moment)


def test_many_marks_ask_once_and_a_mark_after_the_recompute_began_asks_again(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = 1_790_000_000.0
    for after in (0, 0.1, 1.4, 1.9):
        at(monkeypatch, start + after)
        tasks.ring()
    assert broker.calls() == 1
    broker.answer()
    at(monkeypatch, start + 2.1)
    tasks.ring()
    assert broker.calls() == 2


def test_another_server_that_finds_the_bell_rung_waits_no_longer_than_the_one_that_rang(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = 1_790_000_000.0
    at(monkeypatch, start)
    tasks.ring()
    monkeypatch.setattr(tasks, "_asked_until", 0.0)  # the other one
    at(monkeypatch, start + 1)
    tasks.ring()
    broker.answer()
    at(monkeypatch, start + 2.1)
    tasks.ring()
    assert broker.calls() == 2


def test_a_clock_that_was_set_back_keeps_nobody_silent(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 1_790_000_000.0)
    tasks.ring()
    broker.answer()
    at(monkeypatch, 1_790_000_000.0 - 3600)
    tasks.ring()
    assert broker.calls() == 2


def test_a_broker_that_is_away_is_asked_again_at_the_next_mark(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_redis", lambda: Redis(host="127.0.0.1", port=1))
        tasks.ring()
    tasks.ring()
    assert broker.calls() == 1
