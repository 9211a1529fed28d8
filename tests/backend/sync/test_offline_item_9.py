"""The scripted phone and its colleagues, against a real server; the worker's part is done here."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from backend.reminders.calling import send_calls
from backend.reminders.escalation import watch
from backend.sync.simulated_clinic import codes
from bench.offline_item_9 import invite, kinds, live_through, walk
from bench.phone import clinician, enrol
from outcomes.models import Alert


@pytest.mark.django_db(transaction=True)
def test_item_9_answered_offline_is_shown_the_text_synced_late_and_walked_to_its_end(
    live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("simulate_clinic", patients=1, password="Generated-for-a-test-1", stdout=StringIO())

    def worker() -> None:
        watch(timezone.now(), limit=10)
        send_calls(timezone.now(), limit=10)

    staff, colleague = (
        clinician(live_server.url, email, "Generated-for-a-test-1", codes()[email])
        for email in ("clinician@steadyback.example", "admin@steadyback.example")
    )
    patient, code = invite(staff)
    said: list[str] = []
    shown = live_through(enrol(live_server.url, code), said.append)
    alert = walk(staff, colleague, patient, said.append, worker)
    assert kinds(alert) == [
        "card-shown",
        "raised",
        "told",
        "acknowledged",
        "no-answer",
        "escalated",
        "escalated",
        "acknowledged",
        "contacted",
        "resolved",
    ]
    row = Alert.objects.get(pk=alert["id"])
    assert str(row.source) == shown["response"]
    assert (row.received_at - row.authored_at).days == 2
    calls = [line for line in capsys.readouterr().out.splitlines() if line.startswith("reminder ")]
    assert [line.split()[-1] for line in calls] == ["clinician@steadyback.example", "reception@steadyback.example"]
