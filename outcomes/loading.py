"""The instrument library's rows in the database: what hot tables refer to by a small number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import inf

from outcomes import library, publishing
from outcomes.instrument import Direction
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
    # Only what is missing: an insert that meets a row uses up one of the few small numbers all the same.
    missing = library.measures().keys() - set(Measure.objects.values_list("code", flat=True))
    Measure.objects.bulk_create([Measure(code=code) for code in sorted(missing)], ignore_conflicts=True)
    instrument_ids.cache_clear()
    forget_measures()


def describe_measures(wanted: Iterable[Measure]) -> None:
    """Write measures of clinics' own: new ones as they are, known ones as they are now described."""
    rows = {row.code: row for row in wanted}
    if not rows:
        return
    numbers = dict(Measure.objects.filter(code__in=rows).values_list("code", "pk"))
    Measure.objects.bulk_create([row for code, row in rows.items() if code not in numbers], ignore_conflicts=True)
    for code, number in numbers.items():
        rows[code].pk = number
    Measure.objects.bulk_update([rows[code] for code in numbers], ["title", "kind", "direction", "low", "high"])
    forget_measures()


def forget_measures() -> None:
    """Read the measures again: one was added or described anew."""
    measure_ids.cache_clear()
    measure_codes.cache_clear()
    _own_measure.cache_clear()


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
    return _Codes((number, code) for code, number in measure_ids().items())


class _Codes(dict[int, str]):
    """Measures of clinics' own come with imports, while other processes run: an unknown one is looked up then."""

    def __missing__(self, number: int) -> str:
        self[number] = Measure.objects.get(pk=number).code
        return self[number]


def measure(code: str) -> library.Measure:
    """What is known of a measure: by its instrument, or, of a scale of a clinic's own, by what its import said."""
    return library.measures().get(code) or _own_measure(code)


@cache
def _own_measure(code: str) -> library.Measure:
    row = Measure.objects.get(code=code)
    return library.Measure(
        code=code,
        title=row.title or code,
        kind="questionnaire" if row.kind == "questionnaire" else "daily",
        direction=_DIRECTIONS.get(row.direction, "none"),
        min=-inf if row.low is None else row.low,
        max=inf if row.high is None else row.high,
    )


_DIRECTIONS: dict[str, Direction] = {"higher-worse": "higher-worse", "higher-better": "higher-better"}
