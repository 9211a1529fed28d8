"""The way of a response into the record: examined on plain values, then stored and scored in one go.

Phones, clinicians and files come through the same two functions: `examine` needs no database, `store` runs a fixed
number of statements however many responses it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

import msgspec

from backend.people.writes import Door
from backend.rest.verdicts import FieldError, Verdict
from outcomes import alerts, library, scoring, store
from outcomes.alert_history import Case, decide_cases
from outcomes.alert_rules import Rule, in_order, texts_for
from outcomes.choices import choices_of, chosen, matters
from outcomes.instrument import Instrument
from outcomes.loading import instrument_ids, measure_ids
from outcomes.scoring import Scored

# A phone's clock may be wrong by some hours and its owner may have flown; a day ahead is a mistake.
FURTHEST_AHEAD = timedelta(days=1)
# Clinics import old records; before this no answer was given to a computer in a clinic.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# A diary entry after midnight belongs to the evening that it is about.
DAY_TURNS_AT = timedelta(hours=4)
# No item that raises a flag has as many options, so of one that is answered several times each answer is looked at.
MOST_FORMS = 20

DateTime = Annotated[datetime, msgspec.Meta(tz=True)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


class ResponseItem(msgspec.Struct, tag_field="type", tag="response"):
    """A filled-in instrument as a client sends it. Scores sent along are not read: the server computes its own."""

    id: UUID
    instrument: str
    version: str
    authored_at: DateTime
    time_zone: str
    answers: dict[str, Any]
    slot: str | None = None
    replaces: UUID | None = None


class WithdrawalItem(msgspec.Struct, tag_field="type", tag="withdrawal"):
    """The patient takes an answer back. It stays on record, marked, and counts no more."""

    id: UUID
    response: UUID
    authored_at: DateTime
    reason: Note = ""


class Draft(msgspec.Struct):
    """A response that has been examined and scored, and waits to be stored.

    `rules` are the red flags that it raises by itself; those that need the past come as it is stored.
    """

    patient_id: int
    clinic_id: int
    item: ResponseItem
    instrument: Instrument
    scored: Scored
    rules: list[Rule]
    local_day: date
    digest: bytes


def examine(item: ResponseItem, patient_id: int, clinic_id: int, received_at: datetime) -> Draft | list[FieldError]:
    """Check a response against the very instrument version that it names and score it; or say what is wrong with it.

    An unanswered item is never wrong: the response is stored as incomplete.
    """
    errors = when_errors(item.authored_at, item.time_zone, received_at)
    if item.replaces == item.id:
        errors.append(FieldError("replaces", "replaces_itself", "A response can't replace itself."))
    field = "instrument"
    try:
        library.get(item.instrument)
        field = "version"
        instrument = library.get(item.instrument, item.version)
        scored = scoring.score(instrument, item.answers)
    except library.UnknownInstrumentError as error:
        return [*errors, FieldError(field, f"unknown_{field}", str(error))]
    except scoring.BadAnswersError as error:
        return errors + [FieldError(problem.field, problem.code, problem.detail) for problem in error.problems]
    if errors:
        return errors
    return Draft(
        patient_id=patient_id,
        clinic_id=clinic_id,
        item=item,
        instrument=instrument,
        scored=scored,
        rules=alerts.flagged(scored),
        local_day=local_day(item.authored_at, daily=instrument.day_turns_at_four),
        digest=digest_of(item),
    )


def rules_of_refused(codes: Iterable[object], answers: Iterable[tuple[str, object]]) -> list[Rule]:
    """The red flags in a response that can't be stored, as far as its answers can be read, most urgent first.

    Whatever is wrong with the rest of a form, an answer that somebody must see is seen: where an item is answered
    twice, each of its answers is.
    """
    answers = list(answers)
    found: dict[str, Rule] = {}
    for code in codes:
        try:
            instrument = library.get(str(code))
        except library.UnknownInstrumentError:
            continue
        readable: dict[str, dict[object, None]] = {}  # by item, each of its answers once
        for item, value in answers:
            if not scoring.problems(instrument, {item: value}):
                readable.setdefault(item, {})[value] = None
        told = {item: list(values)[:MOST_FORMS] for item, values in readable.items()}
        for n in range(max(map(len, told.values()), default=0)):
            form = {item: values[min(n, len(values) - 1)] for item, values in told.items()}
            found |= {rule.code: rule for rule in alerts.seen_alone(instrument, scoring.score(instrument, form))}
    return in_order(found.values())


def when_errors(authored_at: datetime, time_zone: str, received_at: datetime) -> list[FieldError]:
    """What is wrong with when and where a client says that something was authored."""
    errors = []
    if authored_at > received_at + FURTHEST_AHEAD:
        errors.append(
            FieldError("authored_at", "in_the_future", "This is more than a day ahead of the server's clock.")
        )
    if authored_at < EARLIEST:
        errors.append(FieldError("authored_at", "too_long_ago", "This is before 1970."))
    if time_zone not in _time_zones():
        errors.append(FieldError("time_zone", "unknown_time_zone", "This is not the name of an IANA time zone."))
    return errors


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def local_day(authored_at: datetime, *, daily: bool) -> date:
    """The patient's day that an answer is about, by the wall clock they saw; for daily items it turns at 04:00."""
    return (authored_at - DAY_TURNS_AT if daily else authored_at).date()


