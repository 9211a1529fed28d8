"""What phones say about reminders: seen, later, not today, away, and how to be reminded.

All of it may come days late, in any order and twice. Each function runs a fixed number of statements, in the caller's
transaction, after `next_revisions` has locked the patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.db.models import Q
from msgspec import UNSET, UnsetType

from backend.people.writes import Door
from backend.reminders.channels import ChannelError, webpush
from backend.reminders.models import Absence, Address, Message, ReminderSettings, Slot, SlotState
from backend.reminders.planning import plan
from backend.reminders.slots import SlotKey, read_slot_key
from backend.rest.verdicts import FieldError, Verdict

DateTime = Annotated[datetime, msgspec.Meta(tz=True)]
LocalTime = Annotated[time, msgspec.Meta(tz=False)]

LONGEST_ABSENCE = timedelta(days=366)


class ReceiptItem(msgspec.Struct, tag_field="type", tag="receipt"):
    """A message reached the phone, or was opened there."""

    id: UUID
    message: UUID
    delivered_at: DateTime | None = None
    opened_at: DateTime | None = None


class SnoozeItem(msgspec.Struct, tag_field="type", tag="snooze"):
    """Remind me later: so many minutes after it was said, if the window is still open then."""

    id: UUID
    slot: str
    authored_at: DateTime
    minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)]


class NotTodayItem(msgspec.Struct, tag_field="type", tag="not-today"):
    """One tap, and this slot asks no more."""

    id: UUID
    slot: str
    authored_at: DateTime
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


class AbsenceItem(msgspec.Struct, tag_field="type", tag="absence"):
    """Away on these local days, both included: nothing is asked. The same id again, cancelled, takes it back."""

    id: UUID
    authored_at: DateTime
    first_day: date
    last_day: date
    cancelled: bool = False


class PushAddress(msgspec.Struct):
    """Where this phone can be pushed to: an FCM token, or a Web Push subscription as JSON text."""

    channel: Literal["fcm", "webpush"]
    target: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class SettingsItem(msgspec.Struct, tag_field="type", tag="settings"):
    """How to be reminded; what is left out stays as it is. The latest by the patient's clock holds."""

    id: UUID
    authored_at: DateTime
    channel: Literal["auto", "push", "email", "none"] | UnsetType = UNSET
    quiet_from: LocalTime | UnsetType = UNSET
    quiet_to: LocalTime | UnsetType = UNSET
    weekly_cap: Annotated[int, msgspec.Meta(ge=0, le=100)] | UnsetType = UNSET
    tell_week: bool | UnsetType = UNSET
    tell_seen: bool | UnsetType = UNSET
    push: PushAddress | UnsetType | None = UNSET


SlotItem = SnoozeItem | NotTodayItem
Item = ReceiptItem | SlotItem | AbsenceItem | SettingsItem


def store_receipts(items: Sequence[ReceiptItem], patient_id: int) -> list[Verdict]:
    """The first delivery and the first opening of a message are kept. Two statements."""
    if not items:
        return []
    messages = {
        message.id: message
        for message in Message.objects.filter(patient_id=patient_id, pk__in={item.message for item in items})
    }
    verdicts = []
    changed = {}
    for item in items:
        message = messages.get(item.message)
        if message is None:
            verdicts.append(
                _rejected(item.id, "message", "unknown_message", "There is no such message to this patient.")
            )
            continue
        before = message.delivered_at, message.opened_at
        message.delivered_at = _earliest(message.delivered_at, item.delivered_at, item.opened_at)
        message.opened_at = _earliest(message.opened_at, item.opened_at)
        new = before != (message.delivered_at, message.opened_at)
        if new:
            changed[message.id] = message
        verdicts.append(Verdict(id=item.id, status="stored" if new else "duplicate"))
    if changed:
        Message.objects.bulk_update(changed.values(), ["delivered_at", "opened_at"])
    return verdicts


def store_slot_items(
    items: Sequence[SlotItem], patient_id: int, door: Door, revisions: Mapping[int, int]
) -> list[Verdict]:
    """Later, and not today, in the order in which they were said. Two statements."""
    if not items:
        return []
    keys = [_key(item.slot) for item in items]
    slots = _slots(patient_id, {key for key in keys if key})
    verdicts: dict[int, Verdict] = {}
    changed = {}
    for position in sorted(range(len(items)), key=lambda position: items[position].authored_at):
        item, slot = items[position], slots.get(keys[position])
        if slot is None:
            verdicts[position] = _rejected(item.id, "slot", "unknown_slot", "There is no such slot of this patient.")
            continue
        new = _snooze(slot, item, door.received_at) if isinstance(item, SnoozeItem) else _decline(slot, item)
        if new:
            slot.rev = revisions[patient_id]
            changed[slot.pk] = slot
        verdicts[position] = Verdict(id=item.id, status="stored" if new else "duplicate")
    if changed:
        Slot.objects.bulk_update(changed.values(), ["state", "reason", "remind_at", "snoozed_at", "rev"])
    return [verdicts[position] for position in range(len(items))]


