"""Every response of a patient, item by item, with its clocks and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from backend.dashboard.refused import Retimed, retimed
from backend.people.models import Patient
from outcomes.choices import band_of, choices_of, chosen
from outcomes.instrument import Instrument, Text
from outcomes.library import get, measures
from outcomes.models import Response
from outcomes.packs import in_language, own_texts
from outcomes.records import StoredResponse, stored_responses

PAGE = 30


@dataclass(frozen=True)
class Answer:
    """An item as it was answered. `words` is the answer's label; `value` None: left unanswered, which is no zero."""

    item: str
    text: str
    value: Any
    words: str


@dataclass(frozen=True)
class Entry:
    response: StoredResponse
    row: Response
    title: str
    answers: list[Answer]
    scores: list[tuple[str, float, str]]
    """Title, value, and the band that the clinic reads it in, where there are bands."""
    skew: int | None
    """Minutes that the phone's clock was ahead of ours, where it was out by five or more."""
    retimed: Retimed | None

    @property
    def answered_at(self) -> datetime:
        """By the clock of the zone that the page names: a phone may have sent the same instant in UTC."""
        return self.response.authored_at.astimezone(ZoneInfo(self.response.time_zone))


def entries(
    patient: Patient, language: str, after: UUID | None, *, recorded_at: int | None = None
) -> tuple[list[Entry], UUID | None]:
    """A page of responses, newest first, and the one after which the next page begins; six statements.

    `recorded_at`: only those of this clinic, which the patient has left, in its own words.
    """
    clinic_id = recorded_at or patient.clinic_id
    rows = Response.objects.filter(patient=patient).select_related("withdrawn_by").order_by("-authored_at", "-id")
    if recorded_at is not None:
        rows = rows.filter(clinic=recorded_at)
    if after is not None and (here := rows.filter(id=after).first()):
        rows = rows.filter(Q(authored_at__lt=here.authored_at) | Q(authored_at=here.authored_at, id__lt=after))
    found = list(rows[: PAGE + 1])
    own, choices = own_texts(clinic_id), choices_of([clinic_id])
    given = retimed(patient, found[:PAGE])
    shown = []
    for response, row in _read(found[:PAGE]):
        instrument = chosen(get(response.instrument, response.version), clinic_id, choices)
        texts = own.get((response.instrument, response.version), {}) | instrument.texts
        shown.append(_entry(response, row, instrument, in_language(texts, language), given.get(row.id)))
    return shown, found[PAGE - 1].id if len(found) > PAGE else None


def _read(rows: list[Response]) -> Iterator[tuple[StoredResponse, Response]]:
    return zip(stored_responses(rows), rows, strict=True)


def _entry(
    response: StoredResponse, row: Response, instrument: Instrument, text: Text | None, given: Retimed | None
) -> Entry:
    skew = round((row.clock_skew or 0) / 60)
    return Entry(
        response=response,
        row=row,
        title=instrument.title,
        answers=list(_answers(instrument, response.answers, text)),
        scores=[
            (_score_title(code), value, band_of(instrument, code.rpartition(".")[2], value))
            for code, value in sorted(response.scores.items())
        ],
        skew=skew if abs(skew) >= 5 else None,
        retimed=given,
    )


def _answers(instrument: Instrument, answers: Mapping[str, Any], text: Text | None) -> Iterator[Answer]:
    for item in instrument.items:
        value = answers.get(item.id)
        words = text.items.get(item.id, "") if text else ""
        yield Answer(item.id, words, value, _label(text, item.options, value))


def _label(text: Text | None, options: str, value: Any) -> str:
    return text.options.get(options, {}).get(str(value), "") if text and value is not None else ""


def _score_title(code: str) -> str:
    known = measures().get(code)
    return known.title if known else code
