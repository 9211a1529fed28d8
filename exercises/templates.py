"""Programme templates: evidence-based plans to start from, one data file each in `exercises/programmes`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from exercises.consistency import CatalogueError, Problem
from exercises.dose import Dose
from exercises.entry import Exercise, Strict, Text
from exercises.library import library, load
from exercises.plan import Item, Limits, Mode, Phase, Plan, Weekday

FOLDER = Path(__file__).parent / "programmes"


class Trial(Strict, frozen=True, kw_only=True):
    """The dose that was tried: weeks, sessions a week and minutes a session at home, and what else there was."""

    weeks: Annotated[int, Meta(ge=1, le=52)]
    sessions_per_week: Annotated[int, Meta(ge=1, le=7)]
    minutes: Annotated[int, Meta(ge=1, le=180)]
    text: Text


class Template(Strict, frozen=True, kw_only=True):
    """A plan to start from. `suits` tells the clinician for whom; `modality` is empty where several are mixed."""

    slug: str
    title: str
    suits: Text
    modality: str
    trial: Trial
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]
    plan: Plan


class _Item(Strict, frozen=True, kw_only=True):
    exercise: str
    dose: Dose | None = None
    note: str = ""


class _File(Strict, frozen=True, kw_only=True, rename={"suits": "for"}):
    title: Text
    suits: Text
    modality: str = ""
    trial: Trial
    sources: tuple[Text, ...]
    weekdays: tuple[Weekday, ...]
    mode: Mode
    items: tuple[_Item, ...]
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)]
    limits: Limits = Limits()


@cache
def templates() -> dict[str, Template]:
    """The templates shipped with the product, by slug. Raises CatalogueError."""
    return read(FOLDER, library().exercises)


def read(folder: Path, exercises: dict[str, Exercise]) -> dict[str, Template]:
    """The templates in `folder`, checked. Raises CatalogueError with file and entry."""
    found: list[Problem] = []
    templates = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            file = msgspec.convert(load(path, found), _File)
            template = _template(path.stem, file, exercises)
        except (msgspec.ValidationError, ValueError) as error:
            found.append(Problem(file=path.name, entry="-", code="invalid", detail=str(error)))
            continue
        except KeyError as error:
            found.append(Problem(file=path.name, entry=error.args[0], code="dangling-link", detail="no such exercise"))
            continue
        found += [Problem(file=path.name, entry="-", code=code, detail=detail) for code, detail in _wrong_in(template)]
        templates[path.stem] = template
    if found:
        raise CatalogueError(found)
    return templates


def _template(slug: str, file: _File, exercises: dict[str, Exercise]) -> Template:
    items = []
    for each in file.items:
        dose = each.dose or exercises[each.exercise].dose
        dose = msgspec.structs.replace(dose, sessions_per_week=len(file.weekdays))
        items.append(Item(exercise=each.exercise, dose=dose, note=each.note))
    plan = Plan(
        title=file.title,
        items=tuple(items),
        weekdays=file.weekdays,
        mode=file.mode,
        limits=file.limits,
        phases=file.phases,
    )
    values: dict[str, Any] = {name: getattr(file, name) for name in ("title", "suits", "modality", "trial", "sources")}
    return Template(slug=slug, plan=plan, **values)


def _wrong_in(template: Template) -> list[tuple[str, str]]:
    wrong = []
    if sum(phase.weeks for phase in template.plan.phases) != template.trial.weeks:
        wrong.append(("weeks", "the phases are not as long as the trial"))
    for item in template.plan.items:
        known = library().exercises.get(item.exercise)
        if known is None:
            wrong.append(("dangling-link", f"{item.exercise!r} is no exercise"))
        elif type(known.dose) is not type(item.dose):
            wrong.append(("other-dose", f"{item.exercise!r} has another kind of dose"))
        elif template.modality and known.modality != template.modality:
            wrong.append(("other-modality", f"{item.exercise!r} is of {known.modality}"))
    return wrong
