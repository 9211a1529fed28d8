"""The clocks of red flags: an alert that nobody has acknowledged is told to the next in the clinic's chain.

What to do next stands on the alert itself (`tell_at`, `position`, `told`). One transaction moves an alert on, notes the
event and writes the call into the outbox, so a worker that dies at any line leaves all of it or nothing. It goes round
the chain and the fallback until somebody acknowledges; what is not critical rests while the clinic is closed. Whom
nothing reaches is passed over, and so it says.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from uuid_utils.compat import uuid7

from backend.people.rota import Duty, Rota, rotas_of
from backend.reminders import refusals
from backend.reminders.models import Call
from backend.reminders.reaching import Reach, reachable, reaches_of
from outcomes.alert_rules import BY_CODE, Rule
from outcomes.alerts import CRITICAL, HIGH, SILENT_ORIGINS, due
from outcomes.clinic_rules import rules_of
from outcomes.models import Alert, AlertEvent

logger = logging.getLogger(__name__)

# Somebody who is told needs a moment before the next one is. Own default, for what must be acknowledged at once.
LEAST_STEP = timedelta(minutes=15)
FALLBACK = 0
"""The position of the clinic's fallback, and of a chain that is to begin from its first place."""

UNACKNOWLEDGED = (Alert.State.OPEN, Alert.State.ESCALATED)


class Told(msgspec.Struct, frozen=True):
    """What the clock says: whom to tell now (nobody: None), and when to look again."""

    duty: Duty | None
    again_at: datetime


def next_told(severity: int, position: int, rule: Rule, rota: Rota, now: datetime) -> Told:
    """Who comes after `position`, of those who are on duty; after the last the fallback, then the first again."""
    critical = severity >= CRITICAL
    if not critical and not rota.hours.is_open(now):
        return Told(None, rota.hours.next_opening(now))
    duty = next((each for each in rota.chain if each.position > position and each.is_on(now, rota.hours)), None)
    if duty is None and rota.fallback:
        duty = Duty(FALLBACK, None, rota.fallback, rota.language)
    if duty is None:  # no fallback: round again
        duty = next((each for each in rota.chain if each.is_on(now, rota.hours)), None)
    if duty is None:  # until somebody is named, or an address put right
        return Told(None, now + LEAST_STEP)
    wait = max((due(rule, now, rota.hours) or now) - now, LEAST_STEP)
    return Told(duty, now + wait)


def watch(now: datetime, limit: int) -> Counter[str]:
    """Look at up to `limit` alerts whose time has come, those that wait longest first; count what came of it.

    A fixed number of statements. Any number of workers may run it at once: each takes alerts that no other has.
    """
    counts: Counter[str] = Counter()
    with transaction.atomic():
        waiting = (
            Alert.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state__in=UNACKNOWLEDGED, tell_at__lte=now)
            .exclude(origin__in=SILENT_ORIGINS)
            .order_by("tell_at")
        )
        alerts = list(waiting[:limit])
        if not alerts:
            return counts
        clinics = {alert.clinic_id for alert in alerts}
        rotas, rules = rotas_of(clinics), rules_of(clinics)
        reaches = reaches_of({duty.user_id for rota in rotas.values() for duty in rota.chain if duty.user_id})
        refused = refusals.of_fallbacks(clinics)
        calls, events = [], []
        for alert in alerts:
            whole, rule = rotas[alert.clinic_id], rules[alert.clinic_id].get(alert.rule, BY_CODE[alert.rule])
            rota = reachable(whole, reaches, fallback_refused=alert.clinic_id in refused)
            told = next_told(alert.severity, alert.position, rule, rota, now)
            counts["looked at"] += 1
            alert.tell_at = told.again_at
            if told.duty is None:
                if alert.severity >= CRITICAL or rota.hours.is_open(now):
                    counts["nobody to tell"] += 1
                    logger.error("clinic %s has nobody to tell of an alert", alert.clinic_id)
                continue
            counts["told"] += 1
            # The first who is told of something grave is told, not escalated to.
            escalated = alert.told > 0 or alert.severity < HIGH
            passed = _passed_over(alert.position, told.duty.position, whole, rota, now)
            alert.told, alert.position = alert.told + 1, told.duty.position
            alert.state = Alert.State.ESCALATED if escalated else alert.state
            calls.extend(_calls(alert, told.duty, rota, reaches, now))
            events.append(_event(alert, told.duty, passed, now, escalated=escalated))
        Alert.objects.bulk_update(alerts, ["tell_at", "told", "position", "state"])
        Call.objects.bulk_create(calls)
        AlertEvent.objects.bulk_create(events)
    return +counts


def _passed_over(begin: int, end: int, whole: Rota, rota: Rota, now: datetime) -> list[int]:
    """The places between two, the second not included, that are on duty and that nothing reaches."""
    left = [duty for duty in whole.chain if duty not in rota.chain and duty.is_on(now, rota.hours)]
    return [duty.position for duty in left if begin < duty.position and (duty.position < end or end <= begin)]


def _calls(alert: Alert, duty: Duty, rota: Rota, reaches: Mapping[int, Reach], now: datetime) -> list[Call]:
    """One for each channel by which they are told; a browser's names the address to turn to if no browser takes it."""
    if rota.simulated:
        channels, reach = ["console"], None
    elif reach := reaches.get(duty.user_id or 0):
        channels = reach.channels(critical=alert.severity >= CRITICAL)
    else:
        channels = ["email"]
    instead = duty.email if reach and reach.mail and "email" not in channels else ""
    return [
        Call(
            id=uuid7(),
            clinic_id=alert.clinic_id,
            patient_id=alert.patient_id,
            alert=alert,
            n=alert.told,
            user_id=duty.user_id,
            channel=channel,
            target=instead if channel == "webpush" else duty.email,
            language=duty.language,
            planned_at=now,
            due_at=now,
        )
        for channel in channels
    ]


def _event(alert: Alert, duty: Duty, passed: Sequence[int], now: datetime, *, escalated: bool) -> AlertEvent:
    note = f"place {duty.position} in the chain" if duty.position else "the clinic's fallback"
    if passed:
        note += f"; nothing reaches place {', '.join(map(str, passed))}"
    return AlertEvent(
        clinic_id=alert.clinic_id,
        patient_id=alert.patient_id,
        alert=alert,
        kind=AlertEvent.Kind.ESCALATED if escalated else AlertEvent.Kind.TOLD,
        at=now,
        note=note,
    )
