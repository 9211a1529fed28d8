"""Takes an export back in: the same responses, corrections, withdrawals and values, in this or another clinic.

Scores are computed anew; only totals that came without answers are taken as they stand. What is there already is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched

import msgspec
from django.db import connection, transaction

from backend.people.models import CareTeam, Clinic, Origin, Patient, ZoneHistory
from backend.people.restoring import UNREADABLE, Tally, nul_in
from backend.people.writes import Door, next_revisions_noted
from backend.rest.verdicts import Verdict
from outcomes import store
from outcomes.exporting import FORMAT, Header, Line, OwnMeasureLine, PatientLine, ResponseLine, ValueLine
from outcomes.importing import WITHDRAWN, kept_totals, known_patients, own_code
from outcomes.instrument import score_range
from outcomes.intake import Draft, ResponseItem, examine, raise_alerts, score_as_chosen
from outcomes.loading import describe_measures, instrument_ids, measure_ids
from outcomes.models import Measure

BATCH = 1000


class OtherFormatError(Exception):
    """An export of another format than this server reads."""


class Restored(Tally):
    """What became of an export, or a part of it."""

    patients: int = 0
    responses: int = 0
    values: int = 0


class _Batch(msgspec.Struct):
    """A batch, sorted by what its lines are."""

    measures: list[OwnMeasureLine] = []
    patients: list[PatientLine] = []
    responses: list[tuple[int, ResponseLine]] = []
    values: list[tuple[int, ValueLine]] = []


def restore(lines: Iterable[bytes], clinic: Clinic, now: datetime) -> Iterator[Restored]:
    """Bring the lines of an export into a clinic, so many at a time, each batch whole or not at all.

    Raises OtherFormatError.
    """
    for batch in batched(enumerate(lines, 1), BATCH, strict=False):
        done = Restored(lines=len(batch))
        with transaction.atomic():
            found = _decode(batch, done)
            _make_measures(found.measures, clinic)
            done.patients = _make_patients(found.patients, clinic)
            _restore(found, clinic, now, done)
        yield done


_decoder = msgspec.json.Decoder(Line)


def _decode(batch: Iterable[tuple[int, bytes]], done: Restored) -> _Batch:
    found = _Batch()
    for number, text in batch:
        try:
            line = _decoder.decode(text)
        except UNREADABLE as error:
            done.refused.append((number, str(error)))
            continue
        if why := nul_in(text):
            done.refused.append((number, why))
            continue
        match line:
            case Header() if line.format != FORMAT:
                raise OtherFormatError(f"line {number}: this server reads format {FORMAT}, not {line.format}.")
            case OwnMeasureLine():
                found.measures.append(line)
            case PatientLine():
                found.patients.append(line)
            case ResponseLine():
                found.responses.append((number, line))
            case ValueLine():
                found.values.append((number, line))
    return found


def _make_measures(lines: Sequence[OwnMeasureLine], clinic: Clinic) -> None:
    describe_measures(
        Measure(
            code=own_code(clinic, line.name),
            title=line.title,
            kind=line.kind,
            direction=line.direction,
            low=line.low,
            high=line.high,
        )
        for line in lines
    )


def _make_patients(lines: Sequence[PatientLine], clinic: Clinic) -> int:
    """Patients whom the clinic doesn't know yet, and their care teams; gives how many."""
    known = known_patients([line.identifier for line in lines], clinic)
    new = {line.identifier: line for line in lines if line.identifier not in known}
    if not new:
        return 0
    CareTeam.objects.bulk_create(
        [CareTeam(clinic=clinic, name=name) for name in sorted({line.care_team for line in new.values()})],
        ignore_conflicts=True,
    )
    teams = dict(CareTeam.objects.filter(clinic=clinic).values_list("name", "pk"))
    Patient.objects.bulk_create(
        Patient(
            clinic=clinic,
            care_team_id=teams[line.care_team],
            identifier=line.identifier,
            name=line.name,
            date_of_birth=line.date_of_birth,
            language=line.language,
            time_zone=line.time_zone,
            status=line.status,
            origin=line.origin,
            programme_started_on=line.programme_started_on,
        )
        for line in new.values()
    )
    numbers = known_patients(new, clinic)
    ZoneHistory.objects.bulk_create(
        ZoneHistory(clinic=clinic, patient_id=numbers[line.identifier], since=since, time_zone=zone)
        for line in new.values()
        for since, zone in line.zones
    )
    return len(new)