def store_absences(
    items: Sequence[AbsenceItem], patient_id: int, clinic_id: int, door: Door, revisions: Mapping[int, int]
) -> list[Verdict]:
    """Days away, which pause their slots at once. A fixed number of statements."""
    if not items:
        return []
    standing = {
        row.id: row for row in Absence.objects.filter(patient_id=patient_id, id__in={item.id for item in items})
    }
    verdicts = []
    changed = {}
    for item in items:
        if item.last_day < item.first_day:
            verdicts.append(_rejected(item.id, "last_day", "out_of_range", "The last day is before the first."))
            continue
        if item.last_day - item.first_day > LONGEST_ABSENCE:
            verdicts.append(_rejected(item.id, "last_day", "too_long", "An absence lasts a year at most."))
            continue
        row = standing.setdefault(item.id, Absence(patient_id=patient_id, id=item.id, clinic_id=clinic_id))
        days = item.first_day, item.last_day
        new = row.first_day is None or item.cancelled > row.cancelled
        if row.first_day is not None and (row.first_day, row.last_day) != days:
            error = FieldError("id", "conflict", "Other days are already stored under this id; they stay.")
            verdicts.append(Verdict(id=item.id, status="conflict", errors=[error]))
            continue
        if new:
            row.first_day, row.last_day = days
            row.cancelled, row.rev, row.created_by_id = item.cancelled, revisions[patient_id], door.user_id
            changed[item.id] = row
        verdicts.append(Verdict(id=item.id, status="stored" if new else "duplicate"))
    if changed:
        Absence.objects.bulk_create(
            changed.values(),
            update_conflicts=True,
            unique_fields=["patient", "id"],
            update_fields=["cancelled", "rev", "created_by"],
        )
        plan([patient_id], door.received_at)
    return verdicts


def store_settings(
    items: Sequence[SettingsItem], patient_id: int, clinic_id: int, door: Door, revisions: Mapping[int, int]
) -> list[Verdict]:
    """How to be reminded, field by field, the latest holding. A fixed number of statements.

    A clock that is ahead counts as ours, or what it said could not be changed until we have caught up with it.
    """
    if not items:
        return []
    settings = ReminderSettings.objects.filter(patient_id=patient_id).first()
    verdicts: dict[int, Verdict] = {}
    for position in sorted(range(len(items)), key=lambda position: items[position].authored_at):
        item = items[position]
        if isinstance(item.push, PushAddress) and (why := _unusable(item.push)):
            verdicts[position] = _rejected(item.id, "push.target", "unknown_push_service", why)
            continue
        said_at, ahead = min(item.authored_at, door.received_at), item.authored_at > door.received_at
        if settings is not None and (said_at, ahead) <= (settings.changed_at, False):
            verdicts[position] = Verdict(id=item.id, status="duplicate")
            continue
        settings = settings or ReminderSettings(patient_id=patient_id, clinic_id=clinic_id)
        settings.changed_at, settings.rev = said_at, revisions[patient_id]
        for name in ("channel", "quiet_from", "quiet_to", "weekly_cap", "tell_week", "tell_seen"):
            if (value := getattr(item, name)) is not UNSET:
                setattr(settings, name, value)
        verdicts[position] = Verdict(id=item.id, status="stored")
    if settings is not None and settings.rev == revisions[patient_id]:
        settings.save()
    taken = [item for position, item in enumerate(items) if verdicts[position].status != "rejected"]
    if taken and door.device_id:
        latest = max(taken, key=lambda item: item.authored_at)
        _keep_address(latest.push, door.device_id, patient_id, clinic_id, door.received_at)
    return [verdicts[position] for position in range(len(items))]


def _keep_address(
    push: PushAddress | UnsetType | None, device_id: UUID, patient_id: int, clinic_id: int, now: datetime
) -> None:
    """Where the phone says that it can be pushed to, which makes a dead address alive again, or that it can't be."""
    if isinstance(push, PushAddress):
        Address.objects.update_or_create(
            device_id=device_id,
            defaults={
                "clinic_id": clinic_id,
                "patient_id": patient_id,
                "channel": push.channel,
                "target": push.target,
                "updated_at": now,
                "disabled_at": None,
                "disabled_why": "",
            },
        )
    elif push is None:
        Address.objects.filter(device_id=device_id).delete()


def _unusable(push: PushAddress) -> str:
    """Why nothing could ever be pushed there; empty if it may be possible."""
    try:
        if push.channel == "webpush":
            webpush.read_subscription(push.target)
    except ChannelError as error:
        return f"{error}.".capitalize()
    return ""


def _rejected(client_id: UUID, field: str, code: str, detail: str) -> Verdict:
    return Verdict(id=client_id, status="rejected", errors=[FieldError(field, code, detail)])


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)


def _key(text: str) -> SlotKey | None:
    try:
        return read_slot_key(text)
    except ValueError:
        return None


def _slots(patient_id: int, keys: set[SlotKey]) -> dict[SlotKey | None, Slot]:
    named = Q(pk__in=[(patient_id, key.schedule_id, key.local_date, key.n) for key in keys])
    return {SlotKey(row.schedule_id, row.local_date, row.n): row for row in Slot.objects.filter(named)}


def _snooze(slot: Slot, item: SnoozeItem, now: datetime) -> bool:
    """One that was said before the last one, or about a slot that asks no more, changes nothing."""
    if slot.snoozed_at is not None and item.authored_at <= slot.snoozed_at:
        return False
    slot.snoozed_at = item.authored_at
    if slot.state == SlotState.OPEN:
        later = max(item.authored_at + timedelta(minutes=item.minutes), now)
        slot.remind_at = later if later < slot.closes_at else None
    return True


def _decline(slot: Slot, item: NotTodayItem) -> bool:
    if slot.state not in (SlotState.UPCOMING, SlotState.OPEN, SlotState.MISSED):
        return False
    slot.state, slot.reason, slot.remind_at = SlotState.DECLINED, item.reason, None
    return True
