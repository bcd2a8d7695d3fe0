"""By how much the answers move, for each task."""

import numpy as np
import pytest

from gatewright.core.checks.by_task import Answered
from gatewright.core.checks.score_shift import measure_score_shift

GRID = np.arange(1, 101) / 101


def shift(candidate, champion, task="binary_classification", **more):
    rows = Answered(task, np.zeros(len(candidate)), np.asarray(candidate), np.asarray(champion), **more)
    (found,) = measure_score_shift(rows, 0.9)
    return found


def test_equal_answers_have_not_moved():
    """0, over all rows."""
    found = shift(GRID, GRID)
    assert (found.metric, found.value, found.n) == ("score_shift", 0.0, 100)


def test_the_index_is_that_of_the_textbook():
    """Half of the champion's lowest tenth moves to its highest: 2 x 0.05 ln(0.15 / 0.05), by hand."""
    moved = GRID.copy()
    moved[:5] = GRID[-1]
    expected = (0.15 - 0.1) * np.log(0.15 / 0.1) + (0.05 - 0.1) * np.log(0.05 / 0.1)
    found = shift(moved, GRID)
    assert found.value == pytest.approx(expected)
    assert found.interval.low <= found.value <= found.interval.high


@pytest.mark.parametrize("moved", [0.4, 0.6])
def test_a_model_that_always_says_the_same_is_seen_to_move(moved):
    """Above and below its one answer: there is a bin on either side."""
    assert shift(np.full(50, moved), np.full(50, 0.5)).value > 5


def test_numbers_move_as_scores_do():
    """A regression's answers in the target's unit, of any size."""
    assert shift(GRID * 1e9, GRID * 1e9, "regression").value == 0
    assert shift(GRID * 1e9 + 1e9, GRID * 1e9, "regression").value > 5


def test_of_several_classes_the_one_that_moved_most_counts():
    """A class that the champion never gave any chance moves from nothing to something."""
    known = np.stack([GRID, 1 - GRID, np.zeros(100)], axis=1)
    classes = ("a", "b", "c")
    assert shift(known, known, "multiclass_classification", classes=classes).value == 0
    third = np.stack([GRID * 0.9, (1 - GRID) * 0.9, np.full(100, 0.1)], axis=1)
    assert shift(third, known, "multiclass_classification", classes=classes).value > 5


def test_without_a_champion_nothing_is_measured_and_without_rows_nothing_is_told():
    """A missing measurement and one without a value: neither is a number that could pass."""
    assert measure_score_shift(Answered("regression", np.zeros(3), GRID[:3]), 0.9) == ()
    assert shift(np.zeros(0), np.zeros(0)).value is None
