"""The Celery application and its static beat schedule."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

app = Celery("steadyback")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
