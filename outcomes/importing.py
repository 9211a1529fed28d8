"""Takes a clinic's own file in: the same examination, scoring and storing as for a phone, batch by batch.

Ids follow from the file, so a second run changes nothing, and one that was killed midway is finished by the next. A
line whose content has changed since is refused, never written over what stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Self
from uuid import UUID, uuid5

import msgspec
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from backend.people.models import CareTeam, Clinic, Consent, Origin, Patient, ZoneHistory
from backend.people.writes import Door, next_revisions_noted
from backend.rest.verdicts import FieldError
from outcomes import store
from outcomes.instrument import Number
from outcomes.intake import Draft, ResponseItem, digest_of, examine, store_responses, when_errors
from outcomes.loading import describe_measures, measure_ids
from outcomes.mapping import MappingFile, OwnMeasure
from outcomes.models import Measure
from outcomes.reading import Row
from outcomes.scoring import Scored
from outcomes.translating import Entry, Refused, Translator

BATCH = 1000


class Report(msgspec.Struct):
    """What became of a file, counted. `stored` is by instrument or measure and status, `reasons` by column and reason.

    `blank` counts the places where a row holds nothing, `unanswered` the items left open, by instrument and reason.
    """

    rows: int = 0
    patients: int = 0
    stored: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    duplicates: int = 0
    blank: int = 0
    unanswered: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    refused: int = 0
    reasons: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)

    def __iadd__(self, other: Report) -> Self:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


class Target(msgspec.Struct, frozen=True):
    """Where entries go. Unknown patients join `care_team`, if there is one; a dry run only looks.

    `measures` are the row numbers of the mapping's own measures.
    """

    clinic: Clinic
    care_team: CareTeam | None
    received_at: datetime
    measures: Mapping[str, int]
    dry_run: bool = False


class Taken(msgspec.Struct):
    """What became of one batch: its part of the report, and its refused rows."""

    report: Report
    refused: dict[int, tuple[Row, list[Refused]]] = {}

    def refuse(self, row: Row, why: Sequence[Refused]) -> None:
        self.report.reasons.update((each.column, each.reason) for each in why)
        self.refused.setdefault(id(row), (row, []))[1].extend(why)
        self.report.refused = len(self.refused)


class Totals(ResponseItem, tag_field="type", tag="totals", kw_only=True):
    """Scores that were kept without the answers behind them."""

    scores: dict[str, Number]


class _Ready(msgspec.Struct):
    """An entry that has been examined: a response, or else a value of a measure of the clinic's own."""

    entry: Entry
    patient_id: int
    digest: bytes
    draft: Draft | None = None

    @property
    def counted_as(self) -> tuple[str, str]:
        if self.draft is None:
            return self.entry.block.name if isinstance(self.entry.block, OwnMeasure) else "", "value"
        return self.draft.instrument.code, self.draft.scored.status


def import_rows(rows: Iterable[Row], translate: Translator, target: Target) -> Iterator[Taken]:
    """Store what the rows hold, so many at a time, each batch whole or not at all."""
    if target.dry_run:
        with _Seen() as seen:
            for batch in batched(rows, BATCH, strict=False):
                yield _take(batch, translate, target, seen)
        return
    for batch in batched(rows, BATCH, strict=False):
        with transaction.atomic():
            taken = _take(batch, translate, target, None)
        yield taken


def own_code(clinic: Clinic, name: str) -> str:
    """The code of a measure of a clinic's own."""
    return f"import.{clinic.pk}.{name}"


def own_measures(mapping: MappingFile, clinic: Clinic, *, dry_run: bool = False) -> dict[str, int]:
    """Row numbers of a mapping's own measures by name, made where they are new; but not in a dry run."""
    codes = {measure.name: own_code(clinic, measure.name) for measure in mapping.measure}
    if not dry_run:
        describe_measures(
            Measure(
                code=codes[measure.name],
                title=measure.title,
                kind=measure.kind,
                direction=measure.direction,
                low=measure.min,
                high=measure.max,
            )
            for measure in mapping.measure
        )
    known = measure_ids()
    return {name: known.get(code, 0) for name, code in codes.items()}


