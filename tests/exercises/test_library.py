"""The shipped catalogue, and what a damaged one is told."""

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.checks import run_checks

from exercises import library as module
from exercises.consistency import CatalogueError
from exercises.dose import Intervals, Minutes, Sets, heart_rate_maximum
from exercises.entry import Exercise
from exercises.library import library, read

EVERY = sorted(library().exercises.values(), key=lambda each: each.slug)
Damage = Callable[[str, str, str], list[str]]


@pytest.fixture
def damage(tmp_path: Path) -> Damage:
    """Replaces some text in one file of a copy of the catalogue; returns what the check says then."""

    def do(file: str, old: str, new: str) -> list[str]:
        folder = tmp_path / "catalogue"
        shutil.copytree(module.FOLDER, folder)
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), "utf-8")
        with pytest.raises(CatalogueError) as caught:
            read(folder)
        return [f"{problem.file}: {problem.entry}: {problem.code}" for problem in caught.value.problems]

    return do


def test_the_shipped_catalogue_passes_the_system_check() -> None:
    assert [message for message in run_checks() if str(message.id).startswith("exercises.")] == []


def test_a_broken_catalogue_fails_the_system_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "codes.toml").write_text("[modalities]", "utf-8")
    library.cache_clear()
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    try:
        assert [message.obj for message in run_checks() if message.id == "exercises.invalid"] == ["codes.toml"]
    finally:
        library.cache_clear()


def test_a_dangling_link_is_named_with_file_and_entry(damage: Damage) -> None:
    assert damage("yoga.toml", 'to = "low-cobra"', 'to = "high-cobra"') == ["yoga.toml: sphinx: dangling-link"]


def test_a_missing_licence_is_named_for_each_entry(damage: Damage) -> None:
    found = damage("yoga.toml", 'licence = "CC0-1.0"', "")
    assert "yoga.toml: cat-cow: no-licence" in found
    assert len(found) == sum(each.modality == "yoga" for each in EVERY)


def test_an_unknown_licence_is_refused(damage: Damage) -> None:
    assert "yoga.toml: cat-cow: unknown-licence" in damage("yoga.toml", '"CC0-1.0"', '"all mine"')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"wrist-pain", "knee-pain"', '"wrist-pain", "sore-toe"'),
        ('position = "hands-and-knees"', 'position = "upside-down"'),
        ('equipment = ["mat"]', 'equipment = ["trapeze"]'),
        ('progression = { variable = "coordination" }', 'progression = { variable = "luck" }'),
    ],
)
def test_an_unknown_code_is_refused(damage: Damage, old: str, new: str) -> None:
    assert damage("yoga.toml", old, new) == ["yoga.toml: cat-cow: unknown-code"]


def test_a_loop_of_progressions_is_refused(damage: Damage) -> None:
    held = 'progression = { variable = "hold_seconds", by = 1, limit = 8 }'
    loop = damage("yoga.toml", held, 'progression = {to="sphinx"}')
    assert [problem.rpartition(" ")[2] for problem in loop] == ["loop"]


def test_two_entries_that_call_each_other_easier_are_a_loop(damage: Damage) -> None:
    found = damage(
        "yoga.toml",
        'regression = { variable = "range" }\nprogression = { to',
        'regression = { to = "cat-cow" }\nprogression = { to',
    )
    assert [problem.rpartition(" ")[2] for problem in found] == ["loop"]


def test_a_progression_to_a_lower_level_is_refused(damage: Damage) -> None:
    warrior = 'progression = { variable = "range" }\ncontraindications = []\nprecautions = ["balance-deficit"'
    found = damage("yoga.toml", warrior, warrior.replace('variable = "range"', 'to = "wall-dog"'))
    assert found == ["yoga.toml: warrior-2: wrong-way"]


def test_a_progression_changes_one_number_that_the_dose_has(damage: Damage) -> None:
    found = damage("yoga.toml", 'variable = "hold_seconds", by = 1', 'variable = "minutes", by = 1')
    assert found == ["yoga.toml: low-cobra: not-in-dose"]


def test_a_numeric_progression_says_by_how_much_and_how_far(damage: Damage) -> None:
    assert damage("yoga.toml", 'variable = "hold_seconds", by = 1, limit = 8', 'variable = "hold_seconds"') == [
        "yoga.toml: low-cobra: no-amount"
    ]


@pytest.mark.parametrize(
    "dose", ["sets = -3, breaths = 8", "sets = 2", "sets = 2, breaths = 8, reps = 8", "rounds = 3"]
)
def test_a_dose_that_makes_no_sense_is_refused(damage: Damage, dose: str) -> None:
    assert damage("yoga.toml", "sets = 2, breaths = 8", dose) == ["yoga.toml: cat-cow: invalid"]


