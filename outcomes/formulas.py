"""The forms a score can have, each prepared once per instrument as a function of the item points.

Arithmetic is exact (whole numbers and fractions) and rounds half up, as the manuals do by hand: 4.5 is 5.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction

from outcomes.instrument import Instrument, Number, Score, points_range

type Exact = int | Fraction
type Points = list[Exact | None]
type Result = tuple[Number | None, bool]  # a score, and whether it was prorated
type Formula = Callable[[Points, Mapping[str, Result]], Result]

NOTHING: Result = (None, False)


def half_up(numerator: Exact, denominator: Exact = 1, decimals: int = 0) -> Number:
    """The quotient, rounded half up to so many decimals; an int where there are none."""
    shift: int = 10**decimals
    rounded = int((2 * numerator * shift + denominator) // (2 * denominator))
    return rounded / shift if decimals else rounded


def formula(score: Score, instrument: Instrument) -> Formula:
    """The score as a function of all items' points, in item order, and of the scores before it."""
    at = {item.id: position for position, item in enumerate(instrument.items)}
    if score.form == "lookup":
        return _lookup(score)
    if score.form == "products":
        return _products(score, at)
    if score.form == "profile":
        return _profile([at[item_id] for item_id in score.items])
    return _added(score, instrument, at)


def _added(score: Score, instrument: Instrument, at: Mapping[str, int]) -> Formula:
    """Sum, mean and per cent of the possible."""
    positions = [at[item_id] for item_id in score.items]
    optional = sum(instrument.items[position].optional for position in positions)
    maxima = [Fraction(str(points_range(instrument, item_id)[1])) for item_id in score.items]
    count, form, blank, decimals, max_missing = (
        len(positions),
        score.form,
        score.blank,
        score.decimals,
        score.max_missing,
    )

    def run(values: Points, results: Mapping[str, Result]) -> Result:
        points = [values[position] for position in positions]
        answered = [point for point in points if point is not None]
        total: Exact = sum(answered)
        missing = count - len(answered)
        if missing and blank is not None:
            if not answered:  # A form that nobody touched is not a form on which nothing applies.
                return NOTHING
            total, missing = total + blank * missing, 0
        elif missing and optional:
            missing = sum(
                point is None and not instrument.items[position].optional
                for position, point in zip(positions, points, strict=True)
            )
        if missing > max_missing or not answered:
            return NOTHING
        if form == "sum":
            value = half_up(total * count, len(answered), decimals) if missing else half_up(total, 1, decimals)
        elif form == "mean":
            value = half_up(total, len(answered), decimals)
        else:
            possible = sum((top for top, point in zip(maxima, points, strict=True) if point is not None), Fraction())
            value = half_up(100 * total, possible, decimals)
        return value, missing > 0

    return run


def _products(score: Score, at: Mapping[str, int]) -> Formula:
    """Sum of factor × item × item; a zero makes its product zero even if the other item was not asked."""
    terms = [(Fraction(str(term.factor)), [at[item_id] for item_id in term.items]) for term in score.terms]
    decimals = score.decimals

    def run(values: Points, results: Mapping[str, Result]) -> Result:
        total = Fraction()
        for factor, positions in terms:
            points = [values[position] for position in positions]
            if 0 in points:
                continue
            for point in points:
                if point is None:
                    return NOTHING
                factor *= point
            total += factor
        return half_up(total, 1, decimals), False

    return run


def _lookup(score: Score) -> Formula:
    of, table = score.of or "", dict(score.table)

    def run(values: Points, results: Mapping[str, Result]) -> Result:
        value, prorated = results[of]
        return (None, False) if value is None else (table.get(int(value)), prorated)

    return run


def _profile(positions: list[int]) -> Formula:
    def run(values: Points, results: Mapping[str, Result]) -> Result:
        digits = [values[position] for position in positions]
        return NOTHING if None in digits else (int("".join(map(str, digits))), False)

    return run
