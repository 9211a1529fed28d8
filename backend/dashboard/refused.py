"""What phones sent and the server refused: read, tried again, or closed with a word. Nothing is ever deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backend.dashboard.repairs import repairs_for
from backend.people import audit
from backend.people.models import Clinic, Patient, User
from backend.people.writes import Door
from backend.sync.models import Quarantine
from backend.sync.push import push
from outcomes.models import Response

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


KINDS: dict[str, _StrPromise] = {
    "response": _("Answers"),
    "withdrawal": _("Withdrawn answers"),
    "session": _("Exercise session"),
    "session-withdrawal": _("Withdrawn session"),
    "session-followup": _("How it was after a session"),
    "not-today": _("Not today"),
    "adverse-event": _("Adverse event"),
    "receipt": _("Receipt of a reminder"),
    "snooze": _("Reminder put off"),
    "absence": _("Days away"),
    "settings": _("How to be reminded"),
    "safety-card-shown": _("Safety text that was shown"),
}
"""By the type that the phone gave it."""


@dataclass(frozen=True)
class Shown:
    item: Quarantine
    title: str
    content: str
    repairs: list[_StrPromise]
    only_the_time: bool


def of_clinic(user: User, clinic: Clinic, *, closed: bool) -> QuerySet[Quarantine]:
    patients = Patient.objects.visible_to(user, clinic)
    items = Quarantine.objects.filter(clinic=clinic, patient__in=patients, closed_at__isnull=not closed)
    return items.select_related("patient", "closed_by").order_by("-received_at", "-id")


def readable(item: Quarantine) -> Shown:
    """The item as it was sent, laid out if it is JSON."""
    text = bytes(item.content).decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    errors = item.errors or [{"code": "conflict" if item.status == "conflict" else ""}]
    title = KINDS.get(item.kind) or gettext("Something that can't be read")
    return Shown(item, str(title), text, repairs_for(errors), _time_field(item) is not None)


TIMES = ("authored_at", "started_at")


def _time_field(item: Quarantine) -> str | None:
    """The field with the time, where the time is all that is wrong: then a person may say what it was."""
    fields = {error.get("field", "") for error in item.errors or []}
    wrong = {error.get("code", "") for error in item.errors or []}
    (field,) = fields if len(fields) == 1 else ("",)
    return field if field in TIMES and wrong <= {"in_the_future", "too_long_ago"} else None


def _with_time(item: Quarantine, field: str, at: datetime) -> bytes:
    """The item as it was sent but for its time, `at` by the clock of the zone that it names."""
    content = json.loads(bytes(item.content))
    zone = ZoneInfo(
        content["time_zone"] if content.get("time_zone") in available_timezones() else item.patient.time_zone
    )
    return json.dumps(content | {field: at.replace(tzinfo=zone).isoformat()}, ensure_ascii=False).encode()


def try_again(
    items: QuerySet[Quarantine],
    patient_id: int,
    item_id: UUID,
    by: User,
    now: datetime,
    words: str = "",
    at: datetime | None = None,
) -> str:
    """Bring an item to the phone's door once more, say after its instrument was published. Answers with the verdict.

    With `at` it comes with that time in place of its own. What is stored now, or stands there already, is closed, with
    the `words` on why; what was sent stays as it was. Raises Quarantine.DoesNotExist.
    """
    with transaction.atomic():
        item = items.select_for_update(of=("self",)).get(patient=patient_id, id=item_id)
        field = _time_field(item)
        content = _with_time(item, field, at) if at and field else bytes(item.content)
        door = Door(origin=item.origin, received_at=now, user_id=by.pk, device_id=item.device)
        (verdict,) = push([msgspec.Raw(content)], item.patient_id, item.clinic_id, door)
        if verdict.status in ("stored", "duplicate"):
            done = gettext("stored with the time %(at)s") % {"at": f"{at:%Y-%m-%d %H:%M}"} if at else ""
            done = done or gettext("tried again: it is stored")
            _close(item, by, now, f"{done}: {words}"[:500] if words else done)
        elif at:
            transaction.set_rollback(True)  # what nobody sent is not kept as if a phone had
    return verdict.status


def close(items: QuerySet[Quarantine], patient_id: int, item_id: UUID, by: User, now: datetime, words: str) -> None:
    """Close an item with a word on what was done about it. Raises Quarantine.DoesNotExist."""
    with transaction.atomic():
        _close(items.select_for_update(of=("self",)).get(patient=patient_id, id=item_id), by, now, words)


@dataclass(frozen=True)
class Retimed:
    """A refused item that a colleague stored with another time than the phone's, which was `sent`."""

    item: Quarantine
    sent: datetime


def retimed(patient: Patient, responses: Iterable[Response]) -> dict[UUID, Retimed]:
    """Those whose time a colleague gave, by id; one statement.

    What was stored in the very moment in which a refused item of its id was closed was stored from it. A phone may have
    sent the same answers again, with its clock set right: that is another moment.
    """
    rows: dict[UUID | None, Response] = {row.id: row for row in responses}
    closed = Quarantine.objects.filter(patient=patient, kind="response", client_id__in=rows, closed_at__isnull=False)
    found = {}
    for item in closed.select_related("closed_by"):
        row, field = rows[item.client_id], _time_field(item)
        if field and item.closed_at == row.received_at:
            sent = msgspec.convert(json.loads(bytes(item.content))[field], datetime)
            if sent != row.authored_at:
                found[row.id] = Retimed(item, sent)
    return found


def _close(item: Quarantine, by: User, now: datetime, words: str) -> None:
    item.closed_at, item.closed_by, item.closed_as = now, by, words
    item.save(update_fields=["closed_at", "closed_by", "closed_as"])
    audit.record("close refused", [item.patient_id], by.pk)
