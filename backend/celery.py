"""The Celery application and its static beat schedule."""

import os
from typing import Any

from celery import Celery, beat
from celery.schedules import crontab
from celery.signals import heartbeat_sent, setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

app = Celery("steadyback")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "watch alerts": {
        "task": "backend.reminders.tasks.watch_alerts",
        "schedule": 15.0,  # seconds; nobody is told of an alert later than this
        "options": {"expires": 15.0},
    },
    "look for silence": {
        "task": "backend.reminders.tasks.look_for_silence",
        "schedule": 3600.0,  # seconds; what it finds has lasted for days
        "options": {"expires": 3600.0},
    },
    "ask only what somebody would read": {
        "task": "backend.reminders.tasks.ask_only_as_watched",
        "schedule": 300.0,  # seconds; for so long after a rota lapsed item 9 may still be asked
        "options": {"expires": 300.0},
    },
    "dispatch reminders": {
        "task": "backend.reminders.tasks.dispatch_reminders",
        "schedule": 20.0,  # seconds; a reminder is at most this late
        "options": {"expires": 20.0},  # One that waited longer has been overtaken by the next.
    },
    "report reminders that were not said": {
        "task": "backend.reminders.tasks.report_unsaid",
        "schedule": crontab(hour="5", minute="0"),  # UTC
    },
    "recompute due trends": {
        "task": "outcomes.tasks.recompute_due_trends",
        "schedule": 30.0,  # seconds; intake rings too, this is for rings that were lost
        "options": {"expires": 30.0},
    },
    "recompute all trends": {
        "task": "outcomes.tasks.recompute_all_trends",
        "schedule": crontab(hour="2", minute="15"),  # UTC
    },
    "turn exercise days": {
        "task": "exercises.tasks.turn_exercise_days",
        "schedule": crontab(minute="30"),  # each hour: somewhere it is after four
        "options": {"expires": 3000.0},
    },
    "erase what clinics keep no longer": {
        "task": "backend.people.tasks.erase_overdue_patients",
        "schedule": crontab(hour="3", minute="40"),  # UTC
    },
    "clear ended sessions": {
        "task": "backend.people.tasks.clear_ended_sessions",
        "schedule": crontab(minute="50"),  # each hour
    },
}


class Scheduler(beat.Scheduler):
    """Keeps no file, as a missed tick is made good by what stands in the database; leaves a sign of life."""

    def tick(self, *arguments: Any, **options: Any) -> float:
        from backend.rest.health import beat_is_alive  # needs the settings, which import this package

        beat_is_alive()
        return float(super().tick(*arguments, **options))


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """That there is a receiver is enough: Celery then leaves the logging of Django's settings alone."""


@heartbeat_sent.connect
def tell_readiness(**_: Any) -> None:
    from backend.rest.health import worker_is_alive

    worker_is_alive()