def _restore(found: _Batch, clinic: Clinic, now: datetime, done: Restored) -> None:
    named = {line.patient for _, line in found.responses} | {line.patient for _, line in found.values}
    patients = dict(Patient.objects.filter(clinic=clinic, identifier__in=named).values_list("identifier", "pk"))
    withdrawn = {name for name, number in known_patients(named, clinic).items() if number == WITHDRAWN}
    responses = _new_responses(found.responses, patients, withdrawn, clinic, now, done)
    values = _new_values(found.values, patients, withdrawn, clinic, done)
    counts = Counter([draft.patient_id for _, draft in responses] + [row.patient_id for row in values])
    if not counts:
        return
    revisions = next_revisions_noted("restore responses", counts, user_id=None)
    _insert(responses, revisions)
    scores = [
        store.ScoreRow(
            patient_id=draft.patient_id,
            measure_id=measure_ids()[f"{line.instrument}.{name}"],
            local_day=draft.local_day,
            source=line.id,
            clinic_id=draft.clinic_id,
            value=float(value),
            at=line.authored_at,
        )
        for line, draft in responses
        for name, value in draft.scored.scores.items()
        if value is not None and draft.instrument.score(name).trend
    ]
    store.insert_scores([*scores, *values])
    dead = {line.id for line, _ in responses if not _live(line)}
    store.retire_scores(
        (row.patient_id, row.measure_id, row.local_day, row.source) for row in scores if row.source in dead
    )
    live = [draft for line, draft in responses if _live(line)]
    raise_alerts(
        {(draft.patient_id, draft.item.id) for draft in live},
        live,
        [Verdict(id=draft.item.id, status="stored") for draft in live],
        Door(origin=Origin.IMPORT, received_at=now),
    )
    done.responses, done.values = len(responses), len(values)


def _live(line: ResponseLine) -> bool:
    return line.replaced_by is None and line.withdrawn_at is None


def _new_responses(
    lines: Sequence[tuple[int, ResponseLine]],
    patients: dict[str, int],
    withdrawn: set[str],
    clinic: Clinic,
    now: datetime,
    done: Restored,
) -> list[tuple[ResponseLine, Draft]]:
    """Those that nothing stands for yet, examined as any other."""
    examined = []
    for number, line in lines:
        draft = _examine(line, patients, clinic, now)
        if isinstance(draft, str):
            done.refused.append((number, draft))
        else:
            examined.append((number, line, draft))
    score_as_chosen(draft for _, _, draft in examined)
    standing = {
        key: row.digest
        for key, row in store.standing_responses((draft.patient_id, line.id) for _, line, draft in examined).items()
    }
    new = []
    for number, line, draft in examined:
        key = draft.patient_id, line.id
        stands = standing.get(key)
        if stands is None and line.patient in withdrawn:
            done.refused.append((number, "patient: this patient has withdrawn consent"))
        elif stands is None:
            standing[key] = draft.digest
            new.append((line, draft))
        elif stands == draft.digest:
            done.duplicates += 1
        else:
            done.refused.append((number, "id: something else is on record under it; it stays"))
    return new


