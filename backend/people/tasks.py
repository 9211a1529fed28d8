"""What is done about people while nobody asks."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from backend.people.erasing import erase_overdue


@shared_task
def erase_overdue_patients() -> None:
    erase_overdue(timezone.now())


@shared_task
def clear_ended_sessions() -> None:
    """Sessions that have run out let nobody in; one may still hold what somebody was writing when it was locked."""
    call_command("clearsessions")
