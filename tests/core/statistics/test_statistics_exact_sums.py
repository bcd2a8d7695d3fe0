"""Exact sums: no rounding, whatever the order and the partition of the numbers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.statistics.exact_sums import CHUNK, exact_squares, exact_sums

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e280, max_value=1e280)
CELLS = 3


def summed(rows):
    cells = np.array([cell for cell, _ in rows], dtype=np.int64)
    return exact_sums(cells, CELLS, np.array([number for _, number in rows], dtype=np.float64))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, CELLS - 1), NUMBERS)))
def test_sums_are_those_of_rational_arithmetic(rows):
    """From the smallest subnormal to 1e280, cancellation included; as floats within two units in the last place."""
    expected = [sum((Fraction(x) for cell, x in rows if cell == k), Fraction(0)) for k in range(CELLS)]
    found = summed(rows)
    assert found.fractions() == expected
    assert found.total() == sum(expected)
    for number, exact in zip(found.floats().tolist(), expected, strict=True):
        assert number == pytest.approx(float(exact), rel=2**-51, abs=5e-324)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, CELLS - 1), NUMBERS)), st.randoms(use_true_random=False), st.data())
def test_any_partition_in_any_order_gives_the_same_digits(rows, random, data):
    """Merging is associative and commutative to the last bit, for the representation itself is unique."""
    cut = data.draw(st.integers(0, len(rows)))
    shuffled = random.sample(rows, len(rows))
    middle = cut // 2
    parts = summed(shuffled[cut:]) + (summed(shuffled[:middle]) + summed(shuffled[middle:cut]))
    whole = summed(rows)
    assert parts == whole
    assert parts.digits.tobytes() == whole.digits.tobytes()
    assert parts.lowest == whole.lowest


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e130, 1e130).filter(lambda x: x == 0 or abs(x) > 1e-130), max_size=20))
def test_squares_are_summed_without_rounding_them(numbers):
    """Each square needs 106 bits, and none is lost."""
    cells = np.zeros(len(numbers), dtype=np.int64)
    assert exact_squares(cells, 1, np.array(numbers, dtype=np.float64)).total() == sum(
        Fraction(x) ** 2 for x in numbers
    )


def test_more_numbers_than_one_chunk_are_summed_exactly():
    """1, then far more small numbers than a float beside 1 can take in."""
    numbers = np.full(CHUNK + 1000, 2.0**-70)
    numbers[0] = 1.0
    total = exact_sums(np.zeros(numbers.size, dtype=np.int64), 1, numbers).total()
    assert total == 1 + Fraction(numbers.size - 1, 2**70)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e281])
def test_what_has_no_digits_is_refused(number):
    """NaN, infinity and numbers the digits do not reach."""
    with pytest.raises(ValueError, match="cannot be summed"):
        exact_sums(np.array([0, 0]), 1, np.array([1.0, number]))


def test_sums_of_other_cells_are_not_added():
    """Two cells and three have nothing in common."""
    with pytest.raises(ValueError, match="cells"):
        exact_sums(np.array([0]), 2, np.array([1.0])) + exact_sums(np.array([0]), 3, np.array([1.0]))