def digest_of(item: msgspec.Struct) -> bytes:
    """A fingerprint of what was sent, by which the same thing sent again is told from another under the same id."""
    return blake2b(msgspec.json.encode(item, order="deterministic"), digest_size=16).digest()


def store_responses(drafts: Sequence[Draft], door: Door, revisions: Mapping[int, int]) -> list[Verdict]:
    """Store examined responses with their scores, alerts and trend marks, and say of each what became of it.

    A clinic's own choices hold. Runs in the caller's transaction, after `next_revisions` has locked these patients. A
    `conflict` or `rejected` one is left for the caller to put into quarantine.
    """
    if not drafts:
        return []
    score_as_chosen(drafts)
    keys = [(draft.patient_id, draft.item.id) for draft in drafts]
    # Nearly all that comes is new and corrects nothing: the insert finds out what is not, and only that is looked up.
    looked_up = [
        key
        for own, draft in zip(keys, drafts, strict=True)
        if draft.item.replaces
        for key in (own, (draft.patient_id, draft.item.replaces))
    ]
    standing = store.standing_responses(looked_up)
    new: dict[tuple[int, UUID], Draft] = {}
    errors: list[FieldError | None] = []
    for key, draft in zip(keys, drafts, strict=True):
        error = None if key in standing else _replaces_error(draft, standing)
        errors.append(error)
        if key in standing or error:
            continue
        new[key] = draft
        standing[key] = store.Standing(
            draft.digest, _instrument_id(draft.instrument), draft.local_day, live=True, withdrawn=False
        )
        if draft.item.replaces:
            replaced = (draft.patient_id, draft.item.replaces)
            standing[replaced] = msgspec.structs.replace(standing[replaced], live=False)
    stored = _write(list(new.values()), door, revisions)
    standing |= store.standing_responses(new.keys() - stored)
    verdicts = []
    for key, draft, error in zip(keys, drafts, errors, strict=True):
        verdict = _verdict(draft)
        if error:
            verdict = Verdict(id=draft.item.id, status="rejected", errors=[error])
        elif standing[key].digest != draft.digest:
            verdict = _conflict(draft.item.id)
        elif key not in stored or new[key] is not draft:
            verdict.status = "duplicate"
        verdicts.append(verdict)
    raise_alerts(stored, drafts, verdicts, door)
    return verdicts


def score_as_chosen(drafts: Iterable[Draft]) -> None:
    """Score anew what the clinic's own choice may score otherwise. One statement, none where no choice matters."""
    concerned = [draft for draft in drafts if matters(draft.instrument, draft.scored)]
    if not concerned:
        return
    choices = choices_of(draft.clinic_id for draft in concerned)
    for draft in concerned:
        instrument = chosen(draft.instrument, draft.clinic_id, choices)
        if instrument is not draft.instrument:
            draft.scored = scoring.score(instrument, draft.item.answers)


def _verdict(draft: Draft) -> Verdict:
    scored = draft.scored
    return Verdict(
        id=draft.item.id,
        status="stored",
        complete=scored.status == "complete",
        scores={f"{draft.instrument.code}.{name}": value for name, value in scored.scores.items()},
    )


def _conflict(client_id: UUID) -> Verdict:
    error = FieldError("id", "conflict", "Something else is already stored under this id; it stays.")
    return Verdict(id=client_id, status="conflict", errors=[error])


def _replaces_error(draft: Draft, standing: Mapping[tuple[int, UUID], store.Standing]) -> FieldError | None:
    if draft.item.replaces is None:
        return None
    old = standing.get((draft.patient_id, draft.item.replaces))
    if old is None:
        return FieldError("replaces", "unknown_response", "There is no such response of this patient.")
    if not old.live:
        return FieldError("replaces", "not_live", "That response has already been replaced or withdrawn.")
    if old.instrument_id not in _versions_of(draft.instrument.code):
        return FieldError("replaces", "other_instrument", "That response is of another instrument.")
    return None


