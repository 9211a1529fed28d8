"""The panel: whom to call today. One row a patient, from the summary and the open alerts."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, cast

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Case, Exists, Max, Min, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce, Greatest
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from backend.dashboard.measures import COLUMNS, SHOWN, Column
from backend.dashboard.sparklines import Sparkline, by_day, sparkline
from backend.dashboard.worklist import OPEN, urgency
from backend.people.models import Clinic, Patient, User
from outcomes.loading import measure
from outcomes.models import Alert, Score, Trend

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


PAGE = 50
SPARK_DAYS = 28

# Own design defaults, for a clinic to ratify; the same as the alerts MISS-1 and ADH-1 go by.
SILENT_AFTER_DAYS = 7
LOW_ADHERENCE_BELOW = 50  # per cent of what was prescribed

RULE = (
    _("Open alerts first: those that nobody has taken on, the gravest of them first, then the one due soonest."),
    _("Then whoever is getting worse: two points for each clear worsening of pain, fear, depression or adherence, "
      "one point for each possible one."),
    _("Among equals, whoever has been silent longest."),
)  # fmt: skip
"""The order of the panel, as the page says it. `_alerted` and `_others` are its code, docs/dashboard.md its copy."""

LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Filters:
    """What the panel shows. None of it is about one person, so it may stand in an address."""

    mine: bool = False
    alert: bool = False
    worsening: bool = False
    silent: bool = False
    low_adherence: bool = False
    team: int | None = None
    status: str = Patient.Status.ACTIVE

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        """What an address says; what it says wrongly is left out."""
        flags = {name: query.get(name) == "1" for name in FLAGS}
        team, status = query.get("team", ""), query.get("status", "")
        return cls(
            **flags,
            team=int(team) if team.isascii() and team.isdigit() and len(team) < 10 else None,
            status=status if status in Patient.Status.values else Patient.Status.ACTIVE,
        )

    def query(self) -> str:
        """The same as an address says it."""
        query = QueryDict(mutable=True)
        query.update({name: "1" for name in FLAGS if getattr(self, name)})
        if self.team is not None:
            query["team"] = str(self.team)
        if self.status != Patient.Status.ACTIVE:
            query["status"] = self.status
        return query.urlencode()


FLAGS: dict[str, _StrPromise] = {
    "mine": _("My patients"),
    "alert": _("Open alert"),
    "worsening": _("Worsening"),
    "silent": _("Silent for a week"),
    "low_adherence": _("Low adherence"),
}


@dataclass(frozen=True)
class Cell:
    """Where one measure of one patient stands."""

    column: Column
    value: float | None
    change: float | None
    label: str
    line: Sparkline


@dataclass(frozen=True)
class Row:
    patient: Patient
    alerts: list[Alert]
    cells: list[Cell]
    silent_days: int | None
    week: int | None


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    after: int | None
    """The patient after whom the next page begins; None: this is the last one."""


def page(user: User, clinic: Clinic, filters: Filters, today: date, *, after: int | None = None) -> Page:
    """A page of the patients whom `user` may see, in the order of RULE, from the one after the patient `after`."""
    patients = filtered(user, clinic, filters, today)
    alerted, others = _alerted(patients), _others(patients)
    if after is not None:
        alerted, others = _beyond(after, alerted, others)
    found = list(alerted[: PAGE + 1])
    found += others[: PAGE + 1 - len(found)]
    more = len(found) > PAGE
    return Page(_rows(found[:PAGE], today), found[PAGE - 1].pk if more else None)


def search(user: User, clinic: Clinic, words: str, today: date) -> Page:
    """The patients whose name or identifier comes closest to `words`, typing errors and all; whatever their status."""
    patients = Patient.objects.visible_to(user).filter(clinic=clinic).select_related("summary", "care_team")
    likeness = Greatest(TrigramWordSimilarity(words, "name"), TrigramWordSimilarity(words, "identifier"))
    close = Q(likeness__gte=0.3) | Q(name__icontains=words) | Q(identifier__icontains=words)
    found = patients.annotate(likeness=likeness).filter(close).order_by("-likeness", "pk")
    return Page(_rows(list(found[:PAGE]), today), None)


def filtered(user: User, clinic: Clinic, filters: Filters, today: date) -> QuerySet[Patient]:
    patients = Patient.objects.visible_to(user).filter(clinic=clinic, status=filters.status)
    if filters.mine:
        patients = patients.filter(care_team__members__user=user)
    if filters.team is not None:
        patients = patients.filter(care_team=filters.team)
    if filters.alert:
        patients = patients.filter(_has_open_alert())
    if filters.worsening:
        patients = patients.annotate(worse=_points()).filter(worse__gt=0)
    if filters.silent:
        since = today - timedelta(days=SILENT_AFTER_DAYS)
        patients = patients.filter(Q(summary__last_entry_day__lte=since) | Q(summary__last_entry_day__isnull=True))
    if filters.low_adherence:
        patients = patients.filter(summary__adherence__lt=LOW_ADHERENCE_BELOW)
    return patients.select_related("summary", "care_team")


def _points() -> CombinedExpression:
    """How much somebody is getting worse, as RULE counts it."""
    clear, possible = ("worsened", 2), ("possibly-worsened", 1)
    labels = [f"summary__{column.field}_label" for column in COLUMNS]
    cases = (Case(*(When(**{name: label}, then=n) for label, n in (clear, possible)), default=0) for name in labels)
    return cast(CombinedExpression, reduce(operator.add, cases))


def _has_open_alert() -> Exists:
    return Exists(Alert.objects.filter(patient=OuterRef("pk"), state__in=OPEN))


def _alerted(patients: QuerySet[Patient]) -> QuerySet[Any]:
    return (
        patients.filter(alert__state__in=OPEN)
        .annotate(urgency=Max(urgency("alert__")), due=Coalesce(Min("alert__due_at"), Value(LAST)))
        .order_by("-urgency", "due", "pk")
    )


def _others(patients: QuerySet[Patient]) -> QuerySet[Any]:
    return (
        patients.exclude(_has_open_alert())
        .annotate(
            points=_points(),
            silent_since=Coalesce("summary__last_entry_day", Value(date.min)),
        )
        .order_by("-points", "silent_since", "pk")
    )


def _beyond(after: int, alerted: QuerySet[Any], others: QuerySet[Any]) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """What comes after one patient. Should they have left the list meanwhile, the list begins anew."""
    if here := alerted.filter(pk=after).first():
        later = Q(due__gt=here.due) | Q(due=here.due, pk__gt=after)
        return alerted.filter(Q(urgency__lt=here.urgency) | Q(urgency=here.urgency) & later), others
    if here := others.filter(pk=after).first():
        later = Q(silent_since__gt=here.silent_since) | Q(silent_since=here.silent_since, pk__gt=after)
        return alerted.none(), others.filter(Q(points__lt=here.points) | Q(points=here.points) & later)
    return alerted, others


def _rows(patients: list[Patient], today: date) -> list[Row]:
    numbers = [patient.pk for patient in patients]
    alerts, lines = _alerts(numbers), _lines(numbers, today)
    return [
        Row(
            patient=patient,
            alerts=alerts.get(patient.pk, []),
            cells=[_cell(patient, column, lines, today) for column in COLUMNS],
            silent_days=_days(_summary(patient, "last_entry_day"), today),
            week=_week(patient, today),
        )
        for patient in patients
    ]


def _alerts(patients: Iterable[int]) -> dict[int, list[Alert]]:
    found: dict[int, list[Alert]] = {}
    alerts = Alert.objects.filter(patient__in=patients, state__in=OPEN)
    for alert in alerts.annotate(urgency=urgency()).order_by("-urgency", "due_at", "pk"):
        found.setdefault(alert.patient_id, []).append(alert)
    return found


@dataclass(frozen=True)
class _Lines:
    """By patient: the last day of each series, and the days and values of its last four weeks."""

    last_days: dict[int, dict[str, date]]
    recent: dict[tuple[int, str], tuple[list[date], list[float]]]


def _lines(patients: Iterable[int], today: date) -> _Lines:
    """For all patients in two statements."""
    shown = {"patient__in": patients, "measure__code__in": SHOWN}
    last_days: dict[int, dict[str, date]] = {}
    ended = Trend.objects.filter(**shown, last_day__isnull=False)
    for patient, code, day in ended.values_list("patient_id", "measure__code", "last_day"):
        last_days.setdefault(patient, {})[code] = cast(date, day)
    recent = (
        Score.objects.filter(**shown, local_day__range=(_first(today), today), live=True)
        .values_list("patient_id", "measure__code")
        .annotate(days=ArrayAgg("local_day"), values=ArrayAgg("value"))
    )
    return _Lines(last_days, {(patient, code): (days, values) for patient, code, days, values in recent})


def _first(today: date) -> date:
    return today - timedelta(days=SPARK_DAYS - 1)


def _cell(patient: Patient, column: Column, lines: _Lines, today: date) -> Cell:
    code = column.code(lines.last_days.get(patient.pk, {}))
    line = Sparkline([], [], None)
    if code is not None:
        days, values = lines.recent.get((patient.pk, code), ([], []))
        scale = measure(code)
        joined = SPARK_DAYS if scale.kind == "questionnaire" else column.joined
        line = sparkline(by_day(days, values, _first(today), SPARK_DAYS), scale.min, scale.max, joined=joined)
    return Cell(
        column=column,
        value=_summary(patient, column.field),
        change=_summary(patient, f"{column.field}_change"),
        label=_summary(patient, f"{column.field}_label") or "unknown",
        line=line,
    )


def _summary(patient: Patient, field: str) -> Any:
    """A field of the patient's summary; None before the first one is written."""
    summary = getattr(patient, "summary", None)
    return getattr(summary, field) if summary is not None else None


def _days(day: date | None, today: date) -> int | None:
    return (today - day).days if day else None


def _week(patient: Patient, today: date) -> int | None:
    """The week of the programme, from 1; None before it."""
    start = patient.programme_started_on
    return (today - start).days // 7 + 1 if start and start <= today else None
