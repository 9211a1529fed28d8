"""What the worker is told to do. The messages say only that it is time; what there is to do stands in the database."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

import exercises.lapses
import outcomes.silence
from backend.reminders.calling import send_calls
from backend.reminders.dispatching import dispatch
from backend.reminders.escalation import watch
from backend.reminders.reporting import report, unsaid
from backend.reminders.scheduling import ask_as_watched
from backend.reminders.silence import look_for_the_silent
from backend.rest.health import alerts_are_watched

BATCH = 500  # messages
TURN = 5  # seconds
BELL = "reminders-left"  # at most one asks for more of the same, however many dispatch
FORGOTTEN = 20  # seconds


@shared_task
def watch_alerts() -> None:
    """The clocks of red flags; says that it has looked, or the operator is alarmed."""
    now = timezone.now()
    while watch(now, limit=500):
        pass
    alerts_are_watched()
    while send_calls(timezone.now(), limit=200):  # a lease begins when the call is claimed, however long this takes
        pass


@shared_task
def look_for_silence() -> None:
    """The red flags that time itself raises."""
    now = timezone.now()
    outcomes.silence.look_for_silence(now)
    exercises.lapses.look_for_lapses(now)
    look_for_the_silent(now)


@shared_task
def ask_only_as_watched() -> None:
    """Who would read an answer that can't wait may have gone since it was scheduled."""
    ask_as_watched(timezone.now())


@shared_task
def dispatch_reminders() -> None:
    """For some seconds; if more is left, at the queue's end again: the clocks of alerts are not kept waiting.

    Where there is much, an idle process joins at once.
    """
    cache.delete(BELL)
    if dispatch(timezone.now(), limit=BATCH, seconds=TURN, call_for_help=_ask_for_more)["unfinished"]:
        _ask_for_more()


def _ask_for_more() -> None:
    if cache.add(BELL, 1, FORGOTTEN):
        dispatch_reminders.apply_async(expires=FORGOTTEN)


@shared_task
def report_unsaid() -> None:
    report(unsaid(timezone.now()))
