"""The worked examples in the instruments' own files."""

import pytest

from outcomes import library, scoring
from outcomes.instrument import Example, Instrument

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
