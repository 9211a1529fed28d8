"""Agreeing to the clinic's consent text, and taking that back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from backend.people import audit
from backend.people.models import ClinicText, Consent, Patient, Transfer
from backend.people.texts import in_language, newest
from backend.rest.problems import Problem, in_words


def current_texts(clinic_id: int) -> list[ClinicText]:
    """The newest consent text of each language."""
    return list(newest(clinic_id).filter(kind=ClinicText.Kind.CONSENT))


def text_to_agree_to(clinic_id: int, named: Mapping[str, Any]) -> ClinicText:
    """The text that `named` says by language and version; only the newest of its language can be agreed to."""
    for text in current_texts(clinic_id):
        if text.language == named["language"]:
            if text.version == named["version"]:
                return text
            raise Problem(
                400, "outdated", in_words("The current version is %(n)s.", n=text.version), field="consent.version"
            )
    raise Problem(400, "unknown", "Your clinic has no consent text in this language.", field="consent.language")


def agree(patient: Patient, text: ClinicText, now: datetime) -> Consent:
    given, new = Consent.objects.get_or_create(
        patient=patient, text=text, withdrawn_at=None, defaults={"clinic_id": text.clinic_id, "given_at": now}
    )
    if new:
        audit.record("write consent", [patient.pk], patient.user_id)
    return given


@transaction.atomic
def withdraw(patient: Patient, now: datetime) -> ClinicText | None:
    """End every consent that stands: from now on nothing new is taken in and nobody is reminded.

    What was recorded until now stays in the clinic's record. Gives the clinic's own words about that, if it has any.
    """
    # First of all a move that is under way: who accepts it in this moment brings a new consent, which ends below.
    under_way = Transfer.objects.filter(patient=patient, accepted_at=None, cancelled_at=None)
    if under_way.update(cancelled_at=now):
        audit.record("call off transfer", [patient.pk], patient.user_id)
    for given in patient.consents.filter(withdrawn_at=None):
        given.withdrawn_at = now
        given.save(update_fields=["withdrawn_at"])  # saved, not updated: reminders listen
        audit.record("withdraw consent", [patient.pk], patient.user_id)
    texts = newest(patient.clinic_id).filter(kind=ClinicText.Kind.WITHDRAWAL)
    return in_language(texts, patient.language, patient.clinic.languages)


def standing(patient_id: int) -> Consent | None:
    """The latest consent that is in force."""
    given = Consent.objects.filter(patient=patient_id, withdrawn_at=None)
    return given.select_related("text").order_by("given_at", "pk").last()
