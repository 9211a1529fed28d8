"""The panel: whom to call today. One row a patient, from the summary and the open alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from backend.dashboard.filters import Filters
from backend.dashboard.worklist import CLOSED, LAST, urgency
from backend.people.models import Clinic, Patient, User
from exercises.models import Prescription
from outcomes.models import Alert

PAGE = 25

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


@dataclass(frozen=True)
class Page:
    patients: list[Patient]
    after: int | None
    """The patient after whom the next page begins; None: this is the last one."""


def page(
    user: User, clinic: Clinic, filters: Filters, today: date, *, after: int | None = None, size: int | None = None
) -> Page:
    """A page of the patients whom `user` may see, in the order of RULE, from the one after the patient `after`."""
    size = size or PAGE
    patients = filtered(user, clinic, filters, today)
    alerted, others = _alerted(patients, clinic), _others(patients, clinic)
    if after is not None:
        alerted, others = _beyond(after, alerted, others)
    found = [row["patient"] for row in alerted[: size + 1]]
    if not filters.alert and len(found) <= size:
        found += others[: size + 1 - len(found)]
    shown = _with_people(found[:size])
    return Page(shown, shown[-1].pk if len(found) > size else None)


def search(user: User, clinic: Clinic, words: str) -> Page:
    """The patients whose name or identifier comes closest to `words`, typing errors and all; whatever their status."""
    # Whoever was erased has no summary any more, and nothing to be found by.
    known = (
        Patient.objects.visible_to(user, clinic).filter(summary__isnull=False).select_related("summary", "care_team")
    )
    likeness = Greatest(TrigramWordSimilarity(words, "name"), TrigramWordSimilarity(words, "identifier"))
    close = Q(likeness__gte=0.3) | Q(name__icontains=words) | Q(identifier__icontains=words)
    found = known.annotate(likeness=likeness).filter(close).order_by("-likeness", "pk")
    return Page(list(found[:PAGE]), None)


def filtered(user: User, clinic: Clinic, filters: Filters, today: date) -> QuerySet[Patient]:
    patients = Patient.objects.visible_to(user, clinic).filter(status=filters.status)
    if filters.mine:
        patients = patients.filter(care_team__members__user=user)
    if filters.team is not None:
        patients = patients.filter(care_team=filters.team)
    if filters.modality:
        patients = patients.filter(_prescribed(filters.modality, today))
    if filters.worsening:
        patients = patients.filter(summary__worse__gt=0)
    if filters.silent:
        since = today - timedelta(days=SILENT_AFTER_DAYS)
        patients = patients.filter(Q(summary__last_entry_day__lte=since) | Q(summary__last_entry_day__isnull=True))
    if filters.low_adherence:
        patients = patients.filter(summary__adherence__lt=LOW_ADHERENCE_BELOW)
    return patients


def _prescribed(modality: str, today: date) -> Exists:
    """Whether a programme in force today holds an exercise of the modality."""
    programmes = Prescription.objects.filter(patient=OuterRef("pk"), starts_on__lte=today)
    in_force = programmes.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today))
    return Exists(in_force.filter(modalities__contains=[modality]))


def _open_alerts() -> QuerySet[Alert]:
    """Said by what they are not, as their index says it."""
    return Alert.objects.exclude(state__in=CLOSED)


def _alerted(patients: QuerySet[Patient], clinic: Clinic) -> QuerySet[Any]:
    """Rows of a patient with how urgent, and by when due, their open alerts are."""
    alerts = _open_alerts().filter(clinic=clinic, patient__in=patients.values("pk"))
    return (
        alerts.values("patient")
        .annotate(urgency=Max(urgency()), due=Coalesce(Min("due_at"), Value(LAST)))
        .order_by("-urgency", "due", "patient")
    )


def _others(patients: QuerySet[Patient], clinic: Clinic) -> QuerySet[Any]:
    """Read along the summaries' index, as far as the page goes."""
    silent_longest = F("summary__last_entry_day").asc(nulls_first=True)
    return (
        patients.filter(~Exists(_open_alerts().filter(patient=OuterRef("pk"))), summary__clinic=clinic)
        .order_by("-summary__worse", silent_longest, "summary__patient")
        .values_list("pk", flat=True)
    )


def _beyond(after: int, alerted: QuerySet[Any], others: QuerySet[Any]) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """What comes after one patient. Should they have left the list meanwhile, the list begins anew."""
    if here := alerted.filter(patient=after).first():
        later = Q(due__gt=here["due"]) | Q(due=here["due"], patient__gt=after)
        return alerted.filter(Q(urgency__lt=here["urgency"]) | Q(urgency=here["urgency"]) & later), others
    if here := others.filter(pk=after).values("summary__worse", "summary__last_entry_day").first():
        worse, day = here["summary__worse"], here["summary__last_entry_day"]
        if day is None:
            later = Q(summary__last_entry_day__isnull=False) | Q(pk__gt=after)
        else:
            later = Q(summary__last_entry_day__gt=day) | Q(summary__last_entry_day=day, pk__gt=after)
        beyond = Q(summary__worse__lt=worse) | Q(summary__worse=worse) & later
        return alerted.none(), others.filter(beyond, summary__worse__lte=worse)
    return alerted, others


def _with_people(numbers: list[int]) -> list[Patient]:
    """These patients in this order."""
    found = Patient.objects.filter(pk__in=numbers).select_related("summary", "care_team").in_bulk()
    return [found[number] for number in numbers if number in found]
