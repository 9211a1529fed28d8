"""kill -9 of dispatchers at random moments: nothing is lost or shown twice. `make chaos` does it for longer."""

import os
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connection

from bench.kill_dispatcher import generated_account, provider, run


@pytest.mark.django_db(transaction=True)
def test_killed_dispatchers_lose_no_reminder_and_double_none() -> None:
    cache.clear()
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with provider(seed=3) as found:
        environment = os.environ | {"DATABASE_URL": url, "FCM_SERVICE_ACCOUNT": generated_account(found.url)}
        counts = run(environment, found, days=1, patients=12, seed=3)
    assert counts.killed > 10
    assert counts.reminders >= 10
    assert (counts.lost, counts.shown_twice, counts.sent_after_the_answer, counts.left_over) == (0, 0, 0, 0)
