"""Small lines drawn by the server: they need no script and print as sharp as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

WIDTH, HEIGHT, MARGIN = 84, 22, 3


@dataclass(frozen=True)
class Sparkline:
    """`paths` are SVG path data, one for each run of days without a gap; `dots` are centres of days that stand alone.

    `last` is the centre of the last value: the eye looks for it first.
    """

    paths: list[str]
    dots: list[tuple[float, float]]
    last: tuple[float, float] | None


def by_day(days: Iterable[int], values: Iterable[float], length: int) -> list[float | None]:
    """One value for each of `length` days: the median of the day's entries, None where there is none."""
    found: dict[int, list[float]] = {}
    for day, value in zip(days, values, strict=True):
        found.setdefault(day, []).append(value)
    one: list[float | None] = [None] * length
    for day, entries in found.items():
        one[day] = entries[0] if len(entries) == 1 else median(entries)
    return one


def sparkline(values: Sequence[float | None], low: float, high: float, *, joined: int = 1) -> Sparkline:
    """Draw one value a day on a scale from `low` to `high`; values beyond its ends lie on the edge.

    Values more than `joined` days apart aren't joined, so that nothing is drawn where nobody answered. Questionnaires
    every other week need a wider joined, or they would be dots only.
    """
    points = [(n, _place(n, len(values), value, low, high)) for n, value in enumerate(values) if value is not None]
    runs = list(_runs(points, joined))
    return Sparkline(
        paths=["M" + "L".join(f"{x} {y}" for x, y in run) for run in runs if len(run) > 1],
        dots=[run[0] for run in runs if len(run) == 1],
        last=points[-1][1] if points else None,
    )


def _place(n: int, length: int, value: float, low: float, high: float) -> tuple[float, float]:
    share = (min(max(value, low), high) - low) / (high - low)
    x = MARGIN + n / max(length - 1, 1) * (WIDTH - 2 * MARGIN)
    return round(x, 1), round(HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN), 1)


type Point = tuple[float, float]


def _runs(points: Sequence[tuple[int, Point]], joined: int) -> Iterable[list[Point]]:
    run_of, runs = 0, []
    for index, (day, point) in enumerate(points):
        if index and day - points[index - 1][0] > joined:
            run_of += 1
        runs.append((run_of, point))
    for _, run in groupby(runs, key=lambda each: each[0]):
        yield [point for _, point in run]
