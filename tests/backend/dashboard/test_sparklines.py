"""Small lines: nothing is drawn where nobody answered."""

from backend.dashboard.sparklines import by_day, drawn, sparkline


def test_a_gap_ends_the_line_and_a_day_alone_is_a_dot() -> None:
    line = sparkline([1, 2, None, 5, None, 3, 3], 0, 10)
    assert len(line.paths) == 2
    assert len(line.dots) == 1


def test_a_questionnaires_values_are_joined_over_weeks() -> None:
    assert len(sparkline([9, *[None] * 13, 7], 0, 27, joined=28).paths) == 1


def test_several_entries_of_a_day_are_their_median() -> None:
    assert by_day([0, 0, 0], [2, 9, 3], 2) == [3, None]


def test_what_lies_beyond_the_scale_stays_on_the_picture() -> None:
    high, low = sparkline([99.0], 0, 10).dots[0], sparkline([-5.0], 0, 10).dots[0]
    assert high[1] < low[1] < 22


def test_it_is_drawn_as_svg_that_nobody_has_to_read_aloud() -> None:
    svg = drawn(sparkline([1, 2, None, 4], 0, 10))
    assert svg.count("<path") == 1
    assert svg.count("<circle") == 2
    assert 'aria-hidden="true"' in svg
    assert drawn(sparkline([None, None], 0, 10)).endswith("></svg>")
