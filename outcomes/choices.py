"""Where sources differ, a clinic chooses: cut-offs of bands, how many items may be missing, tables of its own licence.

A choice never changes an instrument, and never a score that stands: bands are read by the choice that holds today,
scores are made by the one that held when the answer came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import msgspec
from django.db import connection, transaction

from backend.people.models import Clinic, User
from outcomes import library, scoring
from outcomes.clinic_models import InstrumentChoice
from outcomes.instrument import Instrument
from outcomes.soundness import Flaw


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """By score: `cutoffs`: band, where it begins; `max_missing`: how many items may be; `tables`: raw value, value."""

    cutoffs: dict[str, dict[str, float]] = {}
    max_missing: dict[str, int] = {}
    tables: dict[str, dict[int, float]] = {}


class BadChoiceError(ValueError):
    """A choice that doesn't fit the instrument; `flaw` names the field."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(f"{flaw.field}: {flaw.why}")
        self.flaw = flaw


@dataclass(frozen=True)
class Standing:
    """A choice, told from others by its row: that never changes."""

    pk: int
    choice: Choice = field(compare=False)


Choices = dict[tuple[int, str], Standing]


def choices_of(clinic_ids: Iterable[int]) -> Choices:
    """What these clinics have chosen, by clinic and instrument. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (clinic_id, code) clinic_id, code, id, choice::text FROM outcomes_instrument_choice
            WHERE clinic_id = ANY(%s::bigint[]) ORDER BY clinic_id, code, version DESC
            """,
            [list(set(clinic_ids))],
        )
        return {(clinic, code): Standing(pk, read(msgspec.json.decode(text))) for clinic, code, pk, text in cursor}


def read(choice: object) -> Choice:
    """A choice as it stands in its row."""
    return msgspec.convert(choice, Choice, strict=False)


def chosen(instrument: Instrument, clinic_id: int, choices: Choices) -> Instrument:
    """The instrument as a clinic has chosen to read it."""
    standing = choices.get((clinic_id, instrument.code))
    return instrument if standing is None else _adapted(instrument, standing)


@lru_cache(maxsize=256)
def _adapted(instrument: Instrument, standing: Standing) -> Instrument:
    """Kept, because a scorer is prepared at an instrument's first use."""
    try:
        return _adapt(instrument, standing.choice)
    except BadChoiceError:  # an older version, which the choice was not made for
        return instrument


def _adapt(instrument: Instrument, choice: Choice) -> Instrument:
    for part in ("cutoffs", "max_missing", "tables"):
        try:
            instrument = scoring.adapted(instrument, **{part: getattr(choice, part)})
        except ValueError as error:
            raise BadChoiceError(Flaw(part, str(error))) from error
    return instrument


def choose(clinic: Clinic, code: str, sent: object, *, by: User | None, now: datetime) -> InstrumentChoice:
    """Set how a clinic reads an instrument, all at once: what is not among it is the default again.

    What was chosen before stays on record. Raises UnknownInstrumentError, BadChoiceError.
    """
    instrument = library.get(code)
    try:
        choice = read(sent)
    except msgspec.ValidationError as error:
        why, _, place = str(error).partition(" - at ")
        raise BadChoiceError(Flaw(place.strip("`").removeprefix("$.") or "choice", why)) from error
    _adapt(instrument, choice)
    content = msgspec.to_builtins(choice, str_keys=True)
    with transaction.atomic():
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        last = InstrumentChoice.objects.filter(clinic=clinic, code=code).order_by("-version").first()
        if last is not None and last.choice == content:
            return last
        version = last.version + 1 if last else 1
        return InstrumentChoice.objects.create(
            clinic=clinic, code=code, version=version, choice=content, chosen_by=by, chosen_at=now
        )


def matters(instrument: Instrument, scored: scoring.Scored) -> bool:
    """Whether a choice could make other scores of these answers: cut-offs can't, and nothing is missing in most."""
    return scored.status != "totals" and (
        scored.status != "complete" or any(score.clinic_table for score in instrument.scores)
    )


def band_of(instrument: Instrument, score: str, value: float) -> str:
    """The name of the band in which a value of this score lies; empty where there is none."""
    bands = next((each.bands for each in instrument.scores if each.name == score), ())
    return next((band.name for band in bands if band.from_ <= value < band.below), "")
