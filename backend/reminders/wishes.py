"""How a patient is reminded, seen and changed by themselves or by those who look after them, and their days away."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from msgspec import UNSET, UnsetType
from uuid_utils.compat import uuid7

from backend.people.models import Patient, User
from backend.people.writes import Door, next_revisions
from backend.reminders import refusals
from backend.reminders.intake import AbsenceItem, LocalTime, SettingsItem, store_absences, store_settings
from backend.reminders.models import Absence, Address, ReminderSettings
from backend.reminders.routes import mail_of
from backend.rest.problems import Problem
from backend.rest.verdicts import FieldError


class Way(msgspec.Struct):
    """A phone's address at a push service. Dead ones say since when and why."""

    channel: str
    since: datetime
    disabled_at: datetime | None
    disabled_why: str


class ShownSettings(msgspec.Struct):
    """How a patient is reminded: local quiet hours, and the most messages in seven days.

    `tell_week` and `tell_seen`: whether to say that a week's summary can be read, that the team has seen something.
    `email_refused_at`: since when nobody is at their address, and nothing goes there until it is set anew.
    """

    channel: str
    quiet_from: time
    quiet_to: time
    weekly_cap: int
    tell_week: bool
    tell_seen: bool
    changed_at: datetime | None
    email: str
    email_refused_at: datetime | None
    email_refused_why: str
    ways: list[Way]


class ChangeSettings(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    channel: Literal["auto", "push", "email", "none"] | UnsetType = UNSET
    quiet_from: LocalTime | UnsetType = UNSET
    quiet_to: LocalTime | UnsetType = UNSET
    weekly_cap: Annotated[int, msgspec.Meta(ge=0, le=100)] | UnsetType = UNSET
    tell_week: bool | UnsetType = UNSET
    tell_seen: bool | UnsetType = UNSET


class ShownAbsence(msgspec.Struct):
    """Local days on which nothing is asked, both included."""

    id: UUID
    first_day: date
    last_day: date
    cancelled: bool


class NewAbsence(msgspec.Struct, forbid_unknown_fields=True):
    first_day: date
    last_day: date


class SetEmail(msgspec.Struct, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(max_length=254)]


class AbsenceError(ValueError):
    """Days that can't be; `error` says why."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(error.detail)
        self.error = error


def read_settings(patient_id: int) -> ShownSettings:
    """Four statements."""
    row = ReminderSettings.objects.filter(patient_id=patient_id).first()
    ways = Address.objects.filter(patient_id=patient_id, device__revoked_at=None).order_by("-updated_at")
    held = row or ReminderSettings()
    refused = refusals.of_patients([patient_id]).get(patient_id)
    return ShownSettings(
        channel=held.channel,
        quiet_from=held.quiet_from,
        quiet_to=held.quiet_to,
        weekly_cap=held.weekly_cap,
        tell_week=held.tell_week,
        tell_seen=held.tell_seen,
        changed_at=row.changed_at if row else None,
        email=mail_of(Patient.objects.select_related("user").get(pk=patient_id)),
        email_refused_at=refused.refused_at if refused else None,
        email_refused_why=refused.why if refused else "",
        ways=[Way(way.channel, way.updated_at, way.disabled_at, way.disabled_why) for way in ways],
    )


def change_settings(patient: Patient, changes: ChangeSettings, door: Door) -> ShownSettings:
    """As the phone's own item does it."""
    item = SettingsItem(
        id=uuid7(),
        authored_at=door.received_at,
        channel=changes.channel,
        quiet_from=changes.quiet_from,
        quiet_to=changes.quiet_to,
        weekly_cap=changes.weekly_cap,
        tell_week=changes.tell_week,
        tell_seen=changes.tell_seen,
    )
    with transaction.atomic():
        revisions = next_revisions([patient.pk])
        store_settings([item], patient.pk, patient.clinic_id, door, revisions)
    return read_settings(patient.pk)


def set_email(patient: Patient, email: str) -> ShownSettings:
    """Where to mail to from now on. The one that they have is thereby confirmed, and tried again if it was refused."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise Problem(400, "invalid", "This is no e-mail address.", field="email") from error
    if patient.user is None:
        raise Problem(409, "not_enrolled", "They have not enrolled yet, and name their address when they do.")
    try:
        with transaction.atomic():
            next_revisions([patient.pk])
            User.objects.filter(pk=patient.user.pk).update(email=email.lower())
            refusals.confirm(Q(patient=patient))
    except IntegrityError as error:
        raise Problem(400, "taken", "Somebody else uses this address here.", field="email") from error
    return read_settings(patient.pk)


def absences(patient_id: int) -> list[ShownAbsence]:
    """Newest first."""
    return [_shown(row) for row in Absence.objects.filter(patient_id=patient_id).order_by("-first_day", "id")]


def add_absence(patient: Patient, days: NewAbsence, door: Door) -> ShownAbsence:
    """Pause what is asked on these days, at once. Raises AbsenceError."""
    return _store(AbsenceItem(uuid7(), door.received_at, days.first_day, days.last_day), patient, door)


def cancel_absence(absence: Absence, door: Door) -> ShownAbsence:
    """Ask on these days after all. Doing it twice changes nothing."""
    item = AbsenceItem(absence.id, door.received_at, absence.first_day, absence.last_day, cancelled=True)
    return _store(item, absence.patient, door)


def _store(item: AbsenceItem, patient: Patient, door: Door) -> ShownAbsence:
    with transaction.atomic():
        revisions = next_revisions([patient.pk])
        (verdict,) = store_absences([item], patient.pk, patient.clinic_id, door, revisions)
        if verdict.errors:
            raise AbsenceError(verdict.errors[0])
    return _shown(Absence.objects.get(pk=(patient.pk, item.id)))


def _shown(row: Absence) -> ShownAbsence:
    return ShownAbsence(row.id, row.first_day, row.last_day, row.cancelled)
