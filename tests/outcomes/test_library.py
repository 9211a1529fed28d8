import re
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from outcomes import library, publishing
from outcomes.checks import instruments_are_sound_and_unchanged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the instruments, to spoil."""
    return Path(shutil.copytree(library.FOLDER, tmp_path / "instruments"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def refusal(folder: Path) -> str:
    with pytest.raises(library.UnsoundFileError) as caught:
        library.load(folder)
    return str(caught.value)


def test_the_newest_version_comes_without_asking() -> None:
    assert library.get("phq-9") is library.get("phq-9", "1")


@pytest.mark.parametrize(
    ("code", "version"), [("phq-10", None), ("phq-9", "0"), ("phq-9", "latest"), ("../phq-9", None)]
)
def test_what_was_never_published_is_unknown(code: str, version: str | None) -> None:
    with pytest.raises(library.UnknownInstrumentError, match=re.escape(version or code)):
        library.get(code, version)


def test_a_superseded_version_stays_loadable_with_its_text(folder: Path) -> None:
    shutil.copy(folder / "phq-9.toml", folder / "superseded" / "phq-9.1.toml")
    (folder / "superseded" / "text").mkdir(exist_ok=True)
    shutil.copy(folder / "text" / "phq-9.en.toml", folder / "superseded" / "text" / "phq-9.1.en.toml")
    change(folder / "phq-9.toml", 'version = "1"', 'version = "10"')
    change(folder / "text" / "phq-9.en.toml", 'version = "1"', 'version = "10"')
    versions = library.load(folder)["phq-9"]
    assert list(versions) == ["1", "10"]
    assert [instrument.languages for instrument in versions.values()] == [("en",), ("en",)]


def test_a_second_language_is_only_a_file(folder: Path) -> None:
    text = (folder / "text" / "nrs-pain.en.toml").read_text()
    (folder / "text" / "nrs-pain.de.toml").write_text(text.replace('language = "en"', 'language = "de"'))
    assert library.load(folder)["nrs-pain"]["1"].languages == ("de", "en")


EXPECTED = """
    nrs-pain vas-pain peg bpi-sf tsk-17 tsk-11 fabq phq-2 phq-9 phq-8 gad-2 gad-7 pcs pcs-4 pseq pseq-2
    rmdq-24 odi psfs ears siras isi eq-5d-5l start-back whodas-12 ompsq-sf ipaq-sf session-rpe pgic fear-daily
    daily-diary red-flag-screen promis-pain-interference-4a promis-physical-function-4a promis-depression-4a
    promis-anxiety-4a promis-fatigue-4a promis-sleep-disturbance-4a promis-social-roles-4a
    promis-cognitive-function-4a work-items
