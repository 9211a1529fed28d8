"""What has come in about a patient since a colleague last had the record open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, Model, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, ngettext

from backend.dashboard import wording
from backend.dashboard.models import Note
from backend.people.models import Audit, Patient, User
from exercises.models import AdverseEvent, Condition, Prescription, Proposal, Session, Treatment
from outcomes.library import UnknownInstrumentError, get
from outcomes.models import Alert, Response

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

READ = "read record"
"""The audit row of an opened record."""

SITTING = timedelta(hours=1)
"""Going back and forth within it is one look, so that what is new stays on the screen meanwhile."""


@dataclass(frozen=True)
class News:
    """So many things of one kind in words, the latest of them, and the page that shows them."""

    words: str
    at: datetime
    page: str


def last_look(patient: Patient, user: User, now: datetime) -> datetime | None:
    """When this colleague last had the record open, before the present sitting."""
    looks = Audit.objects.filter(patient=patient, user=user, action=READ, at__lt=now - SITTING)
    return looks.order_by("-id").values_list("at", flat=True).first()


def news(patient: Patient, user: User, since: datetime) -> list[News]:
    """What came in or was written by others since then, the gravest kinds first; one statement."""
    first, *others = (
        _counted(Alert, patient, "alert", "opened_at", since, F("rule")),
        _counted(AdverseEvent, patient, "adverse-event", "received_at", since, F("kind")),
        _counted(Response, patient, "response", "received_at", since, F("instrument__code")),
        _counted(Session, patient, "session", "received_at", since, F("skipped")),
        _counted(Proposal, patient, "proposal", "made_at", since, F("state")),
        _by_others(Prescription, patient, "prescription", "prescribed_at", since, "prescribed_by", user),
        _by_others(Treatment, patient, "treatment", "entered_at", since, "entered_by", user),
        _by_others(Condition, patient, "condition", "entered_at", since, "entered_by", user),
        _by_others(Note, patient, "note", "written_at", since, "written_by", user),
    )
    rows = [row for row in first.union(*others, all=True) if row[2]]
    rows.sort(key=lambda row: (ORDER.index(row[0]), row[1]))
    return [News(_words(kind, what, n), at, PAGES[kind]) for kind, what, n, at in rows]


PAGES = {
    "alert": "dashboard:patient",
    "adverse-event": "dashboard:background",
    "response": "dashboard:answers",
    "session": "dashboard:programme",
    "proposal": "dashboard:programme",
    "prescription": "dashboard:programme",
    "treatment": "dashboard:background",
    "condition": "dashboard:background",
    "note": "dashboard:notes",
}
ORDER = list(PAGES)

type Counted = QuerySet[Any, tuple[str, str, int, datetime]]


def _counted(
    model: type[Model], patient: Patient, kind: str, at: str, since: datetime, what: Combinable, **fields: Any
) -> Counted:
    rows = model._default_manager.filter(patient=patient, **{f"{at}__gt": since}, **fields)
    named = rows.annotate(kind_=Value(kind), what_=what).values_list("kind_", "what_")
    counted: Counted = named.annotate(n_=Count("*"), at_=Max(at)).order_by()
    return counted


def _by_others(
    model: type[Model], patient: Patient, kind: str, at: str, since: datetime, by: str, user: User
) -> Counted:
    who = Coalesce(F(f"{by}__name"), Value(""))
    rows = _counted(model, patient, kind, at, since, who)
    return rows.exclude(**{by: user})


def _words(kind: str, what: str, n: int) -> str:
    match kind:
        case "alert":
            words = wording.alert_title(what)
            return words if n == 1 else f"{n} × {words}"
        case "response":
            return f"{n} × {_instrument(what)}"
        case "session" if what:
            return ngettext("%(n)s session not done", "%(n)s sessions not done", n) % {"n": n}
        case "session":
            return ngettext("%(n)s session", "%(n)s sessions", n) % {"n": n}
        case "proposal":
            return ngettext("%(n)s proposal of the rules", "%(n)s proposals of the rules", n) % {"n": n}
        case "adverse-event":
            return ngettext("%(n)s adverse event", "%(n)s adverse events", n) % {"n": n}
    words = {
        "prescription": ngettext("programme changed", "programme changed %(n)s times", n),
        "treatment": ngettext("treatment entered", "%(n)s treatments entered", n),
        "condition": ngettext("condition entered", "%(n)s conditions entered", n),
        "note": ngettext("note", "%(n)s notes", n),
    }[kind] % {"n": n}
    return gettext("%(thing)s by %(who)s") % {"thing": words, "who": what} if what else words


def _instrument(code: str) -> str:
    try:
        return get(code).title
    except UnknownInstrumentError:
        return code
