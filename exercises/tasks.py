"""What the worker is told to do: see `exercises.nightly`."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from exercises.nightly import turn_the_day


@shared_task
def turn_exercise_days() -> None:
    turn_the_day(timezone.now())
