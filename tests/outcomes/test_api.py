"""Instruments, responses and trends over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from backend.people.models import Patient
from outcomes import library
from outcomes.loading import measure_ids
from outcomes.models import Score, Trend
from tests.factories import a_clinician, a_patient, a_team
from tests.outcomes.test_intake import a_response, take_in
from tests.signin import a_consent, browser, phone

pytestmark = pytest.mark.django_db


def a_phone() -> Client:
    patient = a_patient()
    a_consent(patient)
    return phone(patient)


class TestInstruments:
    def test_the_list_names_all_of_the_library(self) -> None:
        results = a_phone().get("/api/v1/instruments").json()["results"]
        assert [each["code"] for each in results] == [each.code for each in library.newest()]

    def test_an_unchanged_one_is_not_sent_again(self) -> None:
        client = a_phone()
        for address in ("/api/v1/instruments", "/api/v1/instruments/phq-9"):
            tag = client.get(address)["ETag"]
            again = client.get(address, headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")

    def test_a_free_one_comes_with_its_words(self) -> None:
        answer = a_phone().get("/api/v1/instruments/phq-8").json()
        assert len(answer["items"]) == 8
        assert all(item["text"] for item in answer["items"])
        assert set(answer["items"][0]["labels"]) == {"0", "1", "2", "3"}

    def test_a_phone_is_told_how_each_item_may_be_answered(self) -> None:
        items = a_phone().get("/api/v1/instruments/ipaq-sf").json()["items"]
        assert any(item["only_if"] for item in items)
        assert all(item["values"] or item["range"] or item["longest"] for item in items)

    def test_one_that_is_not_free_comes_without(self) -> None:
        answer = a_phone().get("/api/v1/instruments/tsk-11").json()
        assert answer["languages"] == []
        assert {item["text"] for item in answer["items"]} == {None}

    @pytest.mark.parametrize("address", ["phq-99", "phq-9?version=17"])
    def test_an_unknown_one_is_not_found(self, address: str) -> None:
        assert a_phone().get(f"/api/v1/instruments/{address}").status_code == 404


def a_trend(patient: Patient, measure: str, **fields: Any) -> Trend:
    return Trend.objects.create(
        patient=patient,
        measure_id=measure_ids()[measure],
        clinic=patient.clinic,
        computed_at=datetime(2026, 11, 22, tzinfo=UTC),
        **{"n": 1, "last_day": date(2026, 11, 21), "last_value": 4} | fields,
    )


class TestTrends:
    def test_a_patient_reads_their_own_in_words_without_severity(self) -> None:
        patient = a_patient()
        a_consent(patient)
        take_in(patient, [a_response(instrument="nrs-pain", answers={"pain": 4})])
        day = Score.objects.get(patient=patient).local_day
        a_trend(patient, "nrs-pain.total", last_day=day, change_label="worsened", baseline=2.0)
        (line,) = phone(patient).get("/api/v1/trends").json()["results"]
        assert line["sentence"] == "Harder than when you began."
        assert (line["latest"], line["began_at"], line["points"]) == (4, 2, [[day.isoformat(), 4]])

    def test_a_clinician_reads_the_numbers(self) -> None:
        team = a_team()
        patient = a_patient(team)
        a_trend(patient, "nrs-pain.total", slope_per_week=-0.5, change_label="improved")
        client = browser(a_clinician(team))
        (trend,) = client.get(f"/api/v1/patients/{patient.pk}/trends").json()["results"]
        assert (trend["measure"], trend["slope_per_week"], trend["change_label"]) == (
            "nrs-pain.total",
            -0.5,
            "improved",
        )

    def test_a_page_of_responses_costs_the_same_for_one_and_for_many(self, django_assert_num_queries: Any) -> None:
        team = a_team()
        client = browser(a_clinician(team))
        for number in (1, 60):
            patient = a_patient(team)
            take_in(patient, [a_response() for _ in range(number)])
            # session, user, roles; patient; page; audit
            with django_assert_num_queries(6):
                answer = client.get(f"/api/v1/patients/{patient.pk}/responses?limit=200").json()
            assert len(answer["results"]) == number
