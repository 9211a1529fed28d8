"""What of this room a phone pulls: programmes with the exercises they need, their pauses, and what was done."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat, JSONObject

from exercises.models import Pause, Prescription, Proposal, Session

type Changes = QuerySet[Any, tuple[int, str, dict[str, Any]]]


def prescriptions(patient_id: int) -> Changes:
    """Rows of (revision, place within it, change) of one patient; so do the others."""
    fields = ("programme", "version", "starts_on", "ends_on", "plan", "exercises", "stop_reason", "origin")
    return _changes(Prescription, "prescription", patient_id, fields)


def pauses(patient_id: int) -> Changes:
    return _changes(Pause, "pause", patient_id, ("programme", "from_day", "to_day", "reason"))


def proposals(patient_id: int) -> Changes:
    """What has been changed or held by itself, or by the clinician's yes; what waits for them is not told."""
    told = ("applied", "accepted")
    return _changes(Proposal, "proposal", patient_id, ("programme", "action", "words", "made_at")).filter(
        state__in=told
    )


def sessions(patient_id: int) -> Changes:
    fields = ("prescription", "local_day", "authored_at", "minutes", "skipped", "content", "marks", "origin", "live")
    return _changes(Session, "session", patient_id, fields)


def _changes(model: type[Model], kind: str, patient_id: int, fields: tuple[str, ...]) -> Changes:
    data = JSONObject(**{name: F(name) for name in fields})
    rows: Changes = (
        model._default_manager.filter(patient_id=patient_id)
        .annotate(
            place=Concat(Value(f"{kind}:"), Cast("id", CharField())),
            change=JSONObject(type=Value(kind), id=F("id"), op=Value("upsert"), data=data),
        )
        .values_list("rev", "place", "change")
    )
    return rows
