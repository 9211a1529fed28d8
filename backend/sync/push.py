"""A phone's batch: decoded item by item, handed to the rooms of the house in one transaction, each item answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import transaction

from backend.people.writes import Door, next_revisions
from backend.rest.verdicts import Verdict
from backend.sync.decode import Item, Undecodable, decode_item, salvage
from backend.sync.quarantine import Refused, keep
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


def push(raw_items: Sequence[msgspec.Raw], patient_id: int, clinic_id: int, door: Door) -> list[Verdict]:
    """Store what one patient's phone sent and answer each item, in the order in which they came.

    The number of SQL statements depends on the kinds of items, never on how many there are. What is refused goes to
    quarantine in the same transaction.
    """
    if not raw_items:
        return []
    verdicts: dict[int, Verdict] = {}
    responses: dict[int, Draft] = {}
    withdrawals: dict[int, WithdrawalItem] = {}
    decoded = [decode_item(raw) for raw in raw_items]
    for position, item in enumerate(decoded):
        match item:
            case Undecodable():
                verdicts[position] = Verdict(id=item.client_id, status="rejected", errors=item.errors)
            case ResponseItem():
                draft = examine(item, patient_id, clinic_id, door.received_at)
                if isinstance(draft, Draft):
                    responses[position] = draft
                else:
                    verdicts[position] = Verdict(id=item.id, status="rejected", errors=draft)
            case WithdrawalItem():
                withdrawals[position] = item
    with transaction.atomic():
        revisions = next_revisions([patient_id])
        verdicts |= zip(responses, store_responses(list(responses.values()), door, revisions), strict=True)
        verdicts |= zip(
            withdrawals, store_withdrawals(list(withdrawals.values()), patient_id, door, revisions), strict=True
        )
        refused = {
            position: _refused(decoded[position], raw_items[position], verdict)
            for position, verdict in sorted(verdicts.items())
            if verdict.status in ("rejected", "conflict")
        }
        kept = keep(list(refused.values()), patient_id, clinic_id, door)
        findings = []
        for position, each in refused.items():
            rules = _rules_of(each)
            verdicts[position].safety = texts_for(rules)
            if rules and each.content in kept:
                findings.append(Finding(patient_id, clinic_id, kept[each.content], door.received_at, rules))
        raise_for(findings, door)
    return [verdicts[position] for position in range(len(raw_items))]


def _rules_of(refused: Refused) -> list[Rule]:
    """The red flags in what was refused: it can't be stored, but an answer that somebody must see is seen."""
    salvaged = salvage(refused.content)
    return rules_of_refused(*salvaged) if salvaged else []


def _refused(item: Item | Undecodable, raw: msgspec.Raw, verdict: Verdict) -> Refused:
    if isinstance(item, Undecodable):
        kind, client_id = item.kind, item.client_id
    else:
        kind, client_id = str(item.__struct_config__.tag), item.id
    return Refused(verdict.status, kind, client_id, bytes(raw), verdict.errors)


def clock_skew(sent_at: datetime | None, received_at: datetime) -> int | None:
    """How many seconds the phone's clock is ahead of ours, within what a column holds; None where it didn't say."""
    if sent_at is None:
        return None
    return max(-(2**31), min(2**31 - 1, round((sent_at - received_at).total_seconds())))
