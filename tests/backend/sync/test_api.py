"""The phone's door over HTTP."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.people.models import Audit, ClinicText, Consent, Patient
from backend.sync.models import Quarantine
from outcomes.models import Response
from tests.factories import a_patient
from tests.signin import a_consent, phone

pytestmark = pytest.mark.django_db


def a_response(**fields: Any) -> dict[str, Any]:
    return {
        "type": "response",
        "id": str(uuid7()),
        "instrument": "nrs-pain",
        "version": "1",
        "authored_at": (timezone.now() - timedelta(minutes=5)).isoformat(),
        "time_zone": "Europe/Zurich",
        "answers": {"pain": 4},
    } | fields


def a_consenting_patient() -> Patient:
    patient = a_patient()
    a_consent(patient)
    return patient


def sync(client: Client, *items: object, cursor: str | None = None, status: int = 200) -> dict[str, Any]:
    response = client.post("/api/v1/sync", {"cursor": cursor, "push": items}, content_type="application/json")
    assert response.status_code == status, response.content
    answer: dict[str, Any] = response.json()
    return answer


def problem(client: Client, body: bytes, **headers: str) -> tuple[int, str | None, str]:
    response = client.generic("POST", "/api/v1/sync", body, "application/json", headers=headers)
    assert response["Content-Type"] == "application/problem+json"
    error = response.json()["errors"][0]
    return response.status_code, error["field"], error["code"]


def test_what_was_pushed_twice_is_stored_once_and_answered_alike() -> None:
    patient = a_consenting_patient()
    client = phone(patient)
    item = a_response()
    first, second = sync(client, item), sync(client, item)
    assert [answer["results"][0]["status"] for answer in (first, second)] == ["stored", "duplicate"]
    assert first["results"][0]["scores"] == second["results"][0]["scores"] == {"nrs-pain.total": 4}
    assert Response.objects.filter(patient=patient).count() == 1


def test_a_sync_whose_every_item_is_refused_is_still_answered() -> None:
    patient = a_consenting_patient()
    answer = sync(phone(patient), {"type": "poem"}, 5, a_response(version="99"))
    assert [result["status"] for result in answer["results"]] == ["rejected"] * 3
    assert Quarantine.objects.filter(patient=patient).count() == 3


def test_the_answer_carries_the_clinics_own_words_when_item_9_is_positive() -> None:
    patient = a_consenting_patient()
    for kind, language in (("crisis", "en"), ("crisis", "de"), ("support", "en")):
        ClinicText.objects.create(
            clinic=patient.clinic, kind=kind, language=language, version=1, body=f"Generated {kind} {language}."
        )
    answer = sync(phone(patient), a_response(instrument="phq-9", answers={"9": 1}))
    assert answer["safety"] == [{"kind": "crisis", "language": "en", "version": 1, "body": "Generated crisis en."}]
    assert {text["kind"] for text in answer["safety_card"]} == {"crisis", "support"}


def test_the_safety_card_comes_again_only_when_it_changed() -> None:
    patient = a_consenting_patient()
    client = phone(patient)
    ClinicText.objects.create(clinic=patient.clinic, kind="crisis", language="en", version=1, body="Old.")
    cursor = sync(client)["cursor"]
    assert sync(client, cursor=cursor)["safety_card"] is None
    ClinicText.objects.create(clinic=patient.clinic, kind="crisis", language="en", version=2, body="New.")
    assert [text["body"] for text in sync(client, cursor=cursor)["safety_card"]] == ["New."]


def test_without_consent_nothing_new_is_taken_in_but_a_phone_may_still_read() -> None:
    patient = a_consenting_patient()
    client = phone(patient)
    Consent.objects.filter(patient=patient).update(withdrawn_at=timezone.now())
    assert sync(client, a_response(), status=403)["errors"][0]["code"] == "consent_withdrawn"
    assert not Response.objects.filter(patient=patient).exists()
    assert sync(client)["results"] == []


def test_the_phones_clock_is_recorded_beside_ours() -> None:
    patient = a_consenting_patient()
    ahead = (timezone.now() + timedelta(minutes=10)).isoformat()
    phone(patient).post(
        "/api/v1/sync", {"device": {"sent_at": ahead}, "push": [a_response()]}, content_type="application/json"
    )
    assert Response.objects.get(patient=patient).clock_skew == pytest.approx(600, abs=30)


def test_a_gzip_body_is_read() -> None:
    patient = a_consenting_patient()
    body = gzip.compress(json.dumps({"push": [a_response()]}).encode())
    response = phone(patient).generic(
        "POST", "/api/v1/sync", body, "application/json", headers={"Content-Encoding": "gzip"}
    )
    assert response.json()["results"][0]["status"] == "stored"


class TestBadBodies:
    @pytest.fixture
    def client(self) -> Client:
        return phone(a_consenting_patient())

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
    def test_what_is_no_json(self, client: Client, body: bytes) -> None:
        assert problem(client, body) == (400, None, "malformed_json")

    def test_what_is_json_of_another_shape(self, client: Client) -> None:
        assert problem(client, b'{"push": 5}') == (400, "push", "wrong_type")

    def test_two_megabytes(self, client: Client) -> None:
        assert problem(client, b'{"push": ["' + b"x" * 2_000_000 + b'"]}')[::2] == (413, "too_large")

    def test_a_bomb(self, client: Client) -> None:
        bomb = gzip.compress(b" " * 100_000_000)
        assert problem(client, bomb, **{"Content-Encoding": "gzip"})[::2] == (413, "too_large")

    def test_more_items_than_a_push_may_have(self, client: Client) -> None:
        assert problem(client, json.dumps({"push": [5] * 501}).encode()) == (413, "push", "too_many_items")

    def test_as_many_as_it_may_have(self, client: Client) -> None:
        assert len(sync(client, *[5] * 500)["results"]) == 500


def test_a_whole_sync_costs_a_fixed_number_of_statements() -> None:
    def statements(number: int) -> int:
        client = phone(a_consenting_patient())
        items = [a_response(instrument="phq-9", answers={"1": 1, "9": 1}) for _ in range(number)]
        cursor = sync(client)["cursor"]
        with CaptureQueriesContext(connection) as queries:
            sync(client, *items, cursor=cursor)
        return len(queries)

    statements(1)
    assert statements(1) == statements(400)


def test_one_phq_9_costs_seven_statements(django_assert_num_queries: Any) -> None:
    client = phone(a_consenting_patient())
    item = a_response(instrument="phq-9", answers={str(number): 1 for number in range(1, 9)} | {"9": 0})
    client.post("/api/v1/responses/", item | {"id": str(uuid7())}, content_type="application/json")
    # Whose phone; begin; revision and audit; response, score and mark; what came before; the slot that asked; end.
    with django_assert_num_queries(7):
        assert client.post("/api/v1/responses/", item, content_type="application/json").status_code == 201


def test_a_pull_with_nothing_new_costs_two_statements(django_assert_num_queries: Any) -> None:
    client = phone(a_consenting_patient())
    cursor = sync(client)["cursor"]
    with django_assert_num_queries(2):  # whose phone is it; what is new
        sync(client, cursor=cursor)


def test_pushes_and_pulls_are_audited() -> None:
    patient = a_consenting_patient()
    sync(phone(patient), a_response(), a_response())
    rows = Audit.objects.filter(patient=patient).order_by("id").values_list("action", "count", "user_id")
    assert list(rows) == [("push", 2, patient.user_id), ("pull", 2, patient.user_id)]


class TestOneResponse:
    def send(self, client: Client, body: object) -> tuple[int, dict[str, Any]]:
        response = client.post("/api/v1/responses/", body, content_type="application/json")
        return response.status_code, response.json()

    def test_it_is_created_once(self) -> None:
        client = phone(a_consenting_patient())
        item = a_response()
        assert [self.send(client, item)[0] for _ in range(2)] == [201, 200]

    def test_other_content_under_its_id_is_a_conflict(self) -> None:
        client = phone(a_consenting_patient())
        item = a_response()
        self.send(client, item)
        status, answer = self.send(client, item | {"answers": {"pain": 9}})
        assert (status, answer["errors"][0]["code"]) == (409, "conflict")

    def test_what_is_wrong_is_named_and_kept(self) -> None:
        patient = a_consenting_patient()
        status, answer = self.send(phone(patient), a_response(answers={"pain": 11}))
        assert (status, answer["errors"][0]["field"], answer["errors"][0]["code"]) == (
            422,
            "answers.pain",
            "out_of_range",
        )
        assert Quarantine.objects.filter(patient=patient).count() == 1

    def test_it_reads_back_newest_first_with_scores_and_the_patients_own_clock(self) -> None:
        client = phone(a_consenting_patient())
        old = a_response(authored_at="2026-11-20T23:30:00+01:00")
        new = a_response(authored_at="2026-11-21T08:00:00+01:00")
        self.send(client, old)
        self.send(client, new)
        results = client.get("/api/v1/responses/").json()["results"]
        assert [result["id"] for result in results] == [new["id"], old["id"]]
        assert results[1]["authored_at"] == "2026-11-20T23:30:00+01:00"
        assert results[1]["scores"] == {"nrs-pain.total": 4}

    def test_pages_follow_each_other(self) -> None:
        client = phone(a_consenting_patient())
        sent = [a_response(authored_at=f"2026-11-{day:02}T08:00:00Z") for day in range(1, 8)]
        sync(client, *sent)
        seen: list[str] = []
        address: str | None = "/api/v1/responses/?limit=3"
        while address:
            page = client.get(address).json()
            seen += [result["id"] for result in page["results"]]
            address = page["next"]
        assert seen == [item["id"] for item in reversed(sent)]
