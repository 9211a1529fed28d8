"""The instrument library's rows in the database: what hot tables refer to by a small number."""

from __future__ import annotations

from functools import cache

from outcomes import library, publishing
from outcomes.models import InstrumentVersion, Measure


class ChangedInstrumentError(Exception):
    """A data file differs from the version of the same number that this database has already used."""


def load_instruments() -> None:
    """Write a row for every instrument version and measure that has none. Runs after each `migrate`."""
    known = {f"{row.code} {row.version}": row.digest for row in InstrumentVersion.objects.all()}
    published = publishing.published(library.FOLDER)
    new = []
    for instrument in library.all_versions():
        name = f"{instrument.code} {instrument.version}"
        if name not in known:
            new.append(InstrumentVersion(code=instrument.code, version=instrument.version, digest=published[name]))
        elif known[name] != published[name]:
            raise ChangedInstrumentError(f"{name} is not the one that this database has used")
    InstrumentVersion.objects.bulk_create(new, ignore_conflicts=True)
    Measure.objects.bulk_create([Measure(code=code) for code in library.measures()], ignore_conflicts=True)
    instrument_ids.cache_clear()
    measure_ids.cache_clear()
    measure_codes.cache_clear()


@cache
def instrument_ids() -> dict[tuple[str, str], int]:
    """Code and version to row number. Kept for the life of the process: published versions never change."""
    return {(row.code, row.version): row.id for row in InstrumentVersion.objects.all()}


@cache
def measure_ids() -> dict[str, int]:
    """Measure code to row number."""
    return {row.code: row.id for row in Measure.objects.all()}


@cache
def measure_codes() -> dict[int, str]:
    """Row number to measure code."""
    return {number: code for code, number in measure_ids().items()}
