"""A phone's batch: decoded item by item, handed to the rooms of the house in one transaction, each item answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from django.db import transaction

from backend.people import audit
from backend.people.writes import Door, next_revisions
from backend.reminders.completing import Answer, complete, unknown_slots
from backend.reminders.models import Schedule
from backend.reminders.slots import SlotKey, read_slot_key
from backend.rest.verdicts import FieldError, Verdict
from backend.sync.decode import Item, Undecodable, decode_item, salvage
from backend.sync.quarantine import Refused, keep
from exercises import items as exercise
from exercises.intake import raise_painful_sessions, store_adverse_events, store_followups, store_sessions
from exercises.items import AdverseEventItem, FollowupItem, NotTodayItem, SessionItem
from outcomes.alerts import Finding, Rule, raise_for, texts_for
from outcomes.intake import (
    Draft,
    ResponseItem,
    WithdrawalItem,
    examine,
    rules_of_refused,
    store_responses,
    store_withdrawals,
)


class _Batch(msgspec.Struct):
    """A push, sorted: by position, what can be stored and what has been decided."""

    raw: Sequence[msgspec.Raw]
    decoded: list[Item | Undecodable]
    verdicts: dict[int, Verdict] = {}
    responses: dict[int, Draft] = {}
    withdrawals: dict[int, WithdrawalItem] = {}
    sessions: dict[int, exercise.Draft] = {}
    followups: dict[int, FollowupItem] = {}
    adverse_events: dict[int, AdverseEventItem] = {}
    slots: dict[int, SlotKey] = {}

    def refuse(self, position: int, errors: list[FieldError]) -> None:
        item = self.decoded[position]
        client_id = item.client_id if isinstance(item, Undecodable) else item.id
        self.verdicts[position] = Verdict(id=client_id, status="rejected", errors=errors)

    def decide(self, positions: Iterable[int], verdicts: Iterable[Verdict]) -> None:
        self.verdicts.update(zip(positions, verdicts, strict=True))


def push(raw_items: Sequence[msgspec.Raw], patient_id: int, clinic_id: int, door: Door) -> list[Verdict]:
    """Store what one patient's phone sent and answer each item, in the order in which they came.

    The number of SQL statements depends on the kinds of items, never on how many there are. What is refused goes to
    quarantine in the same transaction.
    """
    if not raw_items:
        return []
    batch = _sort(raw_items, patient_id, clinic_id, door)
    with transaction.atomic():
        revisions = next_revisions([patient_id])
        _refuse_unknown_slots(batch, patient_id)
        batch.decide(batch.responses, store_responses(list(batch.responses.values()), door, revisions))
        batch.decide(
            batch.withdrawals, store_withdrawals(list(batch.withdrawals.values()), patient_id, door, revisions)
        )
        _store_exercise(batch, patient_id, clinic_id, door, revisions)
        _complete_slots(batch, door, revisions)
        _quarantine(batch, patient_id, clinic_id, door)
        audit.record("push", [patient_id], door.user_id, count=len(raw_items))
    return [batch.verdicts[position] for position in range(len(raw_items))]


def _sort(raw_items: Sequence[msgspec.Raw], patient_id: int, clinic_id: int, door: Door) -> _Batch:
    """Everything that can be said of a batch without the database."""
    batch = _Batch(raw_items, [decode_item(raw) for raw in raw_items])
    for position, item in enumerate(batch.decoded):
        match item:
            case Undecodable():
                batch.refuse(position, item.errors)
            case WithdrawalItem():
                batch.withdrawals[position] = item
            case FollowupItem():
                batch.followups[position] = item
            case AdverseEventItem():
                batch.adverse_events[position] = item
            case ResponseItem():
                _sort_in(batch, position, item.slot, examine(item, patient_id, clinic_id, door.received_at))
            case SessionItem() | NotTodayItem():
                examined = exercise.examine_session(item, patient_id, clinic_id, door.received_at)
                _sort_in(batch, position, item.slot, examined)
    return batch


def _sort_in(
    batch: _Batch, position: int, slot: str | None, examined: Draft | exercise.Draft | list[FieldError]
) -> None:
    """Put what was examined where it will be stored from, with the slot that it names."""
    if isinstance(examined, list):
        batch.refuse(position, examined)
        return
    try:
        if slot is not None:
            batch.slots[position] = read_slot_key(slot)
    except ValueError:
        error = FieldError("slot", "invalid", "A slot is named as in the agenda: schedule:date:number.")
        batch.refuse(position, [error])
        return
    if isinstance(examined, Draft):
        batch.responses[position] = examined
    else:
        batch.sessions[position] = examined


def _refuse_unknown_slots(batch: _Batch, patient_id: int) -> None:
    """One statement, none where no item names a slot."""
    if not batch.slots:
        return
    unknown = unknown_slots(patient_id, batch.slots.values())
    for position, slot in batch.slots.items():
        if slot in unknown:
            batch.responses.pop(position, None)
            batch.sessions.pop(position, None)
            batch.refuse(position, [FieldError("slot", "unknown_slot", "There is no such slot of this patient.")])


def _store_exercise(batch: _Batch, patient_id: int, clinic_id: int, door: Door, revisions: Mapping[int, int]) -> None:
    """Sessions first: follow-ups and adverse events refer to them."""
    batch.decide(batch.sessions, store_sessions(list(batch.sessions.values()), door, revisions))
    batch.decide(
        batch.followups, store_followups(list(batch.followups.values()), patient_id, clinic_id, door, revisions)
    )
    batch.decide(
        batch.adverse_events,
        store_adverse_events(list(batch.adverse_events.values()), patient_id, clinic_id, door, revisions),
    )
    if batch.sessions or batch.followups:
        raise_painful_sessions([patient_id], door)


def _complete_slots(batch: _Batch, door: Door, revisions: Mapping[int, int]) -> None:
    """Mark what was asked for as answered, by everything that is now stored for the first time."""
    answers = [
        Answer(
            patient_id=draft.patient_id,
            asks=Schedule.Asks.INSTRUMENT,
            code=draft.instrument.code,
            authored_at=draft.item.authored_at,
            source=draft.item.id,
            slot=batch.slots.get(position),
        )
        for position, draft in batch.responses.items()
        if batch.verdicts[position].status == "stored"
    ]
    answers += [
        Answer(
            patient_id=draft.patient_id,
            asks=Schedule.Asks.SESSION,
            code=str(draft.programme or ""),
            authored_at=draft.authored_at,
            source=draft.item.id,
            slot=batch.slots.get(position),
        )
        for position, draft in batch.sessions.items()
        if batch.verdicts[position].status == "stored" and draft.item.skipped is None and not draft.going_on
    ]
    complete(answers, door, revisions)


def _quarantine(batch: _Batch, patient_id: int, clinic_id: int, door: Door) -> None:
    """Keep what was refused, and raise the red flags in it: an answer that somebody must see is seen."""
    refused = {
        position: _refused(batch.decoded[position], batch.raw[position], verdict)
        for position, verdict in sorted(batch.verdicts.items())
        if verdict.status in ("rejected", "conflict")
    }
    kept = keep(list(refused.values()), patient_id, clinic_id, door)
    findings = []
    for position, each in refused.items():
        rules = _rules_of(each)
        batch.verdicts[position].safety = texts_for(rules)
        if rules and each.content in kept:
            findings.append(Finding(patient_id, clinic_id, kept[each.content], door.received_at, rules))
    raise_for(findings, door)


def _refused(item: Item | Undecodable, raw: msgspec.Raw, verdict: Verdict) -> Refused:
    kind = item.kind if isinstance(item, Undecodable) else str(item.__struct_config__.tag)
    return Refused(verdict.status, kind, verdict.id, bytes(raw), verdict.errors)


def _rules_of(refused: Refused) -> list[Rule]:
    salvaged = salvage(refused.content)
    return rules_of_refused(*salvaged) if salvaged else []


def clock_skew(sent_at: datetime | None, received_at: datetime) -> int | None:
    """How many seconds the phone's clock is ahead of ours, within what a column holds; None where it didn't say."""
    if sent_at is None:
        return None
    return max(-(2**31), min(2**31 - 1, round((sent_at - received_at).total_seconds())))
