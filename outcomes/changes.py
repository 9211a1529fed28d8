"""What of this room a phone pulls: the patient's responses, also those that the clinic entered or corrected."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat, JSONObject

from outcomes.models import Response


def changes(patient_id: int) -> QuerySet[Response, tuple[int, str, dict[str, Any]]]:
    """Rows of (revision, place within it, change) of one patient."""
    return (
        Response.objects.filter(patient_id=patient_id)
        .annotate(
            place=Concat(Value("response:"), Cast("id", CharField())),
            change=JSONObject(
                type=Value("response"),
                id=F("id"),
                op=Value("upsert"),
                data=JSONObject(
                    instrument=F("instrument__code"),
                    version=F("instrument__version"),
                    answers=F("answers"),
                    authored_at=F("authored_at"),
                    utc_offset=F("utc_offset"),
                    time_zone=F("time_zone"),
                    origin=F("origin"),
                    replaces=F("replaces"),
                    live=F("live"),
                ),
            ),
        )
        .values_list("rev", "place", "change")
    )
