"""The clinic's own texts on the phone: when it shows one with no network, and its report that it did."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any
from uuid import UUID

import msgspec

from backend.people.writes import Door
from backend.rest.verdicts import FieldError, Verdict
from outcomes import library
from outcomes.alert_rules import RULES
from outcomes.intake import DateTime
from outcomes.models import Alert, AlertEvent

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class CardShownItem(msgspec.Struct, tag_field="type", tag="safety-card-shown"):
    """The phone showed the patient a text of the safety card. `response` is the answer that called for it."""

    id: UUID
    kind: Name
    authored_at: DateTime
    response: UUID | None = None
    language: Name = "en"
    version: int = 1


@cache
def shown_when(kind: str) -> list[dict[str, Any]]:
    """The conditions under which a phone shows a text at once, without asking anybody.

    Each names an instrument and the items of which `any` or `all` are answered with `at_least`, or of which one is
    `unanswered` though another item was answered; or it names kinds of adverse events. What needs a score or the past
    is told by the answer to a sync.
    """
    found: list[dict[str, Any]] = []
    for rule in RULES:
        if rule.text != kind:
            continue
        if rule.events:
            found.append({"rule": rule.code, "adverse_event": list(rule.events)})
        for instrument in library.newest():
            for flag in instrument.flags:
                if flag.name == rule.flag:
                    items = {"any": flag.any, "all": flag.all, "unanswered": flag.unanswered}
                    when = {how: list(names) for how, names in items.items() if names}
                    least = {} if flag.unanswered else {"at_least": flag.at_least}
                    found.append({"rule": rule.code, "instrument": instrument.code, **when, **least})
    return found


def store_cards_shown(items: Sequence[CardShownItem], patient_id: int, clinic_id: int, door: Door) -> list[Verdict]:
    """Note on the alert that called for a text that the patient has seen it. Three statements, however many.

    Comes after the answers of the same push, so that their alerts stand.
    """
    if not items:
        return []
    shown = AlertEvent.objects.filter(
        patient=patient_id, kind=AlertEvent.Kind.CARD_SHOWN, source__in=[item.id for item in items]
    )
    known = set(shown.values_list("source", flat=True))
    codes = {rule.code: rule.text for rule in RULES if rule.text}
    alerts = list(Alert.objects.filter(patient=patient_id, rule__in=codes).order_by("received_at", "pk"))
    verdicts, events = [], []
    for item in items:
        fitting = [alert for alert in alerts if codes[alert.rule] == item.kind]
        # A response that was refused stands under the quarantine's id: then the latest alert of this text it is.
        called = [alert for alert in fitting if alert.source == item.response] or fitting
        if item.id in known:
            verdicts.append(Verdict(id=item.id, status="duplicate"))
        elif not called:
            error = FieldError("kind", "no_alert", "No alert of this patient calls for such a text.")
            verdicts.append(Verdict(id=item.id, status="rejected", errors=[error]))
        else:
            known.add(item.id)
            verdicts.append(Verdict(id=item.id, status="stored"))
            events.append(
                AlertEvent(
                    clinic_id=clinic_id,
                    patient_id=patient_id,
                    alert=called[-1],
                    kind=AlertEvent.Kind.CARD_SHOWN,
                    at=item.authored_at,
                    user_id=door.user_id,
                    source=item.id,
                    note=f"{item.kind}, {item.language}, version {item.version}",
                )
            )
    AlertEvent.objects.bulk_create(events)
    return verdicts