def _take(batch: Iterable[Row], translate: Translator, target: Target, seen: _Seen | None) -> Taken:
    """One batch, in a fixed number of statements."""
    taken = Taken(Report())
    entries = []
    for row in batch:
        taken.report.rows += 1
        found = translate(row)
        taken.report.blank += found.blank
        if found.refused:
            taken.refuse(row, found.refused)
        entries += found.entries
    patients = _patients(sorted({entry.patient for entry in entries}), target, taken.report, seen)
    ready = []
    for entry in entries:
        patient_id = patients.get(entry.patient)
        examined: _Ready | list[Refused]
        if patient_id is None:
            examined = [Refused(translate.patient_column, "the clinic has no such patient")]
        elif patient_id == WITHDRAWN:
            examined = [Refused(translate.patient_column, "this patient has withdrawn consent")]
        else:
            examined = _examine(entry, patient_id, target)
        if isinstance(examined, _Ready):
            ready.append(examined)
        else:
            taken.refuse(entry.row, examined)
    new = _new(ready, target, taken, seen)
    if seen is None:
        new = _store(new, target, taken)
    else:
        seen.add((each.entry.id, each.digest) for each in new)
    for each in new:
        taken.report.stored[each.counted_as] += 1
        taken.report.unanswered.update((each.counted_as[0], reason) for reason in each.entry.unanswered)
    return taken


WITHDRAWN = -1


def _patients(identifiers: Sequence[str], target: Target, report: Report, seen: _Seen | None) -> dict[str, int]:
    """Patients by the clinic's own number; unknown ones are made, where the mapping wants that."""
    known = known_patients(identifiers, target.clinic)
    missing = [identifier for identifier in identifiers if identifier not in known]
    if not missing or target.care_team is None:
        return known
    if seen is not None:
        ids = {identifier: uuid5(_PATIENTS, identifier) for identifier in missing}
        stands = seen.among(ids.values())
        report.patients += sum(each not in stands for each in ids.values())
        seen.add((each, b"") for each in ids.values())
        return known | dict.fromkeys(missing, 0)
    Patient.objects.bulk_create(
        (
            Patient(
                clinic=target.clinic,
                care_team=target.care_team,
                identifier=identifier,
                language=target.clinic.languages[0] if target.clinic.languages else "en",
                time_zone=target.clinic.time_zone,
                status=Patient.Status.ACTIVE,
                origin=Origin.IMPORT,
            )
            for identifier in missing
        ),
        ignore_conflicts=True,
    )
    made = known_patients(missing, target.clinic)
    ZoneHistory.objects.bulk_create(
        (
            ZoneHistory(
                clinic=target.clinic, patient_id=number, since=target.received_at, time_zone=target.clinic.time_zone
            )
            for number in made.values()
        ),
        ignore_conflicts=True,
    )
    report.patients += len(made)
    return known | made


_PATIENTS = UUID("bd3f0d3a-6a0f-5f0b-8a57-5b3a3a6c9a10")


def known_patients(identifiers: Iterable[str], clinic: Clinic) -> dict[str, int]:
    """Patients of a clinic by its own numbers; WITHDRAWN in place of one who wants nothing new to be recorded."""
    consents = Consent.objects.filter(patient=OuterRef("pk"))
    withdrawn = Exists(consents) & ~Exists(consents.filter(withdrawn_at__isnull=True))
    found = Patient.objects.filter(clinic=clinic, identifier__in=identifiers).annotate(withdrawn=withdrawn)
    return {
        identifier: WITHDRAWN if gone else number
        for identifier, number, gone in found.values_list("identifier", "pk", "withdrawn")
    }


def _examine(entry: Entry, patient_id: int, target: Target) -> _Ready | list[Refused]:
    """What a phone's answer would have to pass, and for totals and own values what of that applies to them."""
    block = entry.block
    if isinstance(block, OwnMeasure):
        if errors := when_errors(entry.authored_at, entry.time_zone, target.received_at):
            return _refusals(errors, entry)
        return _Ready(entry, patient_id, _digest_of_value(entry, entry.value, entry.authored_at))
    item = ResponseItem(
        id=entry.id,
        instrument=block.code,
        version=block.version,
        authored_at=entry.authored_at,
        time_zone=entry.time_zone,
        answers=dict(entry.answers or {}),
    )
    draft = examine(item, patient_id, target.clinic.pk, target.received_at)
    if not isinstance(draft, Draft):
        return _refusals(draft, entry)
    if entry.scores is not None:
        totals = Totals(**msgspec.structs.asdict(item), scores=entry.scores)
        draft.digest = digest_of(totals)
        draft.scored = kept_totals(entry.scores)
    return _Ready(entry, patient_id, draft.digest, draft)


