"""`docs/instruments.md`, written from the instruments' own files."""

from collections.abc import Iterator

from outcomes.instrument import Instrument, Number, Score, Sourced, score_range

HEAD = """\
# Instruments

Written by `manage.py instruments_page > docs/instruments.md` from the files in `outcomes/instruments/`.
`docs/adding-an-instrument.md` says how to add one.

**full**: the words ship with the project, in the languages named. **meta**: the licence does not let us ship the words;
the clinic loads a text that it may use, and until then the instrument can be imported and scored but not given to a
phone.

A source that ends in "general knowledge, to be checked" was not read for this project: check it before anybody relies
on the number. Journal, volume and page of an instrument's first publication are from general knowledge too. Where a
source gives a range for a change threshold, its upper end is taken, so that a small change is rather missed than
announced.

MCID: smallest change that matters to patients, in points or in per cent of the person's own earlier score. MDC95:
smallest change that is beyond measurement error in 95 of 100 people, 2.77 × SEM where only the standard error of
measurement is known. A dash means that no number is known to us; nothing is invented.
"""


def page(instruments: list[Instrument]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_table(instruments), *(line for each in instruments for line in _section(each))]) + "\n"


def _table(instruments: list[Instrument]) -> Iterator[str]:
    yield "| code | title | version | items | class | languages | owner | licence |"
    yield "|-|-|-|-|-|-|-|-|"
    for each in instruments:
        cells = [
            f"[{each.code}](#{each.code})",
            each.title,
            each.version,
            str(len(each.items)),
            each.ship,
            ", ".join(each.languages) or "–",
            each.owner,
            each.licence,
        ]
        yield _row(cells)


def _section(instrument: Instrument) -> Iterator[str]:
    yield f"\n## {instrument.code}\n"
    asked = "filled in by the clinician, " if instrument.respondent == "clinician" else ""
    loinc = f" LOINC {instrument.loinc}." if instrument.loinc else ""
    how = f"About {instrument.recall}; {asked}{instrument.cadence}."
    yield f"{instrument.title}. {how} Source: {instrument.source}.{loinc}"
    if instrument.caution:
        yield f"\n**{instrument.caution}**"
    if instrument.scores:
        yield "\n| score | range | better | bands | MCID | MDC95 | SEM |\n|-|-|-|-|-|-|-|"
        yield from (_row(_score(instrument, score)) for score in instrument.scores)
        yield ""
    for score in instrument.scores:
        yield f"- **{score.name}**: {'; '.join(_sources(score))}."
    for rule in instrument.rules:
        yield f"- **{rule.name}**: {rule.source}."
    for flag in instrument.flags:
        yield f"- flag **{flag.name}**: {flag.source}."
    for follow in instrument.follow_up:
        offer = " or ".join(follow.offer)
        yield f"- {follow.score} of {_number(follow.from_)} or more offers {offer}: {follow.source}."


def _score(instrument: Instrument, score: Score) -> list[str]:
    low, high = score_range(instrument, score)
    percent = f"{_number(score.mcid_pct.value)} %" if score.mcid_pct else ""
    better = {"higher-worse": "lower", "higher-better": "higher", "none": "–"}[score.direction]
    bands = ", ".join(f"{band.name} from {_number(band.from_)}" for band in score.bands)
    mcid = " or ".join(part for part in (_value(score.mcid_abs), percent) if part)
    cells = [score.name, f"{_number(low)}–{_number(high)}", better, bands, mcid, _value(score.mdc95), _value(score.sem)]
    return [cell or "–" for cell in cells]


def _sources(score: Score) -> Iterator[str]:
    yield score.source
    yield f"missing: {score.missing_source}"
    if score.bands_source:
        yield f"bands: {score.bands_source}"
    for name, number in (("MCID", score.mcid_abs), ("MCID in %", score.mcid_pct), ("MDC95", score.mdc95)):
        if number:
            yield f"{name}: {number.source}"
    if score.sem:
        yield f"SEM: {score.sem.source}"
    if score.loinc:
        yield f"LOINC {score.loinc}"


def _value(number: Sourced | None) -> str:
    return _number(number.value) if number else ""


def _number(value: Number) -> str:
    return f"{value:g}" if abs(value) < 1_000_000 else str(value)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
