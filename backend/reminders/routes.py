"""By which ways a patient can be reached, the preferred one first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from backend.people.enrolment import NO_ADDRESS
from backend.people.models import Origin, Patient
from backend.reminders import refusals
from backend.reminders.channels import Notice, console, email, fcm, webpush
from backend.reminders.models import Address, ReminderSettings
from backend.reminders.refusals import Refusal


class Channel(Protocol):
    """One way to a person; `PER_SECOND` is how many messages a second its provider takes from all of us."""

    @property
    def PER_SECOND(self) -> int: ...  # noqa: N802  a module's constant

    def notify(self, notice: Notice, target: str) -> str: ...


CHANNELS: dict[str, Channel] = {"console": console, "email": email, "fcm": fcm, "webpush": webpush}


@dataclass(frozen=True, slots=True)
class Route:
    """A channel and where it leads; `device_id` is whose phone that is, `patient_id` whose e-mail."""

    channel: str
    target: str
    device_id: UUID | None = None
    patient_id: int | None = None


def routes(patient_ids: Collection[int], now: datetime) -> dict[int, list[Route]]:
    """Four statements, however many patients. A simulated patient is reached on the console and nowhere else.

    There it is shown what their clock says.
    """
    wishes = dict(ReminderSettings.objects.filter(pk__in=patient_ids).values_list("pk", "channel"))
    addresses: dict[int, list[Route]] = defaultdict(list)
    live = Address.objects.filter(patient_id__in=patient_ids, disabled_at=None, device__revoked_at=None)
    for address in live.order_by("-updated_at"):
        if settings.FCM_SERVICE_ACCOUNT if address.channel == "fcm" else settings.VAPID_PRIVATE_KEY:
            addresses[address.patient_id].append(Route(address.channel, address.target, address.device_id))
    refused = refusals.of_patients(patient_ids)
    found = {}
    for patient in Patient.objects.filter(pk__in=patient_ids).select_related("user"):
        wish = wishes.get(patient.pk, ReminderSettings.Channel.AUTO)
        pushes = addresses[patient.pk] if wish in ("auto", "push") else []
        mail = mail_of(patient) if wish in ("auto", "email") and patient.pk not in refused else ""
        mails = [Route("email", mail, patient_id=patient.pk)] if mail else []
        simulated = patient.origin == Origin.SIMULATED and wish != "none"
        clock = f"{now.astimezone(ZoneInfo(patient.time_zone)):%a %H:%M} in {patient.time_zone}"
        shown = [Route("console", f"patient {patient.pk}, {clock}")]
        found[patient.pk] = shown if simulated else [*pushes, *mails]
    return found


def mail_of(patient: Patient) -> str:
    """Their address; nothing for who gave none."""
    email = patient.user.email if patient.user else ""
    return "" if email.endswith(NO_ADDRESS) else email


def disable(dead: Sequence[tuple[Route, str]], now: datetime) -> None:
    """Use these no more. A phone that has meanwhile named another address keeps that one."""
    mails = [Refusal(route.target, why, patient_id=route.patient_id) for route, why in dead if route.patient_id]
    if mails:
        refusals.refuse(mails, now)
    rows = [(route.device_id, route.target, why[:200]) for route, why in dead if route.device_id]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE reminders_address AS address SET disabled_at = %s, disabled_why = dead.why
            FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS dead (device_id, target, why)
            WHERE address.device_id = dead.device_id AND address.target = dead.target AND disabled_at IS NULL
            """,
            [now, *map(list, zip(*rows, strict=True))],
        )
