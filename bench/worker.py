"""The project's Celery application as it is, with a provider on the loopback address in Firebase's place.

FCM_API=http://127.0.0.1:… celery -A bench.worker worker
"""

import os

from backend.celery import app
from backend.reminders.channels import fcm

fcm.API = os.environ["FCM_API"]
__all__ = ["app"]
