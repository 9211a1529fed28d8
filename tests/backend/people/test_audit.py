import pytest
from django.db import IntegrityError, connection, transaction

from backend.people import audit
from backend.people.models import Audit, ClinicText
from tests.factories import a_clinic, a_patient


@pytest.mark.django_db
def test_one_row_says_who_did_what_to_whom() -> None:
    patient = a_patient()
    audit.record("read trends", [patient.pk], patient.user_id, count=3)
    row = Audit.objects.get(patient=patient)
    assert (row.clinic_id, row.user_id, row.action, row.count) == (patient.clinic_id, patient.user_id, "read trends", 3)


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE people_audit SET action = 'nothing'", "DELETE FROM people_audit"])
def test_nobody_changes_what_is_recorded(statement: str) -> None:
    audit.record("read trends", [a_patient().pk], None)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_a_published_text_stays_as_it_was_agreed_to() -> None:
    text = ClinicText.objects.create(clinic=a_clinic(), kind="consent", language="en", version=1, body="We ask you …")
    text.body = "We never asked you."
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        text.save()


@pytest.mark.django_db
def test_erasure_says_that_it_is_one() -> None:
    audit.record("read trends", [a_patient().pk], None)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL steadyback.erasing = 'on'")
        cursor.execute("DELETE FROM people_audit")
    assert not Audit.objects.exists()
