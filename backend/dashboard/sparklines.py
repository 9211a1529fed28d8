"""Small lines drawn by the server: they need no script and print as sharp as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import median
from typing import cast

WIDTH, HEIGHT, MARGIN = 84, 22, 3

type Point = tuple[float, float]


@dataclass(frozen=True)
class Sparkline:
    """`paths` are SVG path data, one for each run of days without a gap; `dots` are centres of days that stand alone.

    `last` is the centre of the last value: the eye looks for it first.
    """

    paths: list[str]
    dots: list[Point]
    last: Point | None


def by_day(days: Iterable[int], values: Iterable[float], length: int) -> list[float | None]:
    """One value for each of `length` days: the median of the day's entries, None where there is none."""
    one: list[float | None] = [None] * length
    several: dict[int, list[float]] = {}
    for day, value in zip(days, values, strict=True):
        if one[day] is None:
            one[day] = value
        else:
            several.setdefault(day, []).append(value)
    for day, more in several.items():
        one[day] = median([*more, cast(float, one[day])])
    return one


def sparkline(values: Sequence[float | None], low: float, high: float, *, joined: int = 1) -> Sparkline:
    """Draw one value a day on a scale from `low` to `high`; values beyond its ends lie on the edge.

    Values more than `joined` days apart aren't joined, so that nothing is drawn where nobody answered. Questionnaires
    every other week need a wider joined, or they would be dots only.
    """
    across = _across(len(values))
    runs: list[list[Point]] = []
    before = -joined - 1
    for n, value in enumerate(values):
        if value is None:
            continue
        if n - before > joined:
            runs.append([])
        runs[-1].append((across[n], _height(value, low, high)))
        before = n
    return Sparkline(
        paths=["M" + "L".join([f"{x} {y}" for x, y in run]) for run in runs if len(run) > 1],
        dots=[run[0] for run in runs if len(run) == 1],
        last=runs[-1][-1] if runs else None,
    )


@cache
def _across(length: int) -> list[float]:
    return [round(MARGIN + n / max(length - 1, 1) * (WIDTH - 2 * MARGIN), 1) for n in range(length)]


@lru_cache(10_000)  # a panel draws thousands, and most scales have few values
def _height(value: float, low: float, high: float) -> float:
    share = (min(max(value, low), high) - low) / (high - low)
    return round(HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN), 1)


def drawn(line: Sparkline) -> str:
    """A sparkline as SVG."""
    parts = [f'<path d="{path}"/>' for path in line.paths]
    parts += [f'<circle cx="{x}" cy="{y}" r="1"/>' for x, y in line.dots]
    if line.last:
        parts.append('<circle class="last" cx="{}" cy="{}" r="2"/>'.format(*line.last))
    return _SVG + "".join(parts) + "</svg>"


_SVG = (
    f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true"'
    ' focusable="false">'
)
