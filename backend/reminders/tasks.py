"""What the worker is told to do. The messages say only that it is time; what there is to do stands in the database."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from backend.reminders.dispatching import dispatch


@shared_task
def dispatch_reminders() -> None:
    dispatch(timezone.now(), limit=1000)
