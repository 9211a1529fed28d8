"""The templates hold together, are evidence-based, and can be prescribed as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.people.models import Patient
from exercises import templates as module
from exercises.consistency import CatalogueError
from exercises.library import library
from exercises.prescribing import check, prescribe
from exercises.templates import Template, read, templates
from tests.exercises.programmes import NOW
from tests.exercises.test_prescribing import has
from tests.factories import a_patient

EVERY = sorted(templates().values(), key=lambda each: each.slug)


def test_every_modality_has_one_and_so_have_fear_age_and_flares() -> None:
    assert {each.modality for each in EVERY} >= set(library().codes["en"].modalities)
    assert {"graded-exposure", "older-or-frail", "flare-week"} <= set(templates())


# The trial doses of the clinical reference, section 4: weeks, sessions a week.
TRIALS = {
    "yoga": (12, 1),
    "qigong": (12, 3),
    "pilates": (6, 2),
    "hiit": (12, 2),
    "motor-control": (8, 3),
    "eccentric": (6, 3),
    "mindfulness": (8, 5),
}


@pytest.mark.parametrize("slug", TRIALS)
def test_the_trial_dose_is_that_of_the_clinical_reference(slug: str) -> None:
    trial = templates()[slug].trial
    assert (trial.weeks, trial.sessions_per_week) == TRIALS[slug]


def test_where_fear_is_high_the_quota_leads() -> None:
    assert templates()["graded-exposure"].plan.mode == "quota"


def test_a_flare_week_is_never_nothing_and_asks_for_little() -> None:
    assert all(item.dose for item in templates()["flare-week"].plan.items)
    assert "acute-flare" not in {
        code
        for item in templates()["flare-week"].plan.items
        for code in library().exercises[item.exercise].contraindications
    }


def test_nothing_for_the_older_or_frail_is_hard_or_blocked_by_falls_or_thin_bones() -> None:
    for item in templates()["older-or-frail"].plan.items:
        exercise = library().exercises[item.exercise]
        assert exercise.modality != "hiit"
        assert exercise.level == 1
        assert not {"falls-risk", "osteoporosis"} & set(exercise.contraindications)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(module.FOLDER, tmp_path / "programmes"))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"cat-cow"', '"cow-cat"', "dangling-link"),
        ('"cat-cow"', '"bridge"', "other-modality"),
        ("weeks = 4 }", "weeks = 3 }", "weeks"),
        ("weekdays = [1, 3, 5]", "weekdays = [5, 3, 1]", "invalid"),
        ("sources =", "source =", "invalid"),
    ],
)
def test_a_damaged_template_is_named(folder: Path, old: str, new: str, code: str) -> None:
    file = folder / "yoga.toml"
    file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(CatalogueError) as caught:
        read(folder, library().exercises)
    assert {(problem.file, problem.code) for problem in caught.value.problems} == {("yoga.toml", code)}


@pytest.mark.django_db
@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.slug)
def test_each_can_be_prescribed_as_it_is(each: Template) -> None:
    patient: Patient = a_patient()
    blocks = check(patient, each.plan, NOW).blocks
    assert {block.code for block in blocks} == ({"clearance"} if each.slug == "hiit" else set())
    if not blocks:
        assert prescribe(patient, each.plan, by=None, now=NOW, template=each.slug).template == each.slug


@pytest.mark.django_db
def test_hiit_is_blocked_by_the_trials_exclusions() -> None:
    patient = a_patient()
    has(patient, "diabetes", "neurological-deficit")
    keys = {block.key for block in check(patient, templates()["hiit"].plan, NOW).blocks}
    assert keys == {
        "clearance:cycle-one-minute",
        "contraindication:cycle-one-minute:diabetes",
        "contraindication:cycle-one-minute:neurological-deficit",
        "contraindication:cycle-one-minute:radicular-pain",
    }
