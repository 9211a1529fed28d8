"""Erasure: what a patient asks for, or a clinic's own rule, and what of it the law wants to be kept.

What happens to which table, `registry.py` says. What stays is the number of a person whom nobody can name, the audit
of who read and wrote, and the proof of consent.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from django.apps import apps
from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.shortcuts import get_object_or_404

from backend.people import audit
from backend.people.models import Audit, Device, Membership, Patient, PatientRev
from backend.people.registry import PATIENT_DATA, Erasure
from backend.people.tokens import end_sessions

YEAR = timedelta(days=365.25)
ERASED = "erased-"  # and the number of the row, in place of the clinic's own number


def erase(patient_id: int, user_id: int | None, among: QuerySet[Patient] | None = None) -> None:
    """Erase a patient. `user_id` is who wants it; None: the clinic's rule. Erasing twice changes nothing more.

    Raises Http404 where they are not `among` these any more, once whoever is at their record has been waited for.
    """
    patients = Patient.objects.all() if among is None else among
    get_object_or_404(patients, pk=patient_id)
    # First their phones: what one of them sends from here on is nobody's.
    end_sessions(Device.objects.filter(patient=patient_id).values_list("session_key", flat=True))
    with transaction.atomic():
        # Whoever is writing to the patient is waited for, and who comes later finds nobody to write to.
        PatientRev.objects.bulk_create(
            [PatientRev(patient_id=patient_id, erased=True)],
            update_conflicts=True,
            unique_fields=["patient"],
            update_fields=["erased"],
        )
        patient = get_object_or_404(patients.select_for_update(of=("self",)), pk=patient_id)
        account = patient.user
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL steadyback.erasing = 'on'")
            for label, data in PATIENT_DATA.items():
                if data.erasure is Erasure.DELETE:
                    table = connection.ops.quote_name(apps.get_model(label)._meta.db_table)
                    cursor.execute(f"DELETE FROM {table} WHERE patient_id = %s", [patient_id])  # noqa: S608
            cursor.execute("SET LOCAL steadyback.erasing = 'off'")
        Patient.objects.filter(pk=patient_id).update(
            user=None,
            identifier=f"{ERASED}{patient_id}",
            name="",
            date_of_birth=None,
            language="",
            time_zone=patient.clinic.time_zone,
            status=Patient.Status.DISCHARGED,
            programme_started_on=None,
            enrolled_at=None,
        )
        if account is not None and not account.is_staff and not Membership.objects.filter(user=account).exists():
            account.delete()
        audit.record("erase patient", [patient_id], user_id)


def erase_overdue(now: datetime) -> int:
    """Erase what clinics keep no longer; how many patients that were.

    The years run from when anybody last read or wrote the record of a discharged patient.
    """
    last = Audit.objects.filter(patient=OuterRef("pk")).order_by("-at").values("at")[:1]
    discharged = Patient.objects.filter(status=Patient.Status.DISCHARGED, clinic__keep_years__isnull=False)
    known = discharged.exclude(identifier__startswith=ERASED)
    touched = known.annotate(touched_at=Coalesce(Subquery(last), "created_at"))
    due = [
        pk
        for pk, touched_at, years in touched.values_list("pk", "touched_at", "clinic__keep_years")
        if years is not None and touched_at < now - years * YEAR
    ]
    erased = 0
    for pk in due:
        with suppress(Http404):  # taken back since, or moved on
            erase(pk, None, among=known)
            erased += 1
    return erased