def test_an_entry_without_a_stop_text_is_refused(damage: Damage) -> None:
    assert damage("yoga.toml", "\nstop = ", "\nstopp = ") == ["yoga.toml: seated-cat-cow: invalid"]


def test_a_file_that_is_no_toml_is_named(damage: Damage) -> None:
    assert "yoga.toml: -: unreadable" in damage("yoga.toml", "rpe = [2, 4]", "rpe = [2, 4")


def test_a_slug_used_twice_is_refused(damage: Damage) -> None:
    assert "yoga.toml: bridge: duplicate" in damage("yoga.toml", 'slug = "bridge-pose"', 'slug = "bridge"')


def test_a_second_language_is_only_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(module.FOLDER, folder)
    texts = "\n".join(
        f'[{each.slug}]\nname = "X {each.slug}"\npurpose = "x"\nstart = "x"\nsteps = ["x", "y"]\nbreathing = "x"\n'
        'feel = "x"\nstop = "x"\neasier = "x"\nharder = "x"'
        for each in EVERY
        if each.modality == "yoga"
    )
    (folder / "yoga.de.toml").write_text(texts, "utf-8")
    cat_cow = read(folder).exercises["cat-cow"]
    assert cat_cow.words_in("de").name == "X cat-cow"
    assert cat_cow.words_in("fr").name == "Cat-cow"


def test_a_translation_that_leaves_an_entry_out_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(module.FOLDER, folder)
    (folder / "yoga.de.toml").write_text("", "utf-8")
    with pytest.raises(CatalogueError, match=r"yoga\.de\.toml: cat-cow: missing or unknown entry"):
        read(folder)


def test_whoever_has_one_condition_has_what_it_implies() -> None:
    assert library().with_implied(frozenset({"late-pregnancy"})) == {"late-pregnancy", "pregnancy"}


@pytest.mark.parametrize(
    ("media", "code"),
    [
        ('{ file = "a.png", licence = "", author = "A", alternative_text = "A." }', "no-licence"),
        ('{ file = "a.png", licence = "found", author = "A", alternative_text = "A." }', "unknown-licence"),
        ('{ file = "a.png", licence = "CC0-1.0", author = "A", alternative_text = "A." }', "no-file"),
        ('{ file = "a.png", author = "A", alternative_text = "A." }', "invalid"),
        ('{ file = "a.png", licence = "CC0-1.0", author = "A", alternative_text = "" }', "invalid"),
        ('{ file = "../a.png", licence = "CC0-1.0", author = "A", alternative_text = "A." }', "invalid"),
    ],
)
def test_a_picture_says_whose_it_is_and_what_it_shows(damage: Damage, media: str, code: str) -> None:
    found = damage("yoga.toml", 'slug = "cat-cow"\n', f'slug = "cat-cow"\nmedia = [{media}]\n')
    assert f"yoga.toml: cat-cow: {code}" in found


def test_a_picture_is_what_its_name_says(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(module.FOLDER, folder)
    (folder / "media").mkdir()
    (folder / "media" / "a.png").write_bytes(b"\xff\xd8\xff and so on")
    yoga = folder / "yoga.toml"
    named = 'media = [{ file = "a.png", licence = "CC0-1.0", author = "A", alternative_text = "A." }]'
    yoga.write_text(yoga.read_text("utf-8").replace('slug = "cat-cow"\n', f'slug = "cat-cow"\n{named}\n'), "utf-8")
    with pytest.raises(CatalogueError, match=r"yoga\.toml: cat-cow: .*not what its name says"):
        read(folder)


def test_every_modality_has_at_least_ten_exercises() -> None:
    counts = Counter(each.modality for each in EVERY)
    assert set(counts) == set(library().codes["en"].modalities)
    assert min(counts.values()) >= 10, counts


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.slug)
def test_the_words_are_for_patients(each: Exercise) -> None:
    words = each.words_in("en")
    text = " ".join([words.name, words.purpose, words.start, *words.steps, words.breathing, words.feel, words.stop])
    assert not re.search(r"centrifugal|your brain (has )?chang|cure|damage", text, re.IGNORECASE)
    assert words.purpose.endswith(".")
    assert words.purpose.count(". ") == 0, "the purpose is one sentence"


def test_the_hypothesised_targets_are_called_so() -> None:
    assert all(text.startswith("Hypothesis: ") for text in library().codes["en"].targets.values())


def test_the_highest_heart_rate_follows_tanaka() -> None:
    assert heart_rate_maximum(40) == 180


