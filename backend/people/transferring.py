"""A patient moves to another clinic, with their consent. The one door by which anything crosses between clinics.

The clinic that they leave proposes it, they agree on their phone or on paper, and an admin of the other clinic accepts.
Until they have agreed the other clinic knows nothing of it. The history goes along; each row keeps the clinic that
recorded it, and that clinic goes on reading those (`Patient.objects.moved_on_from`). What says how things are now
(`moves` in `registry.py`) becomes the other clinic's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.dispatch import Signal

from backend.people import audit
from backend.people.consent import text_to_agree_to
from backend.people.enrolment import void_codes
from backend.people.models import CareTeam, Clinic, ClinicText, Consent, Patient, Transfer
from backend.people.registry import PATIENT_DATA
from backend.people.writes import next_revisions
from backend.rest.problems import Problem

moved = Signal()
"""Sent within the transaction, with `patient` as they are now, the `clinic` left, and `now`."""


def open_ones() -> QuerySet[Transfer]:
    """Proposed, and neither accepted nor called off."""
    return Transfer.objects.filter(accepted_at=None, cancelled_at=None)


def destinations(clinic: Clinic) -> QuerySet[Clinic]:
    """Where a patient of this clinic may go: nobody made up comes among real patients, and none of them among those."""
    return Clinic.objects.filter(simulated=clinic.simulated).exclude(pk=clinic.pk).order_by("name")


@transaction.atomic
def propose(patient: Patient, to: Clinic, by: int, now: datetime) -> Transfer:
    try:
        with transaction.atomic():
            transfer = Transfer.objects.create(
                clinic_id=patient.clinic_id,
                patient=patient,
                to_clinic=to,
                care_team_id=patient.care_team_id,
                left_as=patient.identifier,
                proposed_by_id=by,
                proposed_at=now,
            )
    except IntegrityError as error:
        raise Problem(409, "proposed", "A transfer of this patient is under way already.") from error
    audit.record("write transfer", [patient.pk], by)
    return transfer


@transaction.atomic
def agree_on_paper(transfer: Transfer, by: int, now: datetime) -> None:
    """Somebody of the clinic holds the patient's signed consent."""
    _agree(transfer, Transfer.Agreed.PAPER, by, now, noted_by_id=by)


@transaction.atomic
def agree_by_phone(transfer: Transfer, text: Mapping[str, Any], now: datetime) -> None:
    """The patient agrees to the move and to the other clinic's own consent text. Raises Problem."""
    named = text_to_agree_to(transfer.to_clinic_id, text)
    _agree(transfer, Transfer.Agreed.PHONE, transfer.patient.user_id, now, text=named)


def _agree(transfer: Transfer, how: Transfer.Agreed, by: int | None, now: datetime, **more: Any) -> None:
    if not open_ones().filter(pk=transfer.pk, agreed="").update(agreed=how, agreed_at=now, **more):
        raise Problem(409, "not_open", "This was agreed to, or called off, before.")
    audit.record("agree to transfer", [transfer.patient_id], by)


@transaction.atomic
def call_off(transfer: Transfer, by: int | None, now: datetime) -> None:
    """By any of the three, until it is accepted."""
    if open_ones().filter(pk=transfer.pk).update(cancelled_at=now):
        audit.record("call off transfer", [transfer.patient_id], by)


@transaction.atomic
def accept(transfer: Transfer, team: CareTeam, identifier: str, by: int, now: datetime) -> Patient:
    """From now on they are this clinic's patient. All of it happens, or none. Raises Problem."""
    # Who writes to the patient in this moment is waited for, and who comes later sees where they are.
    next_revisions([transfer.patient_id])
    patient = Patient.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=transfer.patient_id)
    agreed = open_ones().exclude(agreed="").select_for_update()
    as_agreed = agreed.filter(pk=transfer.pk, clinic=patient.clinic_id).first()
    if as_agreed is None:
        raise Problem(409, "not_open", "The transfer was accepted or called off before, or nobody has agreed to it.")
    if team.clinic_id != transfer.to_clinic_id:
        raise Problem(400, "elsewhere", "That team is another clinic's.", field="care_team")
    audit.record("transfer out", [patient.pk], by)
    void_codes(patient, now)
    left = patient.clinic
    patient.clinic_id, patient.care_team, patient.identifier = transfer.to_clinic_id, team, identifier
    try:
        with transaction.atomic():
            patient.save(update_fields=["clinic", "care_team", "identifier"])
    except IntegrityError as error:
        raise Problem(400, "taken", "Another patient of the clinic has this identifier.", field="identifier") from error
    _move_what_moves(patient)
    if as_agreed.text is not None:
        _consent_to(patient, as_agreed.text, as_agreed.agreed_at or now, now)
    Transfer.objects.filter(pk=transfer.pk).update(accepted_at=now, accepted_by_id=by)
    audit.record("transfer in", [patient.pk], by)
    moved.send(Transfer, patient=patient, clinic=left, now=now)
    return patient


def _move_what_moves(patient: Patient) -> None:
    with connection.cursor() as cursor:
        for label, data in PATIENT_DATA.items():
            if data.moves:
                table = connection.ops.quote_name(apps.get_model(label)._meta.db_table)
                cursor.execute(
                    f"UPDATE {table} SET clinic_id = %s WHERE patient_id = %s",  # noqa: S608
                    [patient.clinic_id, patient.pk],
                )


def _consent_to(patient: Patient, text: ClinicText, given_at: datetime, now: datetime) -> None:
    """Their consent to the other clinic's text stands from now on in place of those that they gave before."""
    for given in patient.consents.filter(withdrawn_at=None):
        given.withdrawn_at = now
        given.save(update_fields=["withdrawn_at"])  # saved, not updated: reminders listen
    Consent.objects.create(clinic_id=patient.clinic_id, patient=patient, text=text, given_at=given_at)
