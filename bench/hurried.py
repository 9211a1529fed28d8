"""The project's Celery application with quicker clocks, for runs in which programs are killed every second.

What a dead worker held is free again after seconds instead of minutes, and beat rings every second. All else is as it
is in production; Firebase's place is taken by a provider on the loopback address.
"""

import os
from datetime import timedelta

from backend.celery import app
from backend.reminders import calling, sending
from backend.reminders.channels import fcm, http

LEASE = timedelta(seconds=4)

fcm.API = os.environ["FCM_API"]
http.TIMEOUT = (1, 1)
sending.LEASE = calling.LEASE = LEASE
sending.BEGIN_WITHIN = LEASE / 2
sending.FIRST_WAIT = calling.FIRST_WAIT = timedelta(seconds=0.5)
sending.LONGEST_WAIT = timedelta(seconds=1)
# Restarts cost attempts, which a run of minutes has more of than a year in production.
sending.MOST_ATTEMPTS = calling.MOST_ATTEMPTS = 1000

__all__ = ["LEASE", "app"]

QUICK = ("dispatch reminders", "watch alerts", "recompute due trends")
for name in QUICK:
    app.conf.beat_schedule[name] |= {"schedule": 1.0, "options": {"expires": 5.0}}
