"""A clinic's answers and scores for other programs: JSON Lines that hold everything and go back in, and flat CSV.

All of it streams. What is exported starts from a query of patients, so it is never more than its reader may see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from itertools import batched, chain
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Exists, F, Func, OuterRef, QuerySet, TextField

from backend.people import copying
from backend.people.models import Membership, Patient
from backend.rest.flat import csv_lines
from outcomes import library
from outcomes.instrument import Instrument, score_range
from outcomes.loading import instrument_ids, measure_codes, measure_ids
from outcomes.models import InstrumentVersion, Measure, Response, Score
from outcomes.store import scores_at

FORMAT = 1
# Rows that the database sends at a time.
CHUNK = 2000
# The measures that imports have made; the clinic's number and the name follow.
OWN = "import."


class Header(msgspec.Struct, tag_field="type", tag="steadyback-export"):
    """The first line. `format` goes up when what follows changes its meaning."""

    format: int
    clinic: str
    exported_at: datetime


class OwnMeasureLine(msgspec.Struct, tag_field="type", tag="measure"):
    """A scale of the clinic's own."""

    name: str
    title: str
    kind: str
    direction: str
    low: float | None
    high: float | None


class PatientLine(msgspec.Struct, tag_field="type", tag="patient"):
    """A person. `zones`: since when in which time zone."""

    identifier: str
    care_team: str
    name: str
    date_of_birth: date | None
    language: str
    time_zone: str
    status: str
    origin: str
    programme_started_on: date | None
    zones: list[tuple[datetime, str]]


class ResponseLine(msgspec.Struct, tag_field="type", tag="response", omit_defaults=True, kw_only=True):
    """A response as it stands on record. `authored_at` is on the patient's clock; `scores` are read for totals only."""

    patient: str
    id: UUID
    instrument: str
    version: str
    status: str
    authored_at: datetime
    time_zone: str
    local_day: date
    received_at: datetime
    origin: str
    answers: dict[str, Any]
    scores: dict[str, float]
    digest: bytes
    clock_skew: int | None = None
    replaces: UUID | None = None
    replaced_by: UUID | None = None
    withdrawn_at: datetime | None = None
    withdrawn_reason: str = ""


class ValueLine(msgspec.Struct, tag_field="type", tag="value"):
    """A value on a scale of the clinic's own."""

    patient: str
    measure: str
    id: UUID
    at: datetime
    local_day: date
    value: float


type Line = Header | OwnMeasureLine | PatientLine | ResponseLine | ValueLine


def json_lines(patients: QuerySet[Patient], clinic: str, now: datetime) -> Iterator[bytes]:
    """Everything that `restoring.py` needs to bring the same state about, one object a line."""
    encode = msgspec.json.Encoder().encode
    parts: tuple[Iterable[Line], ...] = (
        [Header(FORMAT, clinic, now)],
        _own_measures(patients),
        _patients(patients),
        responses(patients),
        _own_values(patients),
    )
    for part in parts:
        for line in part:
            yield encode(line) + b"\n"


def _own_measures(patients: QuerySet[Patient]) -> Iterator[OwnMeasureLine]:
    has_values = Exists(Score.objects.filter(measure=OuterRef("pk"), patient__in=patients))
    for row in Measure.objects.filter(has_values, code__startswith=OWN).order_by("code"):
        yield OwnMeasureLine(own_name(row.code), row.title, row.kind, row.direction, row.low, row.high)


def own_name(code: str) -> str:
    """What a clinic calls its own measure: knee-pain of import.7.knee-pain."""
    return code.split(".", 2)[2]


def responses(patients: QuerySet[Patient], instrument: str | None = None) -> Iterator[ResponseLine]:
    """All responses of these patients, or those of one instrument, by patient and id."""
    rows = Response.objects.filter(patient__in=patients).annotate(identifier=F("patient__identifier"))
    if instrument:
        rows = rows.filter(instrument__code=instrument)
    names = {number: name for name, number in instrument_ids().items()}
    measures = {number: _measures_of(code) for number, (code, _) in names.items()}
    for batch in batched(rows.order_by("patient_id", "id").iterator(CHUNK), CHUNK, strict=False):
        scores: dict[tuple[int, UUID], dict[str, float]] = defaultdict(dict)
        for patient_id, number, source, value in scores_at(
            (row.patient_id, number, row.local_day, row.id) for row in batch for number in measures[row.instrument_id]
        ):
            scores[patient_id, source][measure_codes()[number].rpartition(".")[2]] = value
        for row in batch:
            code, version = names[row.instrument_id]
            yield ResponseLine(
                patient=row.identifier,
                id=row.id,
                instrument=code,
                version=version,
                status=row.status,
                authored_at=row.authored_at.astimezone(timezone(timedelta(minutes=row.utc_offset))),
                time_zone=row.time_zone,
                local_day=row.local_day,
                received_at=row.received_at,
                origin=row.origin,
                answers=row.answers,
                scores=scores[row.patient_id, row.id],
                digest=bytes(row.digest),
                clock_skew=row.clock_skew,
                replaces=row.replaces,
                replaced_by=row.replaced_by,
                withdrawn_at=row.withdrawn_at,
                withdrawn_reason=row.withdrawn_reason,
            )


