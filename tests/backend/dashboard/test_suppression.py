from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.dashboard.suppression import LEAST, safe


@given(st.integers(0, 60), st.lists(st.integers(0, 60), max_size=4))
def test_no_two_numbers_that_are_shown_tell_a_small_group(people: int, counts: list[int]) -> None:
    nested = sorted((min(count, people) for count in counts), reverse=True)
    shown = [count for count in safe(people, nested) if count is not None]
    numbers = [0, people, *shown]
    if people < LEAST:
        assert shown == []
    else:
        assert all(one == other or abs(one - other) >= LEAST for one in numbers for other in numbers)


def test_what_tells_nobody_is_shown() -> None:
    assert safe(40, [20, 10]) == [20, 10]
    assert safe(40, [0]) == [0]
    assert safe(40, [40]) == [40]


def test_a_small_group_its_rest_and_the_difference_of_two_are_hidden() -> None:
    assert safe(40, [4]) == [None]
    assert safe(40, [37]) == [None]
    assert safe(40, [20, 17]) == [20, None]
    assert safe(4, [0]) == [None]
