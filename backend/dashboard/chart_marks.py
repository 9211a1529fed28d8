"""What else happened, beside the lines of the charts: alerts, notes, treatments, phases of programmes and pauses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.timezone import localdate
from django.utils.translation import gettext

from backend.dashboard.models import Note
from backend.dashboard.templatetags.dashboard import alert_title
from backend.dashboard.treatments import title_of
from backend.people.models import Patient
from exercises.models import Prescription, Treatment
from outcomes.models import Alert

SHORT = 80
"""Characters of a note in the read-out."""


def seconds(day: date) -> int:
    """Since 1970, at the start of the day: how charts count days."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def marks(patient: Patient, first: date, last: date) -> dict[str, Any]:
    """By name, as the charts take them; four statements."""
    alerts = Alert.objects.filter(patient=patient, opened_at__date__range=(first, last)).order_by("opened_at")
    return {
        "alerts": [
            {"x": seconds(localdate(alert.opened_at)), "title": alert_title(alert.rule), "severity": alert.severity}
            for alert in alerts
        ],
        "notes": [{"x": seconds(day), "title": body} for day, body in _notes(patient, first, last)],
        "treatments": [_band(*each) for each in _treatments(patient, first, last)],
        "phases": [_band(*each) for each in _phases(patient, first, last)],
    }


def _band(begin: date, end: date, title: str) -> dict[str, Any]:
    return {"from": seconds(begin), "to": seconds(end), "title": title}


def _notes(patient: Patient, first: date, last: date) -> Iterator[tuple[date, str]]:
    """As they read now."""
    newest = Note.objects.filter(patient=patient).order_by("note", "-version").distinct("note")
    for day, body in sorted(newest.values_list("day", "body")):
        if first <= day <= last:
            short = body if len(body) <= SHORT else body[: SHORT - 1] + "…"
            yield day, gettext("note: %(words)s") % {"words": short}


def _treatments(patient: Patient, first: date, last: date) -> Iterator[tuple[date, date, str]]:
    """What has no end goes on where sessions are planned of it, and was on one day else."""
    overlapping = Q(ends_on__gte=first) | Q(ends_on=None)
    for row in Treatment.objects.filter(overlapping, patient=patient, starts_on__lte=last).order_by("starts_on", "id"):
        goes_on = row.kind == "brain-stimulation"
        end = row.ends_on or (last if goes_on else row.starts_on)
        if end >= first:
            yield max(row.starts_on, first), min(end, last), title_of(row)


def _phases(patient: Patient, first: date, last: date) -> Iterator[tuple[date, date, str]]:
    """The phases of each programme, one after the other from its first day, as its newest version has them."""
    programmes: dict[Any, tuple[date, date | None, Any]] = {}
    rows = Prescription.objects.filter(patient=patient).order_by("version")
    for programme, begins, ends, phases in rows.values_list("programme", "starts_on", "ends_on", "plan__phases"):
        began = programmes[programme][0] if programme in programmes else begins
        programmes[programme] = (began, ends, phases)
    for begins, ends, phases in programmes.values():
        day = begins
        for phase in phases or []:
            following = day + timedelta(weeks=phase["weeks"])
            end = min(following - timedelta(days=1), ends or date.max, last)
            if end >= max(day, first):
                yield max(day, first), end, phase["name"]
            day = following
