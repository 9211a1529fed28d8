"""The worked examples in the instruments' own files."""

import pytest

from outcomes import library, scoring
from outcomes.instrument import Example, Instrument, score_range

EXAMPLES = [(instrument, example) for instrument in library.all_versions() for example in instrument.examples]


def answers_of(instrument: Instrument, example: Example) -> dict[str, object]:
    words = example.answers.split()
    return scoring.by_item(
        instrument, [None if word == "-" else float(word) if "." in word else int(word) for word in words]
    )


@pytest.mark.parametrize(
    ("instrument", "example"),
    EXAMPLES,
    ids=[f"{instrument.code}-{instrument.version}: {example.name}" for instrument, example in EXAMPLES],
)
def test_a_worked_example_comes_out_as_written(instrument: Instrument, example: Example) -> None:
    found = scoring.score(instrument, answers_of(instrument, example))
    assert found.scores == {name: None if value == "-" else value for name, value in example.scores.items()}
    assert {name: band for name, band in found.bands.items() if band} == example.bands
    assert found.flags == example.flags
    assert (found.status, found.missing) == (example.status, example.missing)


@pytest.mark.parametrize("instrument", library.all_versions(), ids=lambda instrument: instrument.code)
def test_examples_show_each_status_that_can_be(instrument: Instrument) -> None:
    shown = {example.status for example in instrument.examples}
    assert "complete" in shown
    assert "prorated" in shown or not any(score.max_missing for score in instrument.scores)


@pytest.mark.parametrize("instrument", library.all_versions(), ids=lambda instrument: instrument.code)
def test_the_lowest_and_the_highest_answers_stay_in_range(instrument: Instrument) -> None:
    for end in (0, 1):
        answers = {
            item.id: options.bounds[end]
            for item in instrument.items
            if not (options := instrument.option_set(item)).longest
        }
        for name, value in scoring.score(instrument, answers).scores.items():
            low, high = score_range(instrument, instrument.score(name))
            assert value is not None
            assert low <= value <= high