def kept_totals(scores: Mapping[str, Number]) -> Scored:
    """Scores that were kept without answers, in place of computed ones."""
    return Scored(scores=dict(scores), bands={}, missing=0, status="totals", flags=())


def _refusals(errors: Iterable[FieldError], entry: Entry) -> list[Refused]:
    return [Refused(entry.columns.get(error.field, error.field), error.detail) for error in errors]


def _digest_of_value(entry: Entry, value: float | None, at: datetime) -> bytes:
    """What tells a value that stands from a changed one. One that is repeated over the day has no time of its own."""
    once = isinstance(entry.block, OwnMeasure) and entry.block.once_a_day
    return f"{value} {'' if once else at.astimezone(UTC).isoformat()}".encode()


def _new(ready: Sequence[_Ready], target: Target, taken: Taken, seen: _Seen | None) -> list[_Ready]:
    """The entries that nothing stands for yet. The same again is a duplicate, something else under its id refused."""
    standing = _standing(ready, target)
    if seen is not None:
        standing |= seen.among(each.entry.id for each in ready)
    new = []
    for each in ready:
        stands = standing.get(each.entry.id)
        if stands is None:
            standing[each.entry.id] = each.digest
            new.append(each)
        elif stands == each.digest:
            taken.report.duplicates += 1
        else:
            taken.refuse(each.entry.row, [_conflict(each)])
    return new


def _conflict(ready: _Ready) -> Refused:
    return Refused("", f"{ready.counted_as[0]}: something else is on record for this patient and date; it stays")


def _standing(ready: Sequence[_Ready], target: Target) -> dict[UUID, bytes]:
    """The digests of what stands under the ids of these entries."""
    responses = store.standing_responses((each.patient_id, each.entry.id) for each in ready if each.draft)
    standing = {response_id: response.digest for (_, response_id), response in responses.items()}
    values = {each.entry.id: each for each in ready if each.draft is None}
    if values:
        series = {(each.patient_id, _measure(each, target)) for each in values.values()}
        for source, value, at in store.standing_scores(series, values):
            standing[source] = _digest_of_value(values[source].entry, value, at)
    return standing


def _store(new: Sequence[_Ready], target: Target, taken: Taken) -> list[_Ready]:
    """Write what is new, as for a phone; gives what was stored, which is all of it unless another import ran beside."""
    if not new:
        return []
    door = Door(origin=Origin.IMPORT, received_at=target.received_at)
    rows_of = Counter(each.patient_id for each in new)
    revisions = next_revisions_noted("import responses", rows_of, user_id=None)
    responses = [(each, each.draft) for each in new if each.draft]
    stored = [each for each in new if each.draft is None]
    for (each, _), verdict in zip(
        responses, store_responses([draft for _, draft in responses], door, revisions), strict=True
    ):
        if verdict.status == "stored":
            stored.append(each)
        elif verdict.status == "duplicate":
            taken.report.duplicates += 1
        else:
            taken.refuse(each.entry.row, [_conflict(each)])
    store.insert_scores(
        store.ScoreRow(
            patient_id=each.patient_id,
            measure_id=_measure(each, target),
            local_day=each.entry.local_day,
            source=each.entry.id,
            clinic_id=target.clinic.pk,
            value=each.entry.value,
            at=each.entry.authored_at,
        )
        for each in new
        if each.entry.value is not None and each.entry.local_day is not None
    )
    return stored


def _measure(ready: _Ready, target: Target) -> int:
    return target.measures[ready.counted_as[0]]


class _Seen:
    """What a dry run would have stored by now. It is kept by the database, out of everybody's sight and our memory."""

    def __enter__(self) -> Self:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE import_seen (id uuid PRIMARY KEY, digest bytea NOT NULL)")
        return self

    def __exit__(self, *error: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE import_seen")

    def among(self, ids: Iterable[UUID]) -> dict[UUID, bytes]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, digest FROM import_seen WHERE id = ANY(%s::uuid[])", [list(ids)])
            return {row[0]: bytes(row[1]) for row in cursor.fetchall()}

    def add(self, entries: Iterable[tuple[UUID, bytes]]) -> None:
        found = dict(entries)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO import_seen SELECT * FROM unnest(%s::uuid[], %s::bytea[]) ON CONFLICT DO NOTHING",
                [list(found), list(found.values())],
            )