HIIT = [each for each in EVERY if each.modality == "hiit"]


@pytest.mark.parametrize("each", HIIT, ids=lambda each: each.slug)
def test_hiit_asks_for_clearance_and_carries_the_trials_exclusions(each: Exercise) -> None:
    assert each.clearance
    assert {
        *("neurological-deficit", "radicular-pain", "recent-spinal-surgery", "pregnancy"),
        *("diabetes", "rheumatoid-arthritis", "acute-flare"),
    } <= set(each.contraindications)
    assert "beta-blocker" in each.precautions


@pytest.mark.parametrize("each", HIIT, ids=lambda each: each.slug)
def test_hiit_works_hard_and_rests_easy(each: Exercise) -> None:
    dose = each.dose
    assert isinstance(dose, Intervals)
    assert dose.work_rpe == (7, 9)
    assert dose.rest_rpe == (2, 3)
    assert dose.work_heart_rate in {(85, 95), (85, 90)}


# Doses and levels of the clinical reference, section 4, as they were when the catalogue was checked against it.
DOSES = {
    "childs-pose": (1, {"sets": 2, "breaths": 5}),
    "bridge-pose": (2, {"sets": 2, "reps": 8, "hold_seconds": 3}),
    "dead-bug": (2, {"sets": 3, "reps": 6, "each_side": True}),
    "modified-curl-up": (2, {"sets": 3, "reps": 6, "hold_seconds": 8}),
    "drawing-in": (1, {"sets": 10, "seconds": 10}),
    "cycle-one-minute": (2, {"work_seconds": 60, "rest_seconds": 60, "rounds": 5, "sessions_per_week": 2}),
    "cross-trainer-four-minutes": (3, {"work_seconds": 240, "rest_seconds": 180, "rounds": 4, "sessions_per_week": 2}),
    "interval-walking": (1, {"work_seconds": 180, "rest_seconds": 180, "rounds": 5, "sessions_per_week": 3}),
    "thirty-minute-walk": (2, {"minutes": 30, "sessions_per_week": 5}),
    "slow-sit-down": (1, {"sets": 3, "reps": 8, "lowering_seconds": 3, "sessions_per_week": 3}),
    "modified-hundred": (2, {"sets": 5, "reps": 5}),
    "paced-breathing": (1, {"minutes": 5, "sessions_per_week": 7}),
    "drawing-the-bow": (2, {"sets": 1, "reps": 6, "each_side": True}),
}


@pytest.mark.parametrize("slug", DOSES)
def test_level_and_dose_are_those_of_the_clinical_reference(slug: str) -> None:
    level, dose = DOSES[slug]
    each = library().exercises[slug]
    assert each.level == level
    assert {name: getattr(each.dose, name) for name in dose} == dose


RPE = {
    "yoga": (2, 4),
    "qigong": (2, 3),
    "pilates": (3, 5),
    "hiit": (7, 9),
    "aerobic": (3, 5),
    "motor-control": (2, 4),
    "eccentric": (4, 7),
    "mindfulness": (0, 1),
}


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.slug)
def test_effort_is_that_of_the_modality_in_the_clinical_reference(each: Exercise) -> None:
    assert each.rpe == RPE[each.modality]


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.slug)
def test_aerobic_work_stays_between_50_and_70_percent_and_has_its_met(each: Exercise) -> None:
    if each.modality == "aerobic" and isinstance(each.dose, Minutes):
        assert each.dose.heart_rate == (50, 70)
    if each.modality in {"aerobic", "hiit"}:
        assert each.met in {3.3, 4.0, 8.0}, "walking, moderate, vigorous: the weights of the IPAQ"


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.slug)
def test_eccentric_work_is_lowered_slowly(each: Exercise) -> None:
    if each.modality == "eccentric" and isinstance(each.dose, Sets):
        assert each.dose.lowering_seconds in {3, 4, 5}


@pytest.mark.parametrize(
    ("slug", "condition"),
    [
        ("modified-curl-up", "osteoporosis"),
        ("hands-reach-to-feet", "osteoporosis"),
        ("slow-lean-back", "osteoporosis"),
        ("supine-twist", "recent-spinal-fusion"),
        ("legs-up-the-wall", "glaucoma"),
        ("pool-running", "open-wound"),
        ("bridge-pose", "uncontrolled-hypertension"),
        ("sphinx", "late-pregnancy"),
        ("back-extension-lowering", "acute-flare"),
    ],
)
def test_what_must_not_be_prescribed_lightly_blocks(slug: str, condition: str) -> None:
    assert condition in library().exercises[slug].contraindications
