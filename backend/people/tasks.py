"""What is done about people while nobody asks."""

from celery import shared_task
from django.utils import timezone

from backend.people.erasing import erase_overdue


@shared_task
def erase_overdue_patients() -> None:
    erase_overdue(timezone.now())
