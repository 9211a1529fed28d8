"""What is done about people while nobody asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from backend.people.tasks import clear_ended_sessions


@pytest.mark.django_db
def test_sessions_that_have_run_out_are_cleared_and_others_stay() -> None:
    now = timezone.now()
    for key, ends in (("ended", now - timedelta(seconds=1)), ("lasting", now + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=ends)
    clear_ended_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["lasting"]
