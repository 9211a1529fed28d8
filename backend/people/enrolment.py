"""One-time codes, and how a phone becomes a patient's by one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from django.utils.crypto import salted_hmac
from uuid_utils.compat import uuid7

from backend.people import audit, consent, devices, zones
from backend.people.models import Invitation, Patient, User
from backend.people.tokens import Tokens
from backend.rest.problems import Problem, in_words

NO_ADDRESS = "@patients.invalid"
ADULT = 18  # years; the product is for adults
LIFETIME = {Invitation.Purpose.ENROL: timedelta(days=14), Invitation.Purpose.RELINK: timedelta(hours=24)}
LOST_REPLY = timedelta(minutes=10)

# Crockford's base 32 has no I, L, O and U, so what is read aloud or copied by hand stays unambiguous.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


@dataclass(frozen=True, slots=True)
class NewPhone:
    """What a phone says of itself and its owner when it redeems a code."""

    code: str
    date_of_birth: date
    device_id: UUID
    device_name: str


def invite(patient: Patient, purpose: Invitation.Purpose, by: int, now: datetime) -> tuple[str, Invitation]:
    """A new code for this patient, to be shown once. Whatever codes they had before are dead.

    Raises Http404 where they have moved to another clinic since they were read.
    """
    letters = "".join(secrets.choice(ALPHABET) for _ in range(12))
    code = "-".join(letters[at : at + 4] for at in (0, 4, 8))
    with transaction.atomic():
        patient = get_object_or_404(Patient.objects.select_for_update(), pk=patient.pk, clinic=patient.clinic_id)
        if (purpose == Invitation.Purpose.ENROL) != (patient.user_id is None):
            detail = in_words(
                "This patient has an account: link a phone to it." if patient.user_id else "Invite this patient first."
            )
            raise Problem(409, "enrolled" if patient.user_id else "not_enrolled", detail)
        if patient.status == Patient.Status.DISCHARGED:
            raise Problem(409, "discharged", "This patient was discharged.")
        void_codes(patient, now)
        invitation = Invitation.objects.create(
            clinic_id=patient.clinic_id,
            patient=patient,
            purpose=purpose,
            code_hash=hash_of(code),
            created_by_id=by,
            expires_at=now + LIFETIME[purpose],
        )
        audit.record("write invitation", [patient.pk], by)
    return code, invitation


def void_codes(patient: Patient, now: datetime) -> None:
    """Whatever codes of theirs are out are worth nothing any more."""
    patient.invitations.filter(redeemed_at=None, expires_at__gt=now).update(expires_at=now)


def hash_of(code: str) -> bytes:
    """A keyed hash, and a fast one: a code is 60 random bits, so with the database alone there is nothing to guess."""
    plain = code.upper().translate(READ_AS)
    return salted_hmac("backend.people.invitation", plain, algorithm="sha256").digest()


def find(code: str, purpose: Invitation.Purpose | None, now: datetime, *, again: UUID | None = None) -> Invitation:
    """The invitation behind a code, its row locked: of two who redeem it in the same moment one waits and comes late.

    A code that the phone `again` redeemed a moment ago is found once more: the reply may have been lost on the way.
    """
    invitations = Invitation.objects.select_related("patient__clinic").select_for_update(of=("self",))
    found = invitations.filter(code_hash=hash_of(code)).first()
    if found is None or (purpose is not None and found.purpose != purpose):
        raise Problem(400, "unknown", "No such code. Check it, or ask your clinic for a new one.", field="code")
    if found.redeemed_at is not None:
        if again is None or found.device_id != again or now - found.redeemed_at > LOST_REPLY:
            raise Problem(400, "used", "This code was used before. Ask your clinic for a new one.", field="code")
    elif found.expires_at <= now:
        raise Problem(400, "expired", "This code has expired. Ask your clinic for a new one.", field="code")
    return found


def is_adult(born: date, today: date) -> bool:
    return (today.year - ADULT, today.month, today.day) >= (born.year, born.month, born.day)


def check_birth(patient: Patient, born: date, now: datetime, time_zone: str) -> None:
    """The date of birth is what makes a code that went astray worthless; and patients are adults."""
    if patient.date_of_birth not in (None, born):
        raise Problem(
            400, "mismatch", "This is not the date of birth that your clinic has noted.", field="date_of_birth"
        )
    if not is_adult(born, now.astimezone(ZoneInfo(time_zone)).date()):
        raise Problem(
            400, "not_an_adult", in_words("This is for people of %(n)s years and over.", n=ADULT), field="date_of_birth"
        )


@transaction.atomic
def enrol(
    phone: NewPhone, *, agreed_to: Mapping[str, object], language: str, time_zone: str, email: str, now: datetime
) -> tuple[Patient, Tokens]:
    """Redeem an invitation: account, consent and the phone come to be together or not at all.

    `agreed_to` names the consent text by its language and version.
    """
    invitation = find(phone.code, Invitation.Purpose.ENROL, now, again=phone.device_id)
    patient = invitation.patient
    check_birth(patient, phone.date_of_birth, now, time_zone)
    if invitation.redeemed_at is None:
        if language not in patient.clinic.languages:
            raise Problem(400, "unknown", "Your clinic doesn't offer this language.", field="language")
        text = consent.text_to_agree_to(patient.clinic_id, agreed_to)
        patient.user = make_account(email, language)
        patient.date_of_birth = phone.date_of_birth
        patient.language = language
        patient.status = Patient.Status.ACTIVE
        patient.enrolled_at = patient.enrolled_at or now  # earlier, of who comes from another server
        patient.save(update_fields=["user", "date_of_birth", "language", "status", "enrolled_at"])
        consent.agree(patient, text, now)
        zones.move(patient, time_zone, now)
    return patient, redeem(invitation, phone, now)


@transaction.atomic
def relink(phone: NewPhone, *, now: datetime) -> tuple[Patient, Tokens]:
    """Redeem a code for a patient who has an account: another phone, or the same one after it was set up anew."""
    invitation = find(phone.code, Invitation.Purpose.RELINK, now, again=phone.device_id)
    check_birth(invitation.patient, phone.date_of_birth, now, invitation.patient.time_zone)
    return invitation.patient, redeem(invitation, phone, now)


def redeem(invitation: Invitation, phone: NewPhone, now: datetime) -> Tokens:
    device, tokens = devices.link(invitation.patient, phone.device_id, phone.device_name, now)
    invitation.device = device
    invitation.redeemed_at = invitation.redeemed_at or now
    invitation.save(update_fields=["device", "redeemed_at"])
    audit.record(f"{invitation.purpose} phone", [invitation.patient_id], invitation.patient.user_id)
    return tokens


def make_account(email: str, language: str) -> User:
    """A patient's account has no password: their phone holds the only key. Without an address it gets nobody's."""
    try:
        with transaction.atomic():
            return User.objects.create_user(email or f"{uuid7()}{NO_ADDRESS}", language=language)
    except IntegrityError as error:
        raise Problem(400, "taken", "Somebody else uses this address here.", field="email") from error
