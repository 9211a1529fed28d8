"""What is read back of responses, told by the database as it is told by us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from backend.people.models import Patient
from backend.people.writes import Door, next_revisions
from backend.sync.push import push
from outcomes.intake import WithdrawalItem, store_withdrawals
from outcomes.models import Response
from outcomes.records import StoredResponse, stored_responses, told_responses
from tests.factories import a_patient
from tests.plans import grown, plans
from tests.signin import a_consent, phone

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def send(patient: Patient, authored_at: str, **fields: Any) -> dict[str, Any]:
    item = {
        "type": "response",
        "id": str(uuid7()),
        "instrument": "phq-9",
        "version": "1",
        "authored_at": authored_at,
        "time_zone": "Asia/Kathmandu",
        "answers": {str(number): 1 for number in range(1, 10)},
    } | fields
    door = Door(origin="phone", received_at=NOW, user_id=patient.user_id)
    (verdict,) = push([msgspec.Raw(msgspec.json.encode(item))], patient.pk, patient.clinic_id, door)
    assert verdict.status == "stored", verdict
    return item


def told(patient: Patient) -> list[StoredResponse]:
    rows = Response.objects.filter(patient=patient).order_by("-authored_at", "-id")
    return [msgspec.json.decode(each, type=StoredResponse) for each in told_responses(rows, patient.pk)]


@pytest.fixture
def patient() -> Patient:
    """One of each kind of answer, and somebody else's beside."""
    patient = a_patient()
    a_consent(patient)
    first = send(patient, "2026-11-21T20:00:00.250001+05:45")
    send(patient, "2026-11-21T20:01:00-09:30", replaces=first["id"], time_zone="Pacific/Marquesas")
    send(patient, "2026-11-20T08:00:00Z", answers={"1": None, "9": 2})
    send(patient, "2026-11-20T08:00:00Z", instrument="daily-diary", answers={"pain-average": 7, "flare": 0})
    back = send(patient, "2026-11-19T08:00:00+00:00", instrument="psfs", answers={})
    item = WithdrawalItem(id=uuid7(), response=back["id"], authored_at=NOW)
    with transaction.atomic():
        store_withdrawals([item], patient.pk, Door("phone", NOW), next_revisions([patient.pk]))
    send(a_patient(), "2026-11-21T20:00:00+05:45")
    return patient


def test_the_database_tells_what_we_would(patient: Patient) -> None:
    rows = Response.objects.filter(patient=patient).order_by("-authored_at", "-id")
    assert told(patient) == stored_responses(list(rows))
    assert [len(each.scores) for each in told(patient)] == [1, 1, 2, 0, 0]
    assert {str(each.authored_at.utcoffset()) for each in told(patient)} == {"5:45:00", "-1 day, 14:30:00", "0:00:00"}


def test_an_odd_name_of_a_zone_is_told_in_json(patient: Patient) -> None:
    row = Response.objects.filter(patient=patient)[0]
    odd = Response(pk=(patient.pk, uuid7()))
    for field in Response._meta.concrete_fields:
        if field.name not in ("pk", "id"):
            setattr(odd, field.attname, getattr(row, field.attname))
    odd.time_zone, odd.answers = 'a "zone"\\', {"1": 'ö "\n'}
    odd.save(force_insert=True)
    assert told(patient) == stored_responses(
        list(Response.objects.filter(patient=patient).order_by("-authored_at", "-id"))
    )


def test_nobody_without_answers_is_told_of(patient: Patient) -> None:
    assert told(a_patient()) == []


def test_the_pages_together_are_everything_though_moments_differ_by_a_microsecond() -> None:
    patient = a_patient()
    a_consent(patient)
    for microsecond in (999, 1, 500, 1000, 0):
        send(patient, (NOW - timedelta(days=1)).replace(microsecond=microsecond).isoformat())
    client, address, found = phone(patient), "/api/v1/responses/?limit=1", []
    while address:
        page = client.get(address).json()
        found += page["results"]
        address = page["next"]
    assert [msgspec.convert(each["authored_at"], datetime).microsecond for each in found] == [1000, 999, 500, 1, 0]


def test_a_page_costs_as_much_for_one_as_for_many() -> None:
    def statements(number: int) -> int:
        patient = a_patient()
        a_consent(patient)
        client: Client = phone(patient)
        for day in range(number):
            send(patient, (NOW - timedelta(days=day)).isoformat())
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get("/api/v1/responses/?limit=500").json()["results"]) == number
        return len(queries)

    assert statements(1) == statements(9) == 3  # whose phone; the page; the audit


def test_one_plan_serves_who_has_a_few_answers_and_who_has_hundreds() -> None:
    """One made for a few joined row by row: each answer with the values of all, some seventy times as many."""
    few, many = a_patient(), a_patient()
    for patient, count in ((few, 2), (many, 60)):
        for day in range(count):
            at = (NOW - timedelta(days=day)).isoformat()
            send(patient, at, instrument="daily-diary", answers={"pain-average": day % 10, "fear": 3})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        before = plans()
        for _ in range(7):  # from the sixth on the statement is prepared
            assert len(told(few)) == 2
        name = max((sum(counts), name) for name, counts in grown(before).items())[1]
        cursor.execute(f'EXPLAIN (ANALYZE, TIMING OFF) EXECUTE "{name}" ({many.pk}, {many.pk})')
        plan = [line for (line,) in cursor.fetchall()]
    assert "rows=60.00" in plan[0]
    removed = [int(line.partition("Filter:")[2]) for line in plan if "Rows Removed by Join Filter" in line]
    assert sum(removed) < 1000, "\n".join(plan)
    assert [each.scores["daily-diary.pain-average"] for each in told(many)] == [day % 10 for day in range(60)]
