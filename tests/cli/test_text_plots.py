"""Plots made of characters put each number where it belongs, in blocks and in ASCII."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.cli.text_plots import bar, draws_blocks, sparkline, whisker

ANY = st.floats(allow_nan=True, allow_infinity=True) | st.none()


def test_a_whisker_spans_its_interval_with_the_value_and_the_limit() -> None:
    """0 to 10 on eleven characters: one a unit."""
    assert whisker(2, 4, 6, scale=(0, 10), width=11, marks=[8]) == "  ├─●─┤ ┊  "
    assert whisker(2, 4, 6, scale=(0, 10), width=11, marks=[8], plain=True) == "  |-o-| :  "


def test_a_limit_inside_the_interval_stays_visible() -> None:
    """It is why a rule is inconclusive."""
    assert whisker(2, 4, 8, scale=(0, 10), width=11, marks=[6]) == "  ├─●─┼─┤  "


def test_what_lies_outside_is_drawn_on_the_edge() -> None:
    """Nothing is lost from sight."""
    assert whisker(-5, 20, 30, scale=(0, 10), width=5, plain=True) == "|---o"


def test_a_bar_is_full_at_its_end_and_marks_the_limit() -> None:
    """Eighths of a character where blocks can be drawn."""
    assert bar(5, full=10, width=4) == "██"
    assert bar(3.125, full=10, width=4, mark=7.5) == "█▎┊"
    assert bar(99, full=10, width=4, plain=True) == "####"
    assert bar(None, full=10, width=4) == ""


def test_a_sparkline_has_one_sign_a_value() -> None:
    """The largest is the highest; a gap stays a gap."""
    assert sparkline([0, 1, None, 8]) == "▁▁ █"
    assert sparkline([0, 4, 8], plain=True) == "_-#"
    assert sparkline([4], top=8) == "▄"


@pytest.mark.parametrize(("encoding", "drawn"), [("utf-8", True), ("ascii", False), ("latin-1", False)])
def test_blocks_are_drawn_only_where_they_can_be_written(encoding: str, drawn: bool) -> None:
    """A pipe in an old locale would raise instead."""
    assert draws_blocks(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is drawn


@given(ANY, ANY, ANY, st.integers(1, 60), st.booleans())
def test_any_numbers_are_drawn_in_the_width(
    low: float | None, value: float | None, high: float | None, width: int, plain: bool
) -> None:
    """NaN, infinities and what was not measured included."""
    assert len(whisker(low, value, high, scale=(-1, 1), width=width, marks=[0.5], plain=plain)) == width
    assert len(bar(value, full=1, width=width, mark=0.5, plain=plain)) <= width
    drawn = sparkline([low, value, high], plain=plain)
    assert len(drawn) == 3
    assert not plain or drawn.isascii()