"""


def test_every_instrument_of_the_reference_is_there_with_worked_examples_and_sources() -> None:
    found = {each.code: each for each in library.newest()}
    assert set(EXPECTED.split()) == set(found)
    assert all(each.examples and each.source and all(score.source for score in each.scores) for each in found.values())


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("bpi-sf", ["severity", "interference"]),
        ("pcs", ["total", "rumination", "magnification", "helplessness"]),
        ("fabq", ["physical-activity", "work"]),
        ("start-back", ["total", "psychosocial"]),
        ("promis-depression-4a", ["raw", "t-score"]),
        ("eq-5d-5l", ["profile", "vas", "index"]),
        ("tsk-17", ["total"]),
    ],
)
def test_scores_have_the_names_that_others_rely_on(code: str, names: list[str]) -> None:
    assert [score.name for score in library.get(code).scores] == names
    assert [rule.name for rule in library.get(code).rules] == (["risk"] if code == "start-back" else [])


def test_no_instrument_has_text_that_its_licence_forbids() -> None:
    for instrument in library.all_versions():
        assert bool(instrument.texts) == (instrument.ship == "full"), instrument.code


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("phq-2.toml", 'items = ["1", "2"]', 'items = ["1", "3"]', "scores.total.items: names 3, which is not there"),
        ("phq-2.toml", 'id = "2"', 'id = "1"', "items.1: is there twice"),
        ("phq-2.toml", 'id = "2"', 'id = "Zwei"', "items[1].id: Expected `str` matching"),
        ("phq-2.toml", "below = 3", "below = 4", "scores.total.bands.positive: overlaps negative"),
        ("phq-2.toml", "below = 3", "below = 2", "scores.total.bands.positive: leaves a gap after negative"),
        ("phq-2.toml", "below = 7", "below = 6", "scores.total.bands: don't reach from 0 to 6"),
        ("phq-2.toml", "bands_source = ", "# ", "scores.total.bands_source: is missing"),
        ("phq-2.toml", "missing_source = ", "# ", "scores[0]: Object missing required field `missing_source`"),
        ("phq-2.toml", "loinc_source = ", "# ", "loinc_source: is missing"),
        ("phq-2.toml", 'form = "sum"', 'form = "sum"\nmax_missing = 2', "scores.total.max_missing: must leave an item"),
        ("phq-2.toml", 'form = "sum"', 'form = "median"', "scores[0].form: Invalid enum value 'median'"),
        ("phq-2.toml", 'form = "sum"', 'form = "lookup"', "scores.total.of: is needed in a lookup"),
        ("phq-2.toml", 'options = "frequency"', 'options = "often"', "items.1.options: names often"),
        ("phq-2.toml", "{ value = 0,", "{ value = 3,", "options.frequency.values.3: is there twice"),
        ("phq-2.toml", 'id = "2",', 'id = "2", text = "words",', "items[1]: Object contains unknown field `text`"),
        ("phq-2.toml", 'version = "1"', 'version = "1.0"', "version: Expected `str` matching"),
        ("phq-2.toml", 'code = "phq-2"', 'code = "phq-3"', "code: and version belong in a file phq-3.toml"),
        ("phq-2.toml", 'score = "total"', 'score = "sum"', "follow_up.score: names sum"),
        ("phq-2.toml", "[[examples]]", "[[", "file: is no TOML"),
        ("phq-9.toml", 'any = ["9"]', 'any = ["ninth"]', "flags.item-9-positive: names ninth"),
        ("phq-9.toml", 'any = ["9"]', 'any = ["9"]\nall = ["9"]', "flags.item-9-positive: needs one of"),
        ("phq-9.toml", 'safety_item = "9"', 'safety_item = "11"', "safety_item: names 11"),
        ("tsk-11.toml", "value = 2.54", "value = 0", "scores[0].sem.value: Expected `float` > 0.0"),
        ("tsk-11.toml", ', source = "2.77 × SEM 2.54; 16 % of 44, as Dupuis 2023 found"', "", "`source`"),
        ("text/phq-2.en.toml", "1 = ", "7 = ", "items.1: has no text"),
        ("text/phq-2.en.toml", "0 = ", "7 = ", "options.frequency.7: is no answer"),
        ("text/phq-2.en.toml", 'version = "1"', 'version = "2"', "code: is not that of phq-2 version 1"),
        ("text/phq-2.en.toml", 'language = "en"', 'language = "de"', "language: is not that of the file's name"),
        ("text/phq-2.en.toml", "licence = ", "#", "Object missing required field `licence`"),
    ],
)
def test_a_spoilt_file_is_refused_by_file_and_field(folder: Path, file: str, old: str, new: str, says: str) -> None:
    change(folder / file, old, new)
    said = refusal(folder)
    assert said.startswith(Path(file).name + ": ")
    assert says in said


def test_text_of_a_licensed_instrument_is_refused(folder: Path) -> None:
    text = (folder / "text" / "nrs-pain.en.toml").read_text().replace("nrs-pain", "tsk-11")
    (folder / "text" / "tsk-11.en.toml").write_text(text)
    assert refusal(folder) == "tsk-11.en.toml: items: the licence of tsk-11 allows no text here"


def test_text_without_an_instrument_is_refused(folder: Path) -> None:
    (folder / "nrs-pain.toml").unlink()
    assert refusal(folder) == "nrs-pain.en.toml: code: has no instrument file"


def test_the_current_file_must_hold_the_newest_version(folder: Path) -> None:
    text = (folder / "tsk-11.toml").read_text().replace('version = "1"', 'version = "2"')
    (folder / "superseded" / "tsk-11.2.toml").write_text(text)
    assert refusal(folder) == "tsk-11.toml: version: must be the newest of the instrument"


def test_every_published_file_is_as_it_was_published() -> None:
    assert instruments_are_sound_and_unchanged() == []


def test_a_changed_file_under_the_same_version_is_named(folder: Path) -> None:
    change(folder / "phq-9.toml", "below = 10", "below = 11")
    change(folder / "text" / "phq-2.en.toml", "Nearly every day", "Daily")
    assert [sentence.split(":")[0] for sentence in publishing.changed(folder)] == ["phq-2.en.toml", "phq-9.toml"]


def test_a_published_file_may_not_vanish(folder: Path) -> None:
    (folder / "tsk-11.toml").unlink()
    [sentence] = publishing.changed(folder)
    assert sentence.startswith("tsk-11 1: its file is gone")


def test_line_ends_of_a_checkout_change_nothing(folder: Path) -> None:
    file = folder / "phq-9.toml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert publishing.changed(folder) == []


def test_publishing_adds_what_is_new_and_never_repairs_what_changed(folder: Path) -> None:
    change(folder / "phq-9.toml", "below = 10", "below = 11")
    shutil.copy(folder / "text" / "nrs-pain.en.toml", folder / "text" / "nrs-pain.de.toml")
    change(folder / "text" / "nrs-pain.de.toml", '"en"', '"de"')
    before = publishing.published(folder)
    assert publishing.publish(folder) == ["nrs-pain 1 de"]
    after = publishing.published(folder)
    assert {name: after[name] for name in before} == before
    assert [sentence.split(":")[0] for sentence in publishing.changed(folder)] == ["phq-9.toml"]


def test_each_score_is_a_measure() -> None:
    measures = library.measures()
    assert [code for code in measures if code.startswith("daily-diary.")] == [
        f"daily-diary.{name}"
        for name in ("pain-now", "pain-average", "pain-worst", "fear", "mood", "sleep", "work", "flare")
    ]
    assert measures["tsk-11.total"] == library.Measure(
        code="tsk-11.total",
        title="Tampa Scale for Kinesiophobia, 11 items (TSK-11)",
        kind="questionnaire",
        direction="higher-worse",
        min=11,
        max=44,
        mcid_abs=4,
        mdc95=7.0,
        sem=2.54,
    )
    assert measures["nrs-pain.total"].kind == "daily"
    assert measures["nrs-pain.total"].day_turns_at_four


def test_a_smallest_detectable_change_is_2_77_standard_errors() -> None:
    for code, measure in library.measures().items():
        if measure.sem and measure.mdc95:
            assert measure.mdc95 == pytest.approx(2.77 * measure.sem, abs=0.06), code


@pytest.mark.parametrize("command", [("score", "phq-9"), ("trend", "phq-9"), ("instruments_page",)])
def test_a_command_says_which_file_and_entry_is_unsound(
    command: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(folder / "text" / "phq-9.en.toml", '\n9 = "', '\n10 = "')
    monkeypatch.setattr(library, "FOLDER", folder)
    kept = (library._library, library.measures)
    for each in kept:
        each.cache_clear()
    try:
        with pytest.raises(CommandError, match=r"phq-9\.en\.toml: items\.(9|10): "):
            call_command(*command)
    finally:
        for each in kept:
            each.cache_clear()
