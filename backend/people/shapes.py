"""What the endpoints of people answer."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import msgspec

from backend.people import consent
from backend.people.authentication import Phone
from backend.people.models import CareTeam, Clinic, ClinicText, Device, Membership, Patient
from backend.people.texts import safety_card


class ClinicShown(msgspec.Struct):
    id: int
    name: str
    time_zone: str
    languages: list[str]
    simulated: bool


def shown(clinic: Clinic) -> ClinicShown:
    return ClinicShown(clinic.pk, clinic.name, clinic.time_zone, clinic.languages, clinic.simulated)


class ClinicList(msgspec.Struct):
    results: list[ClinicShown]


class ConsentText(msgspec.Struct):
    """The clinic's own words, in one language and version."""

    language: str
    version: int
    body: str


class ConsentSent(msgspec.Struct):
    """What was agreed to, and when. `current` is the newest version in this language: above `version`, ask again."""

    language: str
    version: int
    current: int
    given_at: datetime


class InvitationAnswer(msgspec.Struct):
    purpose: str
    clinic: ClinicShown
    consent: list[ConsentText]
    expires_at: datetime


class EnrolAnswer(msgspec.Struct):
    access_token: str
    refresh_token: str


class DeviceShown(msgspec.Struct):
    id: UUID
    name: str
    created_at: datetime
    last_seen_at: datetime | None
    revoked_at: datetime | None


class Me(msgspec.Struct):
    """`consent` is null while there is none in force. `safety_card` is to be kept and shown with no network."""

    id: int
    name: str
    language: str
    time_zone: str
    status: str
    clinic: ClinicShown
    consent: ConsentSent | None
    safety_card: list[dict[str, Any]]
    device: UUID
    devices: list[DeviceShown]


class Withdrawn(msgspec.Struct):
    """What the clinic says about the data recorded so far; null if it has said nothing."""

    text: ConsentText | None


class PatientShown(msgspec.Struct):
    id: int
    clinic: int
    care_team: int
    identifier: str
    name: str
    date_of_birth: date | None
    language: str
    time_zone: str
    status: str
    origin: str
    enrolled_at: datetime | None


class PatientPage(msgspec.Struct):
    results: list[PatientShown]
    next: str | None


class NewCode(msgspec.Struct):
    """Shown once: only a hash of the code is kept."""

    code: str
    purpose: str
    expires_at: datetime


class DeviceList(msgspec.Struct):
    results: list[DeviceShown]


class TeamShown(msgspec.Struct):
    id: int
    clinic: int
    name: str
    members: list[int]


class TeamList(msgspec.Struct):
    results: list[TeamShown]


class MemberShown(msgspec.Struct):
    id: int
    clinic: int
    role: str
    name: str
    email: str


class MemberList(msgspec.Struct):
    results: list[MemberShown]


class TextShown(msgspec.Struct):
    kind: str
    language: str
    version: int
    body: str
    published_at: datetime


class TextList(msgspec.Struct):
    results: list[TextShown]


class OnCallShown(msgspec.Struct):
    """One place in the chain, and when its duty is: see `OnCall`."""

    member: int
    hours: str
    weekdays: int
    starts: time
    ends: time
    on_holidays: bool


class OnCallList(msgspec.Struct):
    """In the order in which they are told."""

    results: list[OnCallShown]


def consent_of(patient: Patient) -> ConsentSent | None:
    given = consent.standing(patient.pk)
    if given is None:
        return None
    versions = {text.language: text.version for text in consent.current_texts(patient.clinic_id)}
    text = given.text
    return ConsentSent(text.language, text.version, versions.get(text.language, text.version), given.given_at)


def devices_of(patient_id: int) -> list[DeviceShown]:
    return [
        DeviceShown(device.pk, device.name, device.created_at, device.last_seen_at, device.revoked_at)
        for device in Device.objects.filter(patient=patient_id).order_by("created_at", "pk")
    ]


def me_of(phone: Phone) -> Me:
    patient = Patient.objects.select_related("clinic").get(pk=phone.patient_id)
    return Me(
        id=patient.pk,
        name=patient.name,
        language=patient.language,
        time_zone=patient.time_zone,
        status=patient.status,
        clinic=shown(patient.clinic),
        consent=consent_of(patient),
        safety_card=safety_card(patient.clinic_id, patient.language),
        device=phone.device_id,
        devices=devices_of(patient.pk),
    )


def patient_shown(patient: Patient) -> PatientShown:
    names = PatientShown.__struct_fields__
    values = {name: getattr(patient, name) for name in names if name not in {"id", "clinic", "care_team"}}
    return PatientShown(id=patient.pk, clinic=patient.clinic_id, care_team=patient.care_team_id, **values)


def team_shown(team: CareTeam) -> TeamShown:
    """`members` must be prefetched."""
    return TeamShown(team.pk, team.clinic_id, team.name, sorted(member.pk for member in team.members.all()))


def member_shown(member: Membership) -> MemberShown:
    return MemberShown(member.pk, member.clinic_id, member.role, member.user.name, member.user.email)


def text_shown(text: ClinicText) -> TextShown:
    return TextShown(text.kind, text.language, text.version, text.body, text.published_at)
