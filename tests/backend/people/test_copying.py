"""A patient's copy: every table, every column, and nothing of anybody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.db.models import ForeignKey
from django.http import StreamingHttpResponse

from backend.people.copying import LEFT_OUT, NAMES, copy_of, fields_of
from backend.people.models import Audit, Patient, User
from backend.people.registry import PATIENT_DATA
from tests.backend.people.everything import NOW, everything_of
from tests.factories import a_clinician
from tests.signin import browser, phone

pytestmark = pytest.mark.django_db


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def test_it_holds_every_column_of_every_table() -> None:
    patient = everything_of("zzmarker")
    found = lines(b"".join(copy_of(patient, NOW)))
    heading, columns, *rows = found
    assert (heading["patient"], heading["clinic"]) == ("zzmarker", patient.clinic.name)
    by_thing = {row["type"]: row for row in rows}
    for label, data in PATIENT_DATA.items():
        if data.exported:
            model = apps.get_model(label)
            names = {field.name for field in model._meta.concrete_fields if f"{label}.{field.name}" not in LEFT_OUT}
            assert set(by_thing[data.thing]) == names | {"type"}, label
            assert set(columns["meaning"][data.thing]) == names, label
        else:
            assert data.thing not in by_thing
    assert set(by_thing["responses"]["instrument"]) == {"code", "version"}
    assert by_thing["consent"]["text"]["body"]
    assert by_thing["quarantine"]["content"] == "zzmarker"


def test_what_is_left_out_exists_and_what_numbers_mean_is_said() -> None:
    for name in LEFT_OUT:
        label, _, field = name.rpartition(".")
        assert apps.get_model(label)._meta.get_field(field)
    for label, data in PATIENT_DATA.items():
        for column in fields_of(apps.get_model(label)) if data.exported else []:
            if isinstance(column, ForeignKey) and column.related_model is not User:
                assert column.related_model._meta.label in {*PATIENT_DATA, *NAMES}, f"{label}.{column.name}"


def test_it_holds_nothing_of_anybody_else() -> None:
    patient, other = everything_of("zzmarker"), everything_of("yyother")
    copy = b"".join(copy_of(patient, NOW))
    assert b"yyother" not in copy
    assert {row["patient"] for row in lines(copy)[2:] if "patient" in row} == {patient.pk}
    assert other.pk != patient.pk


def body(response: Any) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response)


def test_a_patient_and_their_clinic_read_it_over_the_api_and_it_is_noted(world_of: Patient) -> None:
    own = phone(world_of).get("/api/v1/me/export")
    assert own["Content-Type"] == "application/x-ndjson"
    assert {line["type"] for line in lines(body(own))} >= {"copy", "profile", "responses", "sessions", "slots"}
    clinician = a_clinician(world_of.care_team)
    theirs = browser(clinician).get(f"/api/v1/patients/{world_of.pk}/export")
    assert {line["type"] for line in lines(body(theirs))} >= {"profile", "responses"}
    noted = Audit.objects.filter(patient=world_of, action="export copy").values_list("user", flat=True)
    assert set(noted) == {world_of.user_id, clinician.pk}


@pytest.fixture
def world_of() -> Patient:
    return everything_of("zzmarker")