def _examine(line: ResponseLine, patients: dict[str, int], clinic: Clinic, now: datetime) -> Draft | str:
    patient_id = patients.get(line.patient)
    if patient_id is None:
        return "patient: there is no such patient"
    item = ResponseItem(
        id=line.id,
        instrument=line.instrument,
        version=line.version,
        authored_at=line.authored_at,
        time_zone=line.time_zone,
        answers=line.answers,
        replaces=line.replaces,
    )
    draft = examine(item, patient_id, clinic.pk, now)
    if not isinstance(draft, Draft):
        return "; ".join(f"{error.field}: {error.detail}" for error in draft)
    if line.status == "totals":
        for name, value in line.scores.items():
            known = next((score for score in draft.instrument.scores if score.name == name), None)
            if known is None:
                return f"scores.{name}: there is no such score"
            low, high = score_range(draft.instrument, known)
            if not low <= value <= high:
                return f"scores.{name}: expected a number from {low:g} to {high:g}"
        draft.scored = kept_totals(line.scores)
    draft.digest = line.digest
    return draft


def _new_values(
    lines: Sequence[tuple[int, ValueLine]],
    patients: dict[str, int],
    withdrawn: set[str],
    clinic: Clinic,
    done: Restored,
) -> list[store.ScoreRow]:
    rows = []
    for number, line in lines:
        patient_id = patients.get(line.patient)
        measure_id = measure_ids().get(own_code(clinic, line.measure))
        if patient_id is None:
            done.refused.append((number, "patient: there is no such patient"))
        elif measure_id is None:
            done.refused.append((number, "measure: no line before this one describes it"))
        else:
            row = store.ScoreRow(patient_id, measure_id, line.local_day, line.id, clinic.pk, line.value, line.at)
            rows.append((number, line, row))
    keys = [(row.patient_id, row.measure_id, row.local_day, row.source) for *_, row in rows]
    standing = {(patient, measure, source): value for patient, measure, source, value in store.scores_at(keys)}
    new = []
    for number, line, row in rows:
        stands = standing.get((row.patient_id, row.measure_id, row.source))
        if stands is None and line.patient in withdrawn:
            done.refused.append((number, "patient: this patient has withdrawn consent"))
        elif stands is None:
            new.append(row)
        elif stands == row.value:
            done.duplicates += 1
        else:
            done.refused.append((number, "value: another one is on record; it stays"))
    return new


def _insert(responses: Sequence[tuple[ResponseLine, Draft]], revisions: dict[int, int]) -> None:
    """One statement, in the order of keys."""
    rows = sorted(
        (
            draft.patient_id,
            line.id,
            draft.clinic_id,
            revisions[draft.patient_id],
            line.authored_at,
            line.received_at,
            line.clock_skew,
            draft.local_day,
            instrument_ids()[line.instrument, line.version],
            int((line.authored_at.utcoffset() or timedelta()).total_seconds()) // 60,
            _live(line),
            draft.scored.status,
            line.origin,
            line.time_zone,
            draft.digest,
            msgspec.json.encode(line.answers).decode(),
            line.replaces,
            line.replaced_by,
            line.withdrawn_at,
            line.withdrawn_reason,
        )
        for line, draft in responses
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO outcomes_response (patient_id, id, clinic_id, rev, authored_at, received_at, clock_skew,
                local_day, instrument_id, utc_offset, live, status, origin, time_zone, digest, answers, replaces,
                replaced_by, withdrawn_at, withdrawn_reason)
            SELECT patient_id, id, clinic_id, rev, authored_at, received_at, clock_skew, local_day, instrument_id,
                utc_offset, live, status, origin, time_zone, digest, answers::jsonb, replaces, replaced_by,
                withdrawn_at, withdrawn_reason
            FROM unnest(%s::bigint[], %s::uuid[], %s::int[], %s::bigint[], %s::timestamptz[], %s::timestamptz[],
                %s::int[], %s::date[], %s::smallint[], %s::smallint[], %s::bool[], %s::text[], %s::text[], %s::text[],
                %s::bytea[], %s::text[], %s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[])
                AS new (patient_id, id, clinic_id, rev, authored_at, received_at, clock_skew, local_day, instrument_id,
                    utc_offset, live, status, origin, time_zone, digest, answers, replaces, replaced_by, withdrawn_at,
                    withdrawn_reason)
            ON CONFLICT DO NOTHING
            """,
            store.columns(rows, 20),
        )
