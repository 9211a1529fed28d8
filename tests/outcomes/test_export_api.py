"""A clinic's data, and a patient's, over HTTP."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from backend.people import copying
from backend.people.models import Audit, Patient
from backend.people.registry import PATIENT_DATA
from outcomes import exporting
from outcomes.restoring import Restored, restore
from tests.backend.people.everything import everything_of
from tests.factories import a_clinic, a_clinician, a_patient, a_team, an_admin
from tests.outcomes.test_intake import PHQ_9, a_response, take_in
from tests.signin import browser

pytestmark = pytest.mark.django_db


def read(client: Client, address: str) -> str:
    answer: Any = client.get(address)
    assert answer.status_code == 200, answer.content
    assert isinstance(answer, StreamingHttpResponse)
    return b"".join(answer).decode()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def names(client: Client, address: str) -> list[str]:
    return [file["name"] for file in client.get(address).json()["results"]]


def test_each_file_that_is_listed_can_be_read_and_is_noted() -> None:
    patient = everything_of("zzmarker")
    take_in(patient, [a_response()])
    admin = an_admin(patient.clinic)
    client = browser(admin)
    address = f"/api/v1/clinics/{patient.clinic_id}/exports"
    listed = names(client, address)
    assert {"responses.jsonl", "records.jsonl", "scores.csv", "phq-9.csv", "sessions.csv", "dictionary.csv"} <= {
        *listed
    }
    for name in listed:
        text = read(client, f"{address}/{name}")
        if name.endswith(".csv"):
            assert name == "dictionary.csv" or rows(text), name
        else:
            assert [json.loads(line) for line in text.splitlines()], name
        assert Audit.objects.filter(patient=patient, user=admin, action=f"export {name}").exists(), name


def test_every_column_of_every_table_is_in_its_file_and_in_the_dictionary() -> None:
    patient = everything_of("zzmarker")
    patients = Patient.objects.filter(pk=patient.pk)
    known = {(line["file"], line["column"]): line["meaning"] for line in rows("".join(exporting.csv_of_dictionary()))}
    for name, model in copying.tables().items():
        (line,) = rows("".join(copying.csv_of_table(name, patients)))[:1]
        assert line["identifier"] == "zzmarker"
        assert all(known[f"{name}.csv", column] for column in line), name
        there = {column.partition(".")[0] for column in line}
        assert {field.name for field in copying.fields_of(model)} <= there, name
    with_files = {*copying.tables().values(), *(apps.get_model(f"outcomes.{name}") for name in ("Response", "Score"))}
    assert with_files == {apps.get_model(label) for label, data in PATIENT_DATA.items() if data.exported}


def test_it_goes_back_in_as_it_was() -> None:
    team = a_team()
    patient = a_patient(team, identifier="A")
    first = a_response()
    take_in(patient, [first, a_response(instrument="daily-diary", answers={"pain-now": 4})])
    take_in(patient, [a_response(answers=PHQ_9 | {"1": 3}, replaces=first.id)])
    client, elsewhere = browser(an_admin(team.clinic)), a_clinic()
    text = read(client, f"/api/v1/clinics/{team.clinic_id}/exports/responses.jsonl")
    done = Restored()
    for part in restore(text.encode().splitlines(), elsewhere, timezone.now()):
        done.add(part)
    assert (done.patients, done.responses, done.refused) == (1, 3, [])
    again = read(browser(an_admin(elsewhere)), f"/api/v1/clinics/{elsewhere.pk}/exports/responses.jsonl")
    assert again.splitlines()[1:] == text.splitlines()[1:]


def test_a_clinician_exports_their_patients_one_by_one_and_nobody_elses() -> None:
    team = a_team()
    mine, also_mine, anothers = a_patient(team), a_patient(team), a_patient(a_team(team.clinic))
    for patient in (mine, also_mine, anothers):
        take_in(patient, [a_response()])
    client = browser(a_clinician(team))
    address = f"/api/v1/patients/{mine.pk}/exports"
    assert "phq-9.csv" in names(client, address)
    (line,) = rows(read(client, f"{address}/phq-9.csv"))
    assert line["patient"] == mine.identifier
    assert mine.identifier in read(client, f"{address}/records.jsonl")
    assert client.get(f"/api/v1/patients/{anothers.pk}/exports/phq-9.csv").status_code == 404
    noted = Audit.objects.filter(action="export phq-9.csv").values_list("patient", flat=True)
    assert list(noted) == [mine.pk]


@pytest.mark.parametrize("name", ["tsk-99.csv", "scores.xls", "responses", "published.toml", "..", "people_user.csv"])
def test_a_file_that_there_is_not_is_not_found(name: str) -> None:
    clinic = a_clinic()
    assert browser(an_admin(clinic)).get(f"/api/v1/clinics/{clinic.pk}/exports/{name}").status_code == 404


def test_what_a_patient_wrote_is_no_formula() -> None:
    patient = a_patient()
    activities = {"activity-1": '=HYPERLINK("https://example.org")', "1": 4}
    take_in(patient, [a_response(instrument="psfs", answers=activities)])
    patients = Patient.objects.filter(pk=patient.pk)
    (line,) = rows("".join(exporting.csv_of_instrument(patients, "psfs")))
    assert line["item.activity-1"] == '\'=HYPERLINK("https://example.org")'
    assert '"=HYPERLINK(' in b"".join(exporting.json_lines(patients, "clinic", timezone.now())).decode()


def test_a_file_leaves_before_all_of_it_is_read(django_assert_max_num_queries: Any) -> None:
    patient = a_patient()
    take_in(patient, [a_response() for _ in range(3)])
    found = exporting.content("scores.csv", Patient.objects.filter(pk=patient.pk), "clinic", timezone.now())
    assert found is not None
    lines: Iterator[bytes] = found[1]
    with django_assert_max_num_queries(0):
        assert next(lines).startswith(b"patient,measure")
