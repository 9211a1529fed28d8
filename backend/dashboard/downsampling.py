"""Fewer points for the same picture: a chart is some thousand pixels wide, and its peaks are what matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def downsampled(values: Sequence[float | None], most: int) -> list[int]:
    """Which of `values`, one a day, to draw: at most `most` indices, ascending. Short series come back whole.

    The days are cut into equal stretches, and of each the first and last value, the smallest and the largest stay, each
    at its own day. A gap as long as a stretch keeps an empty day, so that it is still drawn as a gap; a shorter one
    could not be seen at this scale.
    """
    if most < 5:
        raise ValueError("fewer than five points can't keep the peaks")
    if len(values) <= most:
        return list(range(len(values)))
    stretches = most // 5
    kept: set[int] = set()
    for n in range(stretches):
        start, end = n * len(values) // stretches, (n + 1) * len(values) // stretches
        known = [(value, index) for index in range(start, end) if (value := values[index]) is not None]
        if known:
            kept |= {known[0][1], known[-1][1], min(known)[1], max(known)[1]}
    kept |= {(first + last) // 2 for first, last in _gaps(values) if last - first + 1 >= len(values) / stretches}
    return sorted(kept)


def _gaps(values: Sequence[float | None]) -> Iterator[tuple[int, int]]:
    """First and last index of each run without a value."""
    first = None
    for index, value in enumerate(values):
        if value is None:
            first = index if first is None else first
        elif first is not None:
            yield first, index - 1
            first = None
    if first is not None:
        yield first, len(values) - 1
