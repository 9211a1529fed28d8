"""Small numbers of people are not shown, nor what lets them be found by subtraction."""

from __future__ import annotations

from collections.abc import Sequence

LEAST = 5
"""People. A usual threshold for published health statistics; own choice, for a clinic to ratify."""


def safe(people: int, counts: Sequence[int]) -> list[int | None]:
    """Those of `counts` that may be shown beside how many `people` there are, and None in place of the others.

    Each counts some of the same people, and each later one some of those before it. Any two numbers that are shown,
    none and all included, are the same or differ by at least LEAST: nobody finds a smaller group by subtraction. Of
    fewer than LEAST people nothing is shown.
    """
    if people < LEAST:
        return [None] * len(counts)
    known = {0, people}
    shown: list[int | None] = []
    for count in counts:
        if all(count == other or abs(count - other) >= LEAST for other in known):
            known.add(count)
            shown.append(count)
        else:
            shown.append(None)
    return shown
