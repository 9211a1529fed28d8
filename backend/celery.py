"""The Celery application and its static beat schedule."""

import os
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

app = Celery("steadyback")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """That there is a receiver is enough: Celery then leaves the logging of Django's settings alone."""


@heartbeat_sent.connect
def tell_readiness(**_: Any) -> None:
    from backend.rest.health import worker_is_alive  # needs the settings, which import this package

    worker_is_alive()
