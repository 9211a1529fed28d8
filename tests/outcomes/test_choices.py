"""How a clinic reads an instrument where sources differ."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.people.models import Clinic, Patient
from outcomes import library
from outcomes.choices import BadChoiceError, band_of, choices_of, choose, chosen
from outcomes.clinic_models import InstrumentChoice
from outcomes.models import Response, Score
from tests.factories import a_clinic, a_patient, a_team, an_admin
from tests.outcomes.test_intake import PHQ_9, a_response, take_in
from tests.signin import browser

pytestmark = pytest.mark.django_db

AT_37 = {"cutoffs": {"total": {"high": 37}}}
FIVE_OF_NINE = {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1, "6": 1, "7": 1}
EQ_5D = {"mobility": 1, "self-care": 2, "usual-activities": 3, "pain-discomfort": 4, "anxiety-depression": 5, "vas": 60}


def choosing(clinic: Clinic, code: str, choice: dict[str, Any]) -> InstrumentChoice:
    return choose(clinic, code, choice, by=None, now=timezone.now())


def value_set() -> dict[str, float]:
    profiles = ["".join(levels) for levels in product("12345", repeat=5)]
    return {profile: round(1 - 0.05 * sum(int(level) - 1 for level in profile), 3) for profile in profiles}


def band(clinic: Clinic, value: float) -> str:
    instrument = chosen(library.get("tsk-17"), clinic.pk, choices_of([clinic.pk]))
    return band_of(instrument, "total", value)


def scores(patient: Patient) -> dict[str, float]:
    return dict(Score.objects.filter(patient=patient).values_list("measure__code", "value"))


class TestCutOffs:
    def test_37_on_the_tsk_17_is_read_as_each_clinic_chooses(self) -> None:
        clinic, other = a_clinic(), a_clinic()
        choosing(clinic, "tsk-17", AT_37)
        assert (band(clinic, 36), band(clinic, 37)) == ("low", "high")
        assert (band(other, 37), band(other, 38)) == ("low", "high")
        choosing(clinic, "tsk-17", {})
        assert band(clinic, 37) == "low"

    def test_what_was_chosen_before_stays_on_record_and_the_same_again_is_nothing_new(self) -> None:
        clinic = a_clinic()
        for choice in (AT_37, AT_37, {}):
            choosing(clinic, "tsk-17", choice)
        assert list(clinic.instrument_choices.order_by("version").values_list("version", "choice")) == [
            (1, AT_37),
            (2, {}),
        ]
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            clinic.instrument_choices.update(choice={})

    @pytest.mark.parametrize(
        ("code", "choice", "says"),
        [
            ("tsk-17", {"cutoffs": {"total": {"severe": 50}}}, "cutoffs: total has no cut-off severe"),
            ("tsk-17", {"cutoffs": {"total": {"high": 99}}}, "cutoffs: the cut-offs of total are out of order"),
            ("tsk-17", {"cutoffs": {"sum": {"high": 37}}}, "cutoffs: tsk-17 has no score sum"),
            ("tsk-17", {"cutoffs": {"total": {"high": "many"}}}, r"cutoffs\[\.\.\.\]\[\.\.\.\]: Expected `float`"),
            ("tsk-17", {"max_missing": {"total": 17}}, "max_missing: total can't be scored with 17 items missing"),
            ("tsk-17", {"tables": {"total": {"17": 1}}}, "tables: total takes no table"),
            ("eq-5d-5l", {"tables": {"index": {"11111": 1}}}, "tables: the table of index lacks 3124 values"),
            ("tsk-17", {"bands": {}}, "choice: Object contains unknown field `bands`"),
        ],
    )
    def test_what_does_not_fit_is_said_by_field(self, code: str, choice: dict[str, Any], says: str) -> None:
        with pytest.raises(BadChoiceError, match=says):
            choosing(a_clinic(), code, choice)


class TestScoring:
    def test_a_stricter_clinic_scores_no_form_with_two_gaps(self) -> None:
        strict, usual = a_patient(), a_patient()
        choosing(strict.clinic, "phq-9", {"max_missing": {"total": 1}})
        for patient in (strict, usual):
            (verdict,) = take_in(patient, [a_response(answers=FIVE_OF_NINE)])
            assert verdict.scores == {"phq-9.total": None if patient is strict else 9}
        assert (scores(strict), scores(usual)) == ({}, {"phq-9.total": 9})
        status = Response.objects.filter(patient__in=[strict, usual]).values_list("patient", "status")
        assert dict(status) == {strict.pk: "incomplete", usual.pk: "prorated"}

    def test_the_index_of_the_eq_5d_comes_with_the_clinics_value_set_and_not_before(self) -> None:
        patient = a_patient()
        eq_5d = {"instrument": "eq-5d-5l", "answers": EQ_5D}
        take_in(patient, [a_response(**eq_5d)])
        assert "eq-5d-5l.index" not in scores(patient)
        choosing(patient.clinic, "eq-5d-5l", {"tables": {"index": value_set()}})
        (verdict,) = take_in(patient, [a_response(**eq_5d)])
        assert (verdict.scores or {})["eq-5d-5l.index"] == scores(patient)["eq-5d-5l.index"] == 0.5

    def test_it_costs_a_complete_form_nothing_and_others_one_statement_however_many(self) -> None:
        complete, gaps, many = a_patient(), a_patient(), a_patient()
        counts = []
        for patient, answers, number in ((complete, PHQ_9, 1), (gaps, FIVE_OF_NINE, 1), (many, FIVE_OF_NINE, 20)):
            with CaptureQueriesContext(connection) as queries:
                take_in(patient, [a_response(answers=answers) for _ in range(number)])
            counts.append(sum("outcomes_instrument_choice" in query["sql"] for query in queries))
        assert counts == [0, 1, 1]


def test_an_admin_chooses_over_the_api() -> None:
    clinic = a_clinic()
    admin = an_admin(clinic)
    client = browser(admin)
    address = f"/api/v1/clinics/{clinic.pk}/instrument-choices"
    said = client.put(f"{address}/tsk-17", AT_37, content_type="application/json")
    assert (said.status_code, said.json()["cutoffs"]) == (200, {"total": {"high": 37}})
    assert client.get(address).json()["results"] == [said.json()]
    assert InstrumentChoice.objects.get().chosen_by == admin
    bad = client.put(f"{address}/tsk-17", {"cutoffs": {"total": {"high": 1}}}, content_type="application/json")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "cutoffs")
    assert client.put(f"{address}/tsk-99", {}, content_type="application/json").status_code == 404


def test_answers_on_the_page_carry_the_band_that_the_clinic_reads() -> None:
    team = a_team()
    patient = a_patient(team)
    answers = {str(n): 3 if n in (4, 8, 12) else 2 for n in range(1, 17)} | {"17": 4}
    take_in(patient, [a_response(instrument="tsk-17", answers=answers)])
    client = browser(an_admin(team.clinic))
    address = f"/patients/{patient.pk}/answers/"
    assert '<span class="tag">low</span>' in client.get(address).content.decode()
    choosing(team.clinic, "tsk-17", AT_37)
    assert '<span class="tag">high</span>' in client.get(address).content.decode()
