"""A phone's batch: decoded item by item, handed to the rooms of the house in one transaction, each item answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from django.db import transaction

import exercises.advancing
import exercises.alarms
import exercises.intake
import exercises.items
import exercises.past
import outcomes.intake
from backend.people.writes import Door, next_revisions_noted
from backend.reminders import intake as reminders
from backend.reminders.completing import Answer, Skip, complete, decline, unknown_slots
from backend.reminders.following_up import ask_further
from backend.reminders.models import Schedule
from backend.reminders.slots import SlotKey, read_slot_key
from backend.rest.verdicts import FieldError, Verdict
from backend.sync.decode import Item, Undecodable, decode_item
from backend.sync.quarantine import Refused, keep
from backend.sync.salvaging import Pairs, salvage
from exercises.items import AdverseEventItem, FollowupItem, NotTodayItem, SessionItem, SessionWithdrawalItem
from outcomes.alert_rules import Rule, texts_for
from outcomes.alerts import Finding, raise_for
from outcomes.cards import CardShownItem, store_cards_shown
from outcomes.intake import ResponseItem, WithdrawalItem, rules_of_refused


class _Batch(msgspec.Struct):
    """A push, sorted: by position in it, what has been decided and what waits to be stored."""

    patient_id: int
    clinic_id: int
    door: Door
    raw: Sequence[msgspec.Raw]
    decoded: list[Item | Undecodable]
    verdicts: dict[int, Verdict] = {}
    responses: dict[int, outcomes.intake.Draft] = {}
    sessions: dict[int, exercises.items.Draft] = {}
    slots: dict[int, SlotKey] = {}

    def waiting[T](self, kind: type[T]) -> dict[int, T]:
        """The items of this type that nothing has been said of yet."""
        return {
            position: item
            for position, item in enumerate(self.decoded)
            if isinstance(item, kind) and position not in self.verdicts
        }

    def refuse(self, position: int, errors: list[FieldError]) -> None:
        item = self.decoded[position]
        client_id = item.client_id if isinstance(item, Undecodable) else item.id
        self.verdicts[position] = Verdict(id=client_id, status="rejected", errors=errors)

    def decide(self, positions: Iterable[int], verdicts: Iterable[Verdict]) -> None:
        self.verdicts.update(zip(positions, verdicts, strict=True))


def push(
    raw_items: Sequence[msgspec.Raw], patient_id: int, clinic_id: int, door: Door, *, advance: bool = True
) -> list[Verdict]:
    """Store what one patient's phone sent and answer each item, in the order in which they came.

    The number of SQL statements depends on the kinds of items, never on how many there are. What is refused goes to
    quarantine in the same transaction. Without `advance` the rules of progression look at it later.
    """
    if not raw_items:
        return []
    batch = _Batch(patient_id, clinic_id, door, raw_items, [decode_item(raw) for raw in raw_items])
    _examine(batch)
    with transaction.atomic():
        revisions = next_revisions_noted("push", {patient_id: len(raw_items)}, door.user_id)
        _refuse_unknown_slots(batch)
        _store_answers(batch, revisions)
        _store_exercise(batch, revisions)
        _complete_slots(batch, revisions)
        ask_further(_new_responses(batch), patient_id, door)
        _store_wishes(batch, revisions)
        _quarantine(batch)
        _note_cards(batch)
        if advance and _concerns_progression(batch):
            exercises.advancing.advance(patient_id, door.received_at)
    return [batch.verdicts[position] for position in range(len(raw_items))]


def _note_cards(batch: _Batch) -> None:
    """After everything that may raise the alert for which a phone showed a text, in quarantine too."""
    if shown := batch.waiting(CardShownItem):
        verdicts = store_cards_shown(list(shown.values()), batch.patient_id, batch.clinic_id, batch.door)
        batch.decide(shown, verdicts)
        if any(verdict.status == "rejected" for verdict in verdicts):
            _quarantine(batch)  # what is there already stays as it is


def _examine(batch: _Batch) -> None:
    """Say everything of a batch that can be said without the database."""
    who = batch.patient_id, batch.clinic_id, batch.door.received_at
    for position, item in enumerate(batch.decoded):
        match item:
            case Undecodable():
                batch.refuse(position, item.errors)
                continue
            case ResponseItem():
                response = outcomes.intake.examine(item, *who)
                if isinstance(response, list):
                    batch.refuse(position, response)
                else:
                    batch.responses[position] = response
            case SessionItem() | NotTodayItem() if isinstance(item, SessionItem) or item.prescription:
                session = exercises.items.examine_session(item, *who)
                if isinstance(session, list):
                    batch.refuse(position, session)
                else:
                    batch.sessions[position] = session
            case NotTodayItem() if item.slot is None:
                batch.refuse(
                    position, [FieldError("slot", "required", "Say what is not for today: slot, or prescription.")]
                )
        _read_slot(batch, position)


def _read_slot(batch: _Batch, position: int) -> None:
    """Snoozes are left to the reminders, which read their slots themselves."""
    item = batch.decoded[position]
    if (
        position in batch.verdicts
        or not isinstance(item, ResponseItem | SessionItem | NotTodayItem)
        or item.slot is None
    ):
        return
    try:
        batch.slots[position] = read_slot_key(item.slot)
    except ValueError:
        _refuse_slot(batch, position, "invalid", "A slot is named as in the agenda: schedule:date:number.")


def _refuse_unknown_slots(batch: _Batch) -> None:
    """One statement, none where no item names a slot."""
    if batch.slots:
        unknown = unknown_slots(batch.patient_id, batch.slots.values())
        for position in [position for position, slot in batch.slots.items() if slot in unknown]:
            _refuse_slot(batch, position, "unknown_slot", "There is no such slot of this patient.")


def _refuse_slot(batch: _Batch, position: int, code: str, detail: str) -> None:
    batch.responses.pop(position, None)
    batch.sessions.pop(position, None)
    batch.slots.pop(position, None)
    batch.refuse(position, [FieldError("slot", code, detail)])


def _store_answers(batch: _Batch, revisions: Mapping[int, int]) -> None:
    drafts = list(batch.responses.values())
    batch.decide(batch.responses, outcomes.intake.store_responses(drafts, batch.door, revisions))
    items = batch.waiting(WithdrawalItem)
    batch.decide(
        items, outcomes.intake.store_withdrawals(list(items.values()), batch.patient_id, batch.door, revisions)
    )


def _store_exercise(batch: _Batch, revisions: Mapping[int, int]) -> None:
    where = batch.patient_id, batch.clinic_id, batch.door, revisions
    sessions = list(batch.sessions.values())
    batch.decide(batch.sessions, exercises.intake.store_sessions(sessions, batch.door, revisions))
    taken_back = batch.waiting(SessionWithdrawalItem)
    batch.decide(
        taken_back,
        exercises.intake.store_withdrawals(list(taken_back.values()), batch.patient_id, batch.door, revisions),
    )
    followups = batch.waiting(FollowupItem)
    batch.decide(followups, exercises.intake.store_followups(list(followups.values()), *where))
    events = batch.waiting(AdverseEventItem)
    batch.decide(events, exercises.intake.store_adverse_events(list(events.values()), *where))
    if sessions or followups:
        exercises.intake.raise_painful_sessions([batch.patient_id], batch.door)


def _new_responses(batch: _Batch) -> list[outcomes.intake.Draft]:
    return [draft for position, draft in batch.responses.items() if batch.verdicts[position].status == "stored"]


def _complete_slots(batch: _Batch, revisions: Mapping[int, int]) -> None:
    """Mark what was asked for as answered, by everything that is now stored for the first time."""
    answers = [
        Answer(
            patient_id=batch.patient_id,
            asks=Schedule.Asks.INSTRUMENT,
            code=draft.instrument.code,
            authored_at=draft.item.authored_at,
            source=draft.item.id,
            slot=batch.slots.get(position),
        )
        for position, draft in batch.responses.items()
        if batch.verdicts[position].status == "stored"
    ] + [
        Answer(
            patient_id=batch.patient_id,
            asks=Schedule.Asks.SESSION,
            code=str(session.programme or ""),
            authored_at=session.authored_at,
            source=session.item.id,
            slot=batch.slots.get(position),
            day=session.local_day,
        )
        for position, session in batch.sessions.items()
        if batch.verdicts[position].status == "stored" and session.item.skipped is None and not session.going_on
    ]
    complete(answers, batch.door, revisions)
    skips = [
        Skip(str(session.programme or ""), session.local_day, session.item.skipped)
        for position, session in batch.sessions.items()
        if batch.verdicts[position].status == "stored" and session.item.skipped is not None
    ]
    decline(skips, batch.patient_id, revisions)


def _concerns_progression(batch: _Batch) -> bool:
    """Whether anything new is among what its rules look at: all but an answer that says neither flare nor red flag.

    What was refused may have raised a red flag too.
    """
    new = [position for position, verdict in batch.verdicts.items() if verdict.status == "stored"]
    refused = any(verdict.status in ("rejected", "conflict") for verdict in batch.verdicts.values())
    return any(
        refused
        or position not in batch.responses
        or batch.responses[position].rules
        or batch.responses[position].item.replaces
        or batch.responses[position].instrument.code == exercises.past.FLARE_DIARY
        for position in new
    )


def _store_wishes(batch: _Batch, revisions: Mapping[int, int]) -> None:
    """Later, not today, away, how to be reminded, and what reached the phone."""
    where = batch.patient_id, batch.clinic_id, batch.door, revisions
    declined = {
        position: reminders.NotTodayItem(item.id, str(batch.slots[position]), item.authored_at, item.reason)
        for position, item in enumerate(batch.decoded)
        if isinstance(item, NotTodayItem) and position in batch.slots
    }
    asked = declined | batch.waiting(reminders.SnoozeItem)
    found = zip(
        asked,
        reminders.store_slot_items(list(asked.values()), batch.patient_id, batch.door, revisions),
        strict=True,
    )
    # A session that was skipped has its verdict already.
    batch.verdicts = dict(found) | batch.verdicts
    receipts = batch.waiting(reminders.ReceiptItem)
    batch.decide(receipts, reminders.store_receipts(list(receipts.values()), batch.patient_id))
    absences = batch.waiting(reminders.AbsenceItem)
    batch.decide(absences, reminders.store_absences(list(absences.values()), *where))
    settings = batch.waiting(reminders.SettingsItem)
    batch.decide(settings, reminders.store_settings(list(settings.values()), *where))


def _quarantine(batch: _Batch) -> None:
    """Keep what was refused, and raise the red flags in it: an answer that somebody must see is seen."""
    refused = {
        position: _refused(batch.decoded[position], batch.raw[position], verdict)
        for position, verdict in sorted(batch.verdicts.items())
        if verdict.status in ("rejected", "conflict")
    }
    kept = keep(list(refused.values()), batch.patient_id, batch.clinic_id, batch.door)
    findings = []
    for position, each in refused.items():
        if rules := _rules_of(each):
            batch.verdicts[position].safety = texts_for(rules)
            if each.content in kept:
                source, seen_at = kept[each.content], batch.door.received_at
                findings.append(Finding(batch.patient_id, batch.clinic_id, source, seen_at, rules))
    raise_for(findings, batch.door)


def _refused(item: Item | Undecodable, raw: msgspec.Raw, verdict: Verdict) -> Refused:
    kind = item.kind if isinstance(item, Undecodable) else str(item.__struct_config__.tag)
    return Refused(verdict.status, kind, verdict.id, bytes(raw), verdict.errors)


def _rules_of(refused: Refused) -> list[Rule]:
    said = salvage(refused.content)
    if "adverse-event" in said.all("type"):
        return exercises.alarms.rules_of_refused(said.all("kind"))
    answers = [answer for each in said.all("answers") if isinstance(each, Pairs) for answer in each]
    return rules_of_refused(said.all("instrument"), answers)


def clock_skew(sent_at: datetime | None, received_at: datetime) -> int | None:
    """How many seconds the phone's clock is ahead of ours, within what a column holds; None where it didn't say."""
    if sent_at is None:
        return None
    return max(-(2**31), min(2**31 - 1, round((sent_at - received_at).total_seconds())))