def _write(drafts: Sequence[Draft], door: Door, revisions: Mapping[int, int]) -> set[tuple[int, UUID]]:
    """Everything that a stored response brings with it; gives the keys of those that did not stand already."""
    if not drafts:
        return set()
    rows = []
    scores = []
    for draft in drafts:
        item = draft.item
        offset = item.authored_at.utcoffset() or timedelta()
        rows.append(
            store.ResponseRow(
                patient_id=draft.patient_id,
                clinic_id=draft.clinic_id,
                id=item.id,
                rev=revisions[draft.patient_id],
                instrument_id=_instrument_id(draft.instrument),
                status=draft.scored.status,
                answers=msgspec.json.encode(item.answers).decode(),
                authored_at=item.authored_at,
                utc_offset=int(offset.total_seconds()) // 60,
                time_zone=item.time_zone,
                local_day=draft.local_day,
                replaces=item.replaces,
                digest=draft.digest,
            )
        )
        scores += [
            store.ScoreRow(
                patient_id=draft.patient_id,
                measure_id=measure_ids()[f"{draft.instrument.code}.{name}"],
                local_day=draft.local_day,
                source=item.id,
                clinic_id=draft.clinic_id,
                value=float(value),  # one statement takes one type, and scores are whole or not
                at=item.authored_at,
            )
            for name, value in draft.scored.scores.items()
            if value is not None and draft.instrument.score(name).trend
        ]
    stored = store.insert_responses(rows, scores, door)
    replaced = [
        store.Retired(draft.patient_id, draft.item.replaces, revisions[draft.patient_id], by=draft.item.id)
        for draft in drafts
        if draft.item.replaces and (draft.patient_id, draft.item.id) in stored
    ]
    _retire(replaced, door)
    return stored


def raise_alerts(new: Set[tuple[int, UUID]], drafts: Sequence[Draft], verdicts: Sequence[Verdict], door: Door) -> None:
    """Raise what new responses call for; every one that stands names its texts, also when the reply got lost before."""
    standing = [
        (draft, verdict)
        for draft, verdict in zip(drafts, verdicts, strict=True)
        if verdict.status in ("stored", "duplicate")
    ]
    findings = {}
    for (draft, verdict), decided in zip(standing, decide_cases([_case(draft) for draft, _ in standing]), strict=True):
        rules = in_order([*draft.rules, *decided])
        verdict.safety = texts_for(rules)
        key = (draft.patient_id, draft.item.id)
        if key in new:
            findings[key] = alerts.Finding(key[0], draft.clinic_id, key[1], draft.item.authored_at, rules)
    alerts.raise_for(findings.values(), door)


def _case(draft: Draft) -> Case:
    measures = [f"{draft.instrument.code}.{name}" for name, value in draft.scored.scores.items() if value is not None]
    return Case(draft.patient_id, draft.clinic_id, draft.local_day, measures)


def store_withdrawals(
    items: Sequence[WithdrawalItem], patient_id: int, door: Door, revisions: Mapping[int, int]
) -> list[Verdict]:
    """Take answers of one patient back. Withdrawing one twice changes nothing."""
    if not items:
        return []
    standing = store.standing_responses((patient_id, item.response) for item in items)
    verdicts = []
    rows = {}
    for item in items:
        old = standing.get((patient_id, item.response))
        if old is None:
            error = FieldError("response", "unknown_response", "There is no such response of this patient.")
            verdicts.append(Verdict(id=item.id, status="rejected", errors=[error]))
        elif old.withdrawn or item.response in rows:
            verdicts.append(Verdict(id=item.id, status="duplicate"))
        else:
            verdicts.append(Verdict(id=item.id, status="stored"))
            rows[item.response] = store.Retired(
                patient_id, item.response, revisions[patient_id], by=None, reason=item.reason
            )
    _retire(list(rows.values()), door)
    return verdicts


def _retire(rows: Sequence[store.Retired], door: Door) -> None:
    retired = store.retire_responses(rows, door)
    measures = {number: _measures_of(number) for _, _, number, _ in retired}
    store.retire_scores(
        (patient_id, measure_id, day, response_id)
        for patient_id, response_id, number, day in retired
        for measure_id in measures[number]
    )


def _instrument_id(instrument: Instrument) -> int:
    return instrument_ids()[instrument.code, instrument.version]


def _versions_of(code: str) -> set[int]:
    return {number for (known, _), number in instrument_ids().items() if known == code}


def _measures_of(instrument_id: int) -> list[int]:
    prefix = next(f"{code}." for (code, _), number in instrument_ids().items() if number == instrument_id)
    return [number for code, number in measure_ids().items() if code.startswith(prefix)]