def _own_values(patients: QuerySet[Patient]) -> Iterator[ValueLine]:
    own = _scores(patients).filter(measure__code__startswith=OWN)
    for patient, code, source, at, local_day, value in own.iterator(CHUNK):
        yield ValueLine(patient, own_name(code), source, at, local_day, value)


def _scores(patients: QuerySet[Patient]) -> QuerySet[Score, tuple[str, str, UUID, datetime, date, float]]:
    return (
        Score.objects.filter(patient__in=patients, live=True)
        .order_by("patient_id", "measure_id", "local_day", "source")
        .values_list("patient__identifier", "measure__code", "source", "at", "local_day", "value")
    )


def _measures_of(code: str) -> list[int]:
    return [number for name, number in measure_ids().items() if name.rpartition(".")[0] == code]


def _patients(patients: QuerySet[Patient]) -> Iterator[PatientLine]:
    rows = patients.select_related("care_team").prefetch_related("zones").order_by("pk")
    for row in rows.iterator(CHUNK):
        yield PatientLine(
            identifier=row.identifier,
            care_team=row.care_team.name,
            name=row.name,
            date_of_birth=row.date_of_birth,
            language=row.language,
            time_zone=row.time_zone,
            status=row.status,
            origin=row.origin,
            programme_started_on=row.programme_started_on,
            zones=sorted((zone.since, zone.time_zone) for zone in row.zones.all()),
        )


def _colleagues(patients: QuerySet[Patient]) -> Iterator[bytes]:
    """Whom the numbers in the records mean, so that a restore finds those who are colleagues there too."""
    here = Membership.objects.filter(clinic__in=patients.order_by().values("clinic")).order_by("user")
    for number, name, email in here.values_list("user", "user__name", "user__email").distinct():
        yield msgspec.json.encode({"type": "colleague", "id": number, "name": name, "email": email}) + b"\n"


LINES, TABLE = "application/x-ndjson", "text/csv; charset=utf-8"


class File(msgspec.Struct):
    """One file of an export, by its name; `about` says what a line of it is."""

    name: str
    about: str


def files(patients: QuerySet[Patient]) -> list[File]:
    """The files that there are for these patients: JSON Lines, then tables, then what their columns mean."""
    titles = {each.code: each.title for each in library.newest()}
    return [
        File(RESTORABLE, "everything about answers, one object a line; it goes back in by restore_responses"),
        File(RECORDS, "every row of every table that is kept about patients; it goes back in by restore_records"),
        File("scores.csv", "every value of every series that counts: questionnaires, diaries, exercise, own scales"),
        *(File(f"{code}.csv", f"one line a response: {titles.get(code, code)}") for code in used_instruments(patients)),
        *(File(f"{name}.csv", f"one line a row: {name.replace('-', ' ')}") for name in copying.tables()),
        File("dictionary.csv", "what every column of every CSV means, with its values, unit and source"),
    ]


RESTORABLE, RECORDS = "responses.jsonl", "records.jsonl"


def content(name: str, patients: QuerySet[Patient], clinic: str, now: datetime) -> tuple[str, Iterator[bytes]] | None:
    """The type of a file and its lines, which are read as they are asked for; None where there is no such file."""
    stem, _, kind = name.rpartition(".")
    if name == RESTORABLE:
        return LINES, json_lines(patients, clinic, now)
    if name == RECORDS:
        return LINES, chain(_colleagues(patients), copying.records(patients))
    if kind != "csv":
        return None
    if stem == "scores":
        lines = csv_of_scores(patients)
    elif stem == "dictionary":
        lines = csv_of_dictionary()
    elif stem in copying.tables():
        lines = copying.csv_of_table(stem, patients)
    elif stem in {each.code for each in library.newest()} or stem in used_instruments(patients):
        lines = csv_of_instrument(patients, stem)
    else:
        return None
    return TABLE, (line.encode() for line in lines)


# Columns that every CSV of responses has before its items and scores, with what they mean.
ABOUT = {
    "patient": "the clinic's own number for the person",
    "id": "of the response",
    "version": "of the instrument",
    "authored_at": "when it was answered, on the patient's clock",
    "time_zone": "of the patient at that time",
    "local_day": "the patient's day that it is about",
    "received_at": "when the server got it",
    "origin": "phone, clinic, import or simulated",
    "status": "complete; prorated: gaps filled from other items; incomplete: no score; totals: scores without answers",
    "live": "no: replaced by a correction, or withdrawn",
    "replaces": "id of the response that this one corrects",
}


