"""What must hold in an instrument file beyond its shape: `flaws` names each field that is wrong, and why."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from outcomes.instrument import Instrument, Item, OptionSet, Score, Text, possible, score_range


class Flaw(NamedTuple):
    """`field` is a path into the file such as `scores.total.bands`."""

    field: str
    why: str


def flaws(instrument: Instrument) -> list[Flaw]:
    """All that is wrong with an instrument; empty if it can be scored."""
    # Each step relies on the one before: what dangles can't be added up, what can't be added up has no range.
    for step in (_names, _forms, _ranges):
        if found := list(step(instrument)):
            return found
    return []


def text_flaws(text: Text, instrument: Instrument) -> list[Flaw]:
    """What keeps a text from being shown: each item and each listed answer has words, nothing else has."""
    items = {item.id for item in instrument.items}
    found = [Flaw(f"items.{item_id}", "has no text") for item_id in sorted(items - text.items.keys())]
    found += [Flaw(f"items.{item_id}", "is no item") for item_id in sorted(text.items.keys() - items)]
    sets = {options.name: options for options in instrument.options}
    found += [Flaw(f"options.{name}", "are no options") for name in sorted(text.options.keys() - sets.keys())]
    for name, options in sets.items():
        labels = text.options.get(name, {}).keys()
        known = set() if options.longest else {str(value) for value in _listed(options) or options.bounds}
        found += [Flaw(f"options.{name}.{value}", "is no answer") for value in sorted(labels - known)]
        if options.values:
            found += [Flaw(f"options.{name}.{value}", "has no label") for value in sorted(known - labels)]
    if (text.code, text.version) != (instrument.code, instrument.version):
        found.append(Flaw("code", f"is not that of {instrument.code} version {instrument.version}"))
    return found


def _listed(options: OptionSet) -> list[int]:
    return [option.value for option in options.values]


def _names(instrument: Instrument) -> Iterator[Flaw]:
    """Everything that is named exists, once."""
    if instrument.texts:
        yield Flaw("texts", "belong in files of their own")
    yield from _unique("items", [item.id for item in instrument.items])
    yield from _unique("options", [options.name for options in instrument.options])
    yield from _unique("scores", [score.name for score in instrument.scores] + [rule.name for rule in instrument.rules])
    for options in instrument.options:
        yield from _range(options)
    for field, names, known in _references(instrument):
        for name in names:
            if name is not None and name not in known:
                yield Flaw(field, f"names {name}, which is not there")
    for unused in {options.name for options in instrument.options} - {item.options for item in instrument.items}:
        yield Flaw(f"options.{unused}", "is not used")


def _references(instrument: Instrument) -> Iterator[tuple[str, Iterable[str | None], Collection[str]]]:
    """Where one part of a file names another: the field, what it names, and what there is."""
    items, scores = [item.id for item in instrument.items], [score.name for score in instrument.scores]
    texts = {options.name for options in instrument.options if options.longest}
    numbers = [item.id for item in instrument.items if item.options not in texts]
    for item in instrument.items:
        yield f"items.{item.id}.options", [item.options], [options.name for options in instrument.options]
        yield f"items.{item.id}.only_if", [item.only_if], numbers
    for n, score in enumerate(instrument.scores):
        yield f"scores.{score.name}.items", score.items, numbers
        yield f"scores.{score.name}.terms", [item_id for term in score.terms for item_id in term.items], numbers
        yield f"scores.{score.name}.of", [score.of], scores[:n]
    for rule in instrument.rules:
        yield f"rules.{rule.name}", [case.score for case in rule.cases], scores
    for flag in instrument.flags:
        yield f"flags.{flag.name}", [*flag.any, *flag.all, *flag.unanswered], numbers
    for follow in instrument.follow_up:
        yield "follow_up.score", [follow.score], scores
    yield "safety_item", [instrument.safety_item], items


def _unique(field: str, names: Iterable[str]) -> Iterator[Flaw]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Flaw(f"{field}.{name}", "is there twice")


def _forms(instrument: Instrument) -> Iterator[Flaw]:
    """Each part has what its kind needs, and a source."""
    for item in instrument.items:
        yield from _item(item, instrument.option_set(item))
    for score in instrument.scores:
        yield from _formula(score)
    for rule in instrument.rules:
        if [case.score is None for case in rule.cases] != [False] * (len(rule.cases) - 1) + [True]:
            yield Flaw(f"rules.{rule.name}", "needs one last case without a score")
    for flag in instrument.flags:
        if bool(flag.any) + bool(flag.all) + bool(flag.unanswered) != 1:
            yield Flaw(f"flags.{flag.name}", "needs one of any, all, unanswered")
    if not instrument.examples:
        yield Flaw("examples", "are missing")
    if _coded(instrument) and not instrument.loinc_source:
        yield Flaw("loinc_source", "is missing")


def _item(item: Item, options: OptionSet) -> Iterator[Flaw]:
    if item.reverse and options.decimals:
        yield Flaw(f"items.{item.id}.reverse", "needs whole-numbered answers")
    if options.longest and not item.optional:
        yield Flaw(f"items.{item.id}.optional", "must be true: text is never missing")


def _ranges(instrument: Instrument) -> Iterator[Flaw]:
    """Tables and bands cover what a score can be."""
    for score in instrument.scores:
        yield from _table(score, instrument)
        yield from _bands(score, instrument)


def _range(options: OptionSet) -> Iterator[Flaw]:
    field = f"options.{options.name}"
    if bool(options.values) + bool(options.range) + bool(options.longest) != 1:
        yield Flaw(field, "needs one of values, range, longest")
    elif not options.longest and options.bounds[0] >= options.bounds[1]:
        yield Flaw(field, "leaves nothing to choose")
    yield from _unique(f"{field}.values", map(str, _listed(options)))


def _formula(score: Score) -> Iterator[Flaw]:
    field = f"scores.{score.name}"
    needs = {"products": "terms", "lookup": "of"}.get(score.form, "items")
    for part in ("items", "terms", "of"):
        if bool(getattr(score, part)) != (part == needs):
            yield Flaw(f"{field}.{part}", f"{'is needed' if part == needs else 'has no place'} in a {score.form}")
    yield from _unique(f"{field}.items", score.items)
    if score.form not in {"sum", "mean", "percent"} and (score.max_missing or score.blank is not None):
        yield Flaw(f"{field}.max_missing", f"has no place in a {score.form}")
    if score.items and not 0 <= score.max_missing < len(score.items):
        yield Flaw(f"{field}.max_missing", "must leave an item")
    if score.bands and not score.bands_source:
        yield Flaw(f"{field}.bands_source", "is missing")
    if score.form != "lookup":
        if score.table or score.clinic_table or score.range:
            yield Flaw(f"{field}.table", "has its place in a lookup only")
    elif not bool(score.table) == (not score.clinic_table) == (not score.range):
        yield Flaw(f"{field}.table", "is needed, or clinic_table with a range")


def _table(score: Score, instrument: Instrument) -> Iterator[Flaw]:
    if score.of and score.table:
        raws = list(possible(instrument, instrument.score(score.of)))
        if [raw for raw, _ in score.table] != raws:
            yield Flaw(f"scores.{score.name}.table", f"must have each of {raws[0]} to {raws[-1]} in order")


def _bands(score: Score, instrument: Instrument) -> Iterator[Flaw]:
    if not score.bands:
        return
    field = f"scores.{score.name}.bands"
    low, high = score_range(instrument, score)
    if score.bands[0].from_ > low or score.bands[-1].below <= high:
        yield Flaw(field, f"don't reach from {low} to {high}")
    for band in score.bands:
        if band.from_ >= band.below:
            yield Flaw(f"{field}.{band.name}", "is empty")
    for before, after in zip(score.bands, score.bands[1:], strict=False):
        if before.below != after.from_:
            overlap = "overlaps" if before.below > after.from_ else "leaves a gap after"
            yield Flaw(f"{field}.{after.name}", f"{overlap} {before.name}")
    yield from _unique(field, [band.name for band in score.bands])


def _coded(instrument: Instrument) -> bool:
    codes = (
        {instrument.loinc} | {item.loinc for item in instrument.items} | {score.loinc for score in instrument.scores}
    )
    return codes | {option.loinc for options in instrument.options for option in options.values} != {None}
