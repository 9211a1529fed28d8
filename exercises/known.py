"""What is known of a patient that bears on which exercise fits: read once, for the patterns to look at."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.people.models import Patient
from exercises.models import Clearance, Condition, Preferences
from exercises.prescribing import today_of
from exercises.reporting import reports
from exercises.suggesting import HUMAN_FIRST, Known, age_on, latest
from outcomes.models import Alert, Score


def known_of(patient: Patient, now: datetime) -> Known:
    """What the patterns look at, in a fixed number of statements."""
    today = today_of(patient, now)
    scores = Score.objects.filter(patient=patient, live=True).order_by("measure", "-local_day", "-at")
    newest = scores.distinct("measure").values_list("measure__code", "value", "local_day")
    conditions = Condition.objects.filter(patient=patient, ended_on=None).values_list("code", flat=True)
    closed = [Alert.State.RESOLVED, Alert.State.REVIEW]
    flags = Alert.objects.filter(patient=patient, rule__in=HUMAN_FIRST).exclude(state__in=closed)
    likings = Preferences.objects.filter(patient=patient).first()
    past = reports(patient.pk, today)
    recent = [
        day
        for report in past
        for day in report.days
        if today - timedelta(days=14) < day.day and day.state in ("done", "partly-done", "declined", "missed")
    ]
    return Known(
        today=today,
        age=age_on(today, patient.date_of_birth),
        scores=latest(newest),
        conditions=frozenset(conditions),
        red_flags=tuple(flags.values_list("rule", flat=True)),
        cleared=Clearance.objects.filter(patient=patient, cleared_on__lte=today, valid_until__gte=today).exists(),
        liked=tuple(likings.liked) if likings else (),
        disliked=tuple(likings.disliked) if likings else (),
        kept_to={modality: share for report in reversed(past) for modality, share in report.by_modality.items()},
        adherence=(len(recent), sum(day.state in ("done", "partly-done") for day in recent)),
    )
