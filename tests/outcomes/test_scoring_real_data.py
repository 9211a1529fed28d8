"""Real forms, where they lie beside the project."""

import csv
from collections import Counter

from outcomes import library, scoring
from tests.outcomes.series import real_data


def test_nhanes_depression_scores_are_those_of_the_survey() -> None:
    """5,533 people; 7 (refused) and 9 (don't know) are no answers; 64 with a positive item 9 score below 10."""
    phq9 = library.get("phq-9")
    seen: Counter[str] = Counter()
    with real_data("nhanes/DPQ_J.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            coded = [row[f"DPQ0{n}0"] for n in range(1, 10)]
            found = scoring.score(
                phq9, scoring.by_item(phq9, [None if code in ("", "7.0", "9.0") else float(code) for code in coded])
            )
            total = found.scores["total"]
            seen.update([found.status, *found.flags])
            seen["ten or more"] += total is not None and total >= 10
            seen["positive below ten"] += "item-9-positive" in found.flags and total is not None and total < 10
    assert seen == {
        "complete": 5068,
        "prorated": 18,
        "incomplete": 447,
        "item-9-positive": 192,
        "item-9-unanswered": 8,
        "ten or more": 462,
        "positive below ten": 64,
    }