def used_instruments(patients: QuerySet[Patient]) -> list[str]:
    """Codes of the instruments that these patients have responses to."""
    answered = Exists(Response.objects.filter(instrument=OuterRef("pk"), patient__in=patients))
    return sorted(set(InstrumentVersion.objects.filter(answered).values_list("code", flat=True)))


def csv_of_instrument(patients: QuerySet[Patient], code: str) -> Iterator[str]:
    """One line a response: answers by item, then scores."""
    items, scores = _items_and_scores(code) or _found_in(patients, code)
    return csv_lines(
        [*ABOUT, *(f"item.{item}" for item in items), *(f"score.{name}" for name in scores)],
        _flat(patients, code, items, scores),
    )


def _flat(
    patients: QuerySet[Patient], code: str, items: Sequence[str], scores: Sequence[str]
) -> Iterator[Sequence[object]]:
    for line in responses(patients, code):
        live = line.replaced_by is None and line.withdrawn_at is None
        yield [
            line.patient,
            line.id,
            line.version,
            line.authored_at.isoformat(),
            line.time_zone,
            line.local_day,
            line.received_at.isoformat(),
            line.origin,
            line.status,
            "yes" if live else "no",
            line.replaces,
            *(line.answers.get(item) for item in items),
            *(_plain(line.scores.get(score)) for score in scores),
        ]


def csv_of_scores(patients: QuerySet[Patient]) -> Iterator[str]:
    """Every value of every series that counts, one line each: questionnaires, diaries, exercise, own scales."""
    rows = _scores(patients).iterator(CHUNK)
    header = ["patient", "measure", "id", "at", "local_day", "value"]
    return csv_lines(header, ([*row[:3], row[3].isoformat(), row[4], _plain(row[5])] for row in rows))


def _plain(value: float | None) -> float | None:
    """Twelve rather than 12.0."""
    return int(value) if value is not None and value.is_integer() else value


def csv_of_dictionary() -> Iterator[str]:
    """What every column of every CSV means, with its values, unit and source."""
    return csv_lines(["file", "column", "meaning", "values", "unit", "source"], _dictionary())


def _dictionary() -> Iterator[Sequence[object]]:
    for instrument in library.newest():
        file = f"{instrument.code}.csv"
        for column, meaning in ABOUT.items():
            yield [file, column, meaning, "", "", ""]
        yield from _dictionary_of(file, instrument)
    for column, meaning in {
        "patient": ABOUT["patient"],
        "measure": "what was measured: instrument and score, or import. and a name for a scale of the clinic's own",
        "id": "of the response or session that it comes from",
        "at": "when it was answered",
        "local_day": ABOUT["local_day"],
        "value": "the score; its range and direction are those of the instrument's column",
    }.items():
        yield ["scores.csv", column, meaning, "", "", ""]
    for name, model in copying.tables().items():
        for column, meaning in copying.columns_of(model).items():
            yield [f"{name}.csv", column, meaning, "", "", ""]


def _dictionary_of(file: str, instrument: Instrument) -> Iterator[Sequence[object]]:
    text = instrument.texts.get("en")
    for item in instrument.items:
        options = instrument.option_set(item)
        meaning = text.items.get(item.id, "") if text else "the clinic holds the licensed text"
        labels = text.options.get(options.name, {}) if text else {}
        allowed = (
            f"{options.range[0]} to {options.range[1]}"
            if options.range
            else "; ".join(f"{each.value} {labels.get(str(each.value), '')}".strip() for each in options.values)
        )
        yield [file, f"item.{item.id}", meaning, allowed, options.unit or "", instrument.source]
    for score in instrument.scores:
        if score.trend:
            low, high = score_range(instrument, score)
            meaning = f"score: {score.title or score.name}; {score.direction}; unanswered items: {score.missing_source}"
            yield [file, f"score.{score.name}", meaning, f"{low:g} to {high:g}", "", score.source]


def _items_and_scores(code: str) -> tuple[list[str], list[str]] | None:
    """Items and scores of all versions of an instrument; None where the library has it no longer."""
    versions = [each for each in library.all_versions() if each.code == code]
    items = dict.fromkeys(item.id for each in versions for item in each.items)
    scores = dict.fromkeys(score.name for each in versions for score in each.scores if score.trend)
    return (list(items), list(scores)) if versions else None


def _found_in(patients: QuerySet[Patient], code: str) -> tuple[list[str], list[str]]:
    """The same as the answers and the measures have it."""
    rows = Response.objects.filter(patient__in=patients, instrument__code=code)
    items = rows.annotate(item=Func("answers", function="jsonb_object_keys", output_field=TextField()))
    measures = sorted(_measures_of(code))
    found = sorted(set(items.values_list("item", flat=True)))
    return found, [measure_codes()[number].rpartition(".")[2] for number in measures]
