from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.db import connection
from uuid_utils.compat import uuid7

from backend.people.writes import Door
from backend.sync.push import push
from tests.factories import a_patient
from tests.plans import grown, plans
from tests.signin import a_consent

pytestmark = pytest.mark.django_db


def test_one_plan_serves_all_answers() -> None:
    """Among a million scores, two statements of an answer were planned anew each time, which took twice what it ran."""
    patient = a_patient()
    a_consent(patient)
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as if the tables were too large to be read through
    before = plans()
    for week in range(25):
        item = {
            "type": "response",
            "id": str(uuid7()),
            "instrument": "phq-9",
            "version": "1",
            "authored_at": (now - timedelta(weeks=week)).isoformat(),
            "time_zone": "Europe/Zurich",
            "answers": {str(number): int(number < 9) for number in range(1, 10)},
        }
        door = Door(origin="phone", received_at=now, user_id=patient.user_id)
        (verdict,) = push([msgspec.Raw(msgspec.json.encode(item))], patient.pk, patient.clinic_id, door)
        assert verdict.status == "stored"
    ours = [counts for counts in grown(before).values() if sum(counts) >= 10]
    assert len(ours) >= 4  # revisions and audit; responses and scores; the past; slots
    assert max(custom for _, custom in ours) <= 5
