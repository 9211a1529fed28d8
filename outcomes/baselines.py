"""A new baseline, set by a clinician with a reason. Those before it stay: baselines are versioned, never rewritten."""

from __future__ import annotations

from datetime import date, datetime
from statistics import median

from django.db import transaction
from django.db.models import Max

from backend.people.models import Patient, User
from backend.people.writes import next_revisions
from backend.rest.problems import in_words
from outcomes.loading import measure, measure_ids
from outcomes.models import Baseline, Score
from outcomes.store import mark_due
from outcomes.trends import BASELINE_FEWEST


class BaselineError(ValueError):
    """A baseline that can't be set so; `field` says what is wrong."""

    def __init__(self, field: str, detail: str) -> None:
        self.field, self.detail = field, in_words(detail)
        super().__init__(self.detail)


def set_baseline(
    patient: Patient, code: str, from_day: date, to_day: date, *, reason: str, by: User, now: datetime
) -> Baseline:
    """Count the change of a measure from these days on. Raises BaselineError.

    The value follows from the entries, as by the rule: the median of the days' medians of a daily measure, the last
    response of a questionnaire. The trend is computed anew after the transaction.
    """
    if to_day < from_day:
        raise BaselineError("to_day", "The last day is before the first.")
    if not reason.strip():
        raise BaselineError("reason", "Say why the change is counted from other days.")
    number = measure_ids()[code]
    with transaction.atomic():
        next_revisions([patient.pk])  # versions come one after the other
        value = _value(patient, code, from_day, to_day)
        versions = Baseline.objects.filter(patient=patient, measure=number)
        row = Baseline.objects.create(
            clinic_id=patient.clinic_id,
            patient=patient,
            measure_id=number,
            version=(versions.aggregate(newest=Max("version"))["newest"] or 0) + 1,
            value=value,
            from_day=from_day,
            to_day=to_day,
            set_by=by,
            reason=reason.strip(),
            set_at=now,
        )
        mark_due([(patient.pk, number, patient.clinic_id)])
    return row


def _value(patient: Patient, code: str, from_day: date, to_day: date) -> float:
    entries = Score.objects.filter(patient=patient, measure__code=code, live=True, local_day__range=(from_day, to_day))
    days: dict[date, list[float]] = {}
    for day, value in entries.order_by("local_day", "at").values_list("local_day", "value"):
        days.setdefault(day, []).append(value)
    daily = measure(code).kind == "daily"
    if len(days) < (BASELINE_FEWEST if daily else 1):
        raise BaselineError(
            "from_day",
            in_words(
                "A baseline rests on at least %(fewest)s days with an entry; there are %(n)s.",
                fewest=BASELINE_FEWEST,
                n=len(days),
            )
            if daily
            else "A baseline rests on a response; there is none in these days.",
        )
    return median(median(values) for values in days.values()) if daily else days[max(days)][-1]
