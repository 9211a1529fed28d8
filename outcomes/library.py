"""Where instruments are found: loads the data files once, refuses an unsound one by file and field, and looks them up.

`instruments/CODE.toml` is the newest version, `instruments/superseded/CODE.VERSION.toml` are older ones: answers given
under them stay valid. Words are in files beside them, `text/CODE.LANGUAGE.toml` and `text/CODE.VERSION.LANGUAGE.toml`.
`instruments/published.toml` holds a digest of every published file: a published version never changes.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from outcomes.instrument import Direction, Instrument, Sourced, Text, score_range
from outcomes.soundness import Flaw, flaws, text_flaws

FOLDER = Path(__file__).parent / "instruments"


class UnsoundFileError(ValueError):
    """A data file that can't be used: which one, and each field that is wrong."""

    def __init__(self, file: str, wrong: list[Flaw]) -> None:
        super().__init__("\n".join(f"{file}: {flaw.field}: {flaw.why}" for flaw in wrong))
        self.file = file
        self.flaws = tuple(wrong)


class UnknownInstrumentError(LookupError):
    """No instrument of this code, or no such version of it."""


class Measure(msgspec.Struct, frozen=True):
    """A quantity that can be followed over time: one score of one instrument, or what another part adds.

    `mcid_abs`, `mdc95` and `sem` are in the score's own units, `mcid_pct` in per cent of the person's earlier score.
    """

    code: str
    title: str
    kind: Literal["daily", "questionnaire"]
    direction: Direction
    min: float
    max: float
    mcid_abs: float | None = None
    mcid_pct: float | None = None
    mdc95: float | None = None
    sem: float | None = None
    day_turns_at_four: bool = False


def get(code: str, version: str | None = None) -> Instrument:
    """The instrument, in its newest version unless another is named. Raises UnknownInstrumentError."""
    versions = _library().get(code)
    if versions is None:
        raise UnknownInstrumentError(f"There is no instrument {code[:80]!r}.")
    if version is None:
        return next(reversed(versions.values()))
    if version not in versions:
        raise UnknownInstrumentError(f"{code} has no version {version[:80]!r}; it has {', '.join(versions)}.")
    return versions[version]


def newest() -> list[Instrument]:
    """The newest version of every instrument, by code."""
    return [next(reversed(versions.values())) for versions in _library().values()]


def all_versions() -> list[Instrument]:
    """Every version of every instrument, by code, oldest first."""
    return [instrument for versions in _library().values() for instrument in versions.values()]


_added: dict[str, Measure] = {}


def add_measures(*measures_of_a_room: Measure) -> None:
    """Let another room's quantities be followed like scores. Called while the apps start."""
    _added.update((measure.code, measure) for measure in measures_of_a_room)
    measures.cache_clear()


@cache
def measures() -> dict[str, Measure]:
    """What can be followed over time, by code such as `phq-9.total`; thresholds are those of the newest version."""
    found = dict(_added)
    for instrument in newest():
        for score in instrument.scores:
            if not score.trend:
                continue
            low, high = score_range(instrument, score)
            title = f"{instrument.title}: {score.title or score.name}"
            found[f"{instrument.code}.{score.name}"] = Measure(
                code=f"{instrument.code}.{score.name}",
                title=instrument.title if len(instrument.scores) == 1 else title,
                kind=instrument.cadence,
                direction=score.direction,
                min=low,
                max=high,
                mcid_abs=_value(score.mcid_abs),
                mcid_pct=_value(score.mcid_pct),
                mdc95=_value(score.mdc95),
                sem=_value(score.sem),
                day_turns_at_four=instrument.day_turns_at_four,
            )
    return found


def _value(number: Sourced | None) -> float | None:
    return number.value if number else None


def read_instrument(file: Path) -> Instrument:
    """One instrument file, without its texts. Raises UnsoundFileError."""
    instrument = _decoded(file, Instrument)
    if found := flaws(instrument):
        raise UnsoundFileError(file.name, found)
    return instrument


def read_text(file: Path, instrument: Instrument) -> Text:
    """The words of an instrument in one language: ours, or a clinic's licensed pack. Raises UnsoundFileError."""
    text = _decoded(file, Text)
    if found := text_flaws(text, instrument):
        raise UnsoundFileError(file.name, found)
    return text


def load(folder: Path) -> dict[str, dict[str, Instrument]]:
    """All instruments of a folder: code → version → instrument, oldest version first. Raises UnsoundFileError."""
    found: dict[tuple[str, int], Instrument] = {}
    newest_files: dict[str, str] = {}
    texts = set(folder.rglob("text/*.toml"))
    for file in instrument_files(folder):
        instrument = read_instrument(file)
        name = f"{instrument.code}.{instrument.version}"
        if file.parent == folder:
            name = instrument.code
            newest_files[name] = instrument.version
        if file.stem != name:
            raise UnsoundFileError(file.name, [Flaw("code", f"and version belong in a file {name}.toml")])
        own = sorted(path for path in texts if path.parent == file.parent / "text" and path.name.startswith(f"{name}."))
        texts.difference_update(own)
        words = {text.language: text for text in (_own_text(path, file, instrument) for path in own)}
        found[instrument.code, int(instrument.version)] = msgspec.structs.replace(instrument, texts=words)
    for orphan in sorted(texts):
        raise UnsoundFileError(orphan.name, [Flaw("code", "has no instrument file")])
    library: dict[str, dict[str, Instrument]] = {}
    for (code, version), instrument in sorted(found.items()):
        library.setdefault(code, {})[str(version)] = instrument
    for code, versions in library.items():
        if newest_files.get(code) != next(reversed(versions)):
            raise UnsoundFileError(f"{code}.toml", [Flaw("version", "must be the newest of the instrument")])
    return library


def instrument_files(folder: Path) -> list[Path]:
    """The instrument files of a folder, newest versions first, without texts and digests."""
    current = [path for path in sorted(folder.glob("*.toml")) if path.name != "published.toml"]
    return current + sorted(folder.glob("superseded/*.toml"))


def _own_text(path: Path, file: Path, instrument: Instrument) -> Text:
    if instrument.ship == "meta":
        raise UnsoundFileError(path.name, [Flaw("items", f"the licence of {instrument.code} allows no text here")])
    text = read_text(path, instrument)
    if path.name != f"{file.stem}.{text.language}.toml":
        raise UnsoundFileError(path.name, [Flaw("language", "is not that of the file's name")])
    return text


def _decoded[T](file: Path, kind: type[T]) -> T:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=kind)
    except msgspec.ValidationError as error:
        why, _, field = str(error).partition(" - at ")
        raise UnsoundFileError(file.name, [Flaw(field.strip("`").removeprefix("$.") or "file", why)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnsoundFileError(file.name, [Flaw("file", f"is no TOML: {error}")]) from error


@cache
def _library() -> dict[str, dict[str, Instrument]]:
    return load(FOLDER)
