"""Generated patients and what they are asked, as the tests of reminders need them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import transaction
from uuid_utils.compat import uuid7

from backend.people.models import ClinicText, Consent, Origin, Patient, User, ZoneHistory
from backend.people.writes import Door, next_revisions
from backend.reminders.channels import webpush
from backend.reminders.colleague_models import Browser
from backend.reminders.completing import Answer, complete
from backend.reminders.models import Absence, Schedule, Slot
from backend.reminders.scheduling import set_schedule
from backend.reminders.slots import Remind, Rule, SlotKey, Window
from tests import factories

EVENING = Rule((Window(time(18), time(23)),), remind=Remind(after=60, nudges=1, every=60))
DIARY = Schedule.Asks.INSTRUMENT, "daily-diary"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def a_patient(zone: str = "Europe/Zurich", enrolled_at: str = "2026-03-01T10:00:00+01:00", **fields: object) -> Patient:
    """Enrolled and consenting, in `zone` since; simulated, so reached on the console, unless said otherwise."""
    defaults = {"time_zone": zone, "enrolled_at": at(enrolled_at), "user": None, "origin": Origin.SIMULATED}
    patient = factories.a_patient(None, **defaults | fields)
    text, _ = ClinicText.objects.get_or_create(
        clinic=patient.clinic, kind=ClinicText.Kind.CONSENT, language="en", version=1, body="Generated."
    )
    Consent.objects.create(clinic=patient.clinic, patient=patient, text=text, given_at=at(enrolled_at))
    ZoneHistory.objects.create(clinic=patient.clinic, patient=patient, since=at(enrolled_at), time_zone=zone)
    return patient


def a_diarist(now: datetime, rule: Rule = EVENING, **fields: object) -> Patient:
    """A patient who is asked for the daily diary."""
    patient = a_patient(**fields)  # type: ignore[arg-type]
    set_schedule(patient, *DIARY, rule, now)
    return patient


def a_schedule(patient: Patient) -> Schedule:
    """Of the daily diary, since noon of a day in March."""
    return set_schedule(patient, *DIARY, EVENING, at("2026-03-02T12:00:00+01:00"))


def an_absence(patient: Patient) -> Absence:
    """Of two days in March."""
    return Absence.objects.create(
        id=uuid7(), clinic=patient.clinic, patient=patient, rev=0, first_day=date(2026, 3, 3), last_day=date(2026, 3, 4)
    )


def slot_of(patient: Patient, day: str, n: int = 0, code: str = "daily-diary") -> Slot:
    return Slot.objects.get(patient=patient, schedule__code=code, local_date=date.fromisoformat(day), n=n)


def answer(
    patient: Patient,
    authored_at: str,
    received_at: str | None = None,
    *,
    code: str = "daily-diary",
    slot: SlotKey | None = None,
) -> UUID:
    """What sync does with an answer, as far as reminders go."""
    source = uuid7()
    with transaction.atomic():
        revisions = next_revisions([patient.pk])
        complete(
            [Answer(patient.pk, Schedule.Asks.INSTRUMENT, code, at(authored_at), source, slot)],
            Door("phone", at(received_at or authored_at)),
            revisions,
        )
    return source


class GeneratedBrowser(NamedTuple):
    """What a colleague subscribed with: the row, and the key that alone can read what is pushed to it."""

    pk: int
    key: ec.EllipticCurvePrivateKey

    def read(self, body: bytes) -> bytes:
        """RFC 8291, from the browser's end."""
        salt, own = body[:16], body[21 : 21 + body[20]]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), own)
        info = b"WebPush: info\0" + webpush._point(self.key) + own
        shared = HKDF(hashes.SHA256(), 32, SECRET, info).derive(self.key.exchange(ec.ECDH(), point))
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(shared)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(shared)
        return AESGCM(key).decrypt(nonce, body[21 + body[20] :], None).removesuffix(b"\2")


SECRET = b"0123456789abcdef"


def a_subscription(endpoint: str, key: ec.EllipticCurvePrivateKey | None = None) -> dict[str, Any]:
    """As a browser's PushSubscription.toJSON() gives it."""
    point = webpush._point(key or ec.generate_private_key(ec.SECP256R1()))
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (point, SECRET)]
    return {"endpoint": endpoint, "expirationTime": None, "keys": dict(zip(("p256dh", "auth"), encoded, strict=True))}


def a_browser(user: User, endpoint: str) -> GeneratedBrowser:
    """One by which a colleague is told."""
    key = ec.generate_private_key(ec.SECP256R1())
    target = json.dumps(a_subscription(endpoint, key))
    return GeneratedBrowser(Browser.objects.create(user=user, endpoint=endpoint, target=target).pk, key)
