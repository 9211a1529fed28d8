"""Generated patients and what they are asked, as the tests of reminders need them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from backend.people.models import ClinicText, Consent, Origin, Patient, ZoneHistory
from backend.people.writes import Door, next_revisions
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
