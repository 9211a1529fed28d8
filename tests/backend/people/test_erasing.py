"""Erasure leaves no trace but what the law demands."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.http import Http404
from django.utils import timezone
from uuid_utils.compat import uuid7

from backend.people import audit
from backend.people.discharging import take_back
from backend.people.erasing import erase, erase_overdue
from backend.people.models import Audit, Patient, PatientRev, User
from backend.people.registry import PATIENT_DATA, Erasure
from backend.people.writes import Door, ErasedError
from backend.rest.verdicts import Verdict
from backend.sync.push import push
from outcomes.alert_rules import rule
from outcomes.alerts import Finding, source_of
from outcomes.models import Alert, Response
from outcomes.silence import raise_by_origin
from tests.backend.people.everything import everything_of
from tests.factories import a_clinician, a_patient, a_user, an_admin
from tests.signin import browser, phone

pytestmark = pytest.mark.django_db


def tables() -> dict[str, list[str]]:
    """Every table of the database with its columns, asked of the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns "
            "WHERE table_schema = 'public' GROUP BY table_name"
        )
        return dict(cursor.fetchall())


def rows_with(table: str, word: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE %s', [f"%{word}%"])  # noqa: S608
        return int(cursor.fetchone()[0])


def rows_of(table: str, patient_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}" WHERE patient_id = %s', [patient_id])  # noqa: S608
        return int(cursor.fetchone()[0])


def test_no_table_holds_anything_of_an_erased_patient_but_the_audit_and_the_consent() -> None:
    patient, other = everything_of("zzmarker"), everything_of("yyother")
    account = patient.user
    assert account is not None
    before = {table: rows_of(table, other.pk) for table, columns in tables().items() if "patient_id" in columns}
    assert all(before.values())
    Audit.objects.filter(patient=patient)
    erase(patient.pk, None)
    kept = {
        apps.get_model(label)._meta.db_table for label, data in PATIENT_DATA.items() if data.erasure is Erasure.KEEP
    }
    for table, columns in tables().items():
        if "patient_id" in columns:
            assert (rows_of(table, patient.pk) > 0) == (table in kept), table
        if table not in kept:
            assert rows_with(table, "zzmarker") == 0, table
            assert rows_with(table, account.email) == 0, table
    assert not User.objects.filter(pk=account.pk).exists()
    blank = Patient.objects.get(pk=patient.pk)
    assert (blank.identifier, blank.name, blank.date_of_birth, blank.user) == (f"erased-{patient.pk}", "", None, None)
    assert {table: rows_of(table, other.pk) for table in before} == before
    assert rows_with("people_patient", "yyother") == 1


def test_erasing_twice_changes_nothing_more() -> None:
    patient = everything_of("zzmarker")
    erase(patient.pk, None)
    erase(patient.pk, None)
    assert Patient.objects.get(pk=patient.pk).identifier == f"erased-{patient.pk}"


def test_what_is_append_only_stays_so_after_an_erasure() -> None:
    patient, other = everything_of("zzmarker"), everything_of("yyother")
    erase(patient.pk, None)
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM outcomes_response WHERE patient_id = %s", [other.pk])


def test_a_phone_of_an_erased_patient_is_nobodys() -> None:
    patient = a_patient()
    client = phone(patient)
    assert client.get("/api/v1/me").status_code == 200
    erase(patient.pk, None)
    assert client.get("/api/v1/me").status_code == 401


def a_push(patient: Patient) -> list[Verdict]:
    item = {
        "type": "response",
        "id": str(uuid7()),
        "instrument": "nrs-pain",
        "version": "1",
        "authored_at": "2026-11-22T08:15:00+01:00",
        "time_zone": "Europe/Zurich",
        "answers": {"pain": 4},
    }
    door = Door(origin="phone", received_at=timezone.now())
    return push([msgspec.Raw(json.dumps(item).encode())], patient.pk, patient.clinic_id, door)


def test_a_push_that_was_past_sign_in_when_its_patient_was_erased_writes_nothing() -> None:
    patient = everything_of("zzmarker")
    erase(patient.pk, None)
    rows = Audit.objects.filter(patient=patient).count()
    with pytest.raises(ErasedError):
        a_push(patient)
    assert not Response.objects.filter(patient=patient).exists()
    assert Audit.objects.filter(patient=patient).count() == rows


@contextmanager
def erased_meanwhile(patient: Patient) -> Iterator[Callable[[], None]]:
    """An open transaction, and what begins an erasure beside it: it waits, and is done once the transaction is."""
    erased = threading.Event()

    def erase_it() -> None:
        erase(patient.pk, None)
        erased.set()
        connection.close()

    def begin() -> None:
        thread.start()
        assert not erased.wait(0.5)

    thread = threading.Thread(target=erase_it)
    with transaction.atomic():
        yield begin
    thread.join(30)
    assert erased.is_set()


@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_a_push_under_way_and_takes_its_answers_along() -> None:
    patient = a_patient()
    with erased_meanwhile(patient) as begin:
        (verdict,) = a_push(patient)
        assert verdict.status == "stored"
        begin()
    assert not Response.objects.filter(patient=patient).exists()


def silence_after_pain(patient: Patient) -> tuple[str, Finding]:
    now, miss_1 = timezone.now(), rule("MISS-1")
    return "clinic", Finding(patient.pk, patient.clinic_id, source_of(miss_1, now.date()), now, [miss_1])


@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_what_time_itself_raises_and_takes_the_alert_along() -> None:
    patient = a_patient()
    with erased_meanwhile(patient) as begin:
        raise_by_origin([silence_after_pain(patient)], timezone.now())
        assert Alert.objects.filter(patient=patient).exists()
        begin()
    assert not Alert.objects.filter(patient=patient).exists()


def test_of_who_was_erased_since_they_were_looked_at_time_raises_nothing_and_of_the_others_it_does() -> None:
    gone, other = a_patient(), a_patient()
    found = [silence_after_pain(gone), silence_after_pain(other)]
    erase(gone.pk, None)
    assert raise_by_origin(found, timezone.now()) == 1
    assert Alert.objects.values_list("patient", flat=True).get() == other.pk
    assert PatientRev.objects.get(patient=other).rev == 0


def test_an_admin_erases_with_the_number_typed_again_and_it_is_noted() -> None:
    patient = everything_of("zzmarker")
    admin = an_admin(patient.clinic)
    address = f"/api/v1/patients/{patient.pk}/erasure"
    client = browser(admin)
    wrong = client.post(address, {"identifier": "another"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "another_patient")
    clinician = browser(a_clinician(patient.care_team))
    assert clinician.post(address, {"identifier": "zzmarker"}, content_type="application/json").status_code == 403
    assert Patient.objects.get(pk=patient.pk).name == "zzmarker"
    assert client.post(address, {"identifier": "zzmarker"}, content_type="application/json").status_code == 204
    assert (
        Audit.objects.filter(patient=patient, action="erase patient").values_list("user", flat=True).get() == admin.pk
    )


def test_a_clinic_keeps_a_discharged_patient_for_as_long_as_it_says() -> None:
    now = timezone.now()
    patients = [a_patient(status=Patient.Status.DISCHARGED) for _ in range(3)]
    kept, untouched, without_rule = patients
    active = a_patient()
    for patient in (kept, untouched, active):
        patient.clinic.keep_years = 10
        patient.clinic.save()
    Patient.objects.update(created_at=now - timedelta(days=365 * 20))
    audit.record("read responses", [kept.pk], None)
    assert erase_overdue(now + timedelta(days=365)) == 1
    assert Patient.objects.get(pk=untouched.pk).identifier == f"erased-{untouched.pk}"
    assert set(Patient.objects.exclude(pk=untouched.pk).values_list("identifier", flat=True)) == {
        kept.identifier,
        without_rule.identifier,
        active.identifier,
    }
    assert erase_overdue(now + timedelta(days=365)) == 0


def test_who_was_taken_back_meanwhile_is_not_erased_and_their_phone_goes_on() -> None:
    patient = a_patient(status=Patient.Status.ACTIVE)
    client = phone(patient)
    with pytest.raises(Http404):
        erase(patient.pk, None, among=Patient.objects.filter(status=Patient.Status.DISCHARGED))
    assert Patient.objects.get(pk=patient.pk).identifier == patient.identifier
    assert client.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("POST", "/conditions", {"code": "osteoporosis"}),
        (
            "POST",
            "/clearances",
            {"screen": "x", "cleared_by": "y", "cleared_on": "2026-11-20", "valid_until": "2027-11-20"},
        ),
        ("POST", "/treatments", {"starts_on": "2026-11-20", "details": {"kind": "surgery", "procedure": "fusion"}}),
        ("PUT", "/preferences", {"liked": ["yoga"]}),
        ("PATCH", "", {"name": "Somebody again"}),
    ],
)
def test_nothing_is_entered_about_somebody_erased(method: str, address: str, body: dict[str, object]) -> None:
    patient = a_patient()
    erase(patient.pk, None)
    client = browser(a_clinician(patient.care_team))
    here = f"/api/v1/patients/{patient.pk}{address}"
    assert client.generic(method, here, json.dumps(body), "application/json").status_code == 404


def test_somebody_erased_is_not_taken_back() -> None:
    patient = a_patient()
    erase(patient.pk, None)
    with pytest.raises(ErasedError):
        take_back(Patient.objects.get(pk=patient.pk), a_user().pk)
