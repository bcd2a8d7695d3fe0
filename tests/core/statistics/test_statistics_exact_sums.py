"""What makes sums the same bytes everywhere: fixed-point numbers, counts of keys, and fixed bins of the score."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.statistics import key_counts
from gatewright.core.statistics.blocks import canonical_order
from gatewright.core.statistics.fixed_point import FIXED_POINT_ROWS, fixed_point_sums, from_fixed_point
from gatewright.core.statistics.key_counts import KeyCounts
from gatewright.core.statistics.score_bins import COARSE_BINS, FINE_BINS, coarse_bins, fine_bins, fine_values

unit = st.floats(0, 1)


@given(st.lists(st.floats(0, 40), min_size=1, max_size=50), st.integers(0, 50))
def test_fixed_point_sums_of_parts_are_the_bits_of_the_whole(values, cut):
    """Any cut gives the same integers, and the sum errs by at most 2**-41 a value."""
    numbers = np.array(values)
    keys = np.zeros(numbers.size, dtype=int)
    whole = fixed_point_sums(keys, numbers, 1)
    parts = [fixed_point_sums(keys[part], numbers[part], 1) for part in (slice(cut), slice(cut, None))]
    assert (parts[0] + parts[1]).tolist() == whole.tolist()
    exact = float(sum(map(Fraction, values)))
    assert from_fixed_point(whole)[0] == pytest.approx(exact, abs=numbers.size * 2.0**-41 + 1e-12)


def test_a_million_of_the_largest_losses_in_one_block_do_not_overflow():
    """All rows of a cluster may be as wrong as can be, in every one of many parts."""
    values = np.full(FIXED_POINT_ROWS, 36.04)
    part = fixed_point_sums(np.zeros(values.size, dtype=int), values, 1)
    total = from_fixed_point(part * 10_000)
    assert total[0] == pytest.approx(36.04 * values.size * 10_000, rel=1e-12)


def test_more_rows_at_once_than_a_float_counts_exactly_are_refused():
    """Beyond 2**53 a weighted count rounds."""
    with pytest.raises(ValueError, match="may overflow"):
        fixed_point_sums(np.zeros(0, dtype=int), np.zeros(FIXED_POINT_ROWS + 1), 1)


@given(st.lists(st.lists(st.integers(0, 9), max_size=20), min_size=3, max_size=3), st.sampled_from([1, 5, 1000]))
def test_key_counts_add_up_in_any_grouping_whenever_they_are_counted(parts, waiting):
    """Counting late or early, left or right first, gives the same counts."""
    kept, key_counts.WAITING = key_counts.WAITING, waiting
    try:
        a, b, c = (KeyCounts.of(np.array(part, dtype=int), 10) for part in parts)
        merged = [(a + b) + c, a + (b + c), (c + a) + b]
    finally:
        key_counts.WAITING = kept
    everything = [key for part in parts for key in part]
    expected = np.bincount(np.array(everything, dtype=int), minlength=10).tolist()
    assert [counts.counts().tolist() for counts in merged] == [expected] * 3


def test_counts_of_other_keys_are_not_merged():
    """They would be added to the wrong bins."""
    with pytest.raises(ValueError, match="cannot be merged"):
        KeyCounts(3) + KeyCounts(4)


@given(st.lists(unit, min_size=2, max_size=50))
def test_bins_rise_with_the_score_and_mirror_at_a_half(scores):
    """Order is kept by fine and coarse bins; a score and its complement are equally far from the ends."""
    values = np.sort(np.array(scores))
    fine = fine_bins(values)
    assert (np.diff(fine) >= 0).all()
    assert (np.diff(coarse_bins(fine)) >= 0).all()
    assert fine.min() >= 0
    assert fine.max() < FINE_BINS
    exact = values[1 - (1 - values) == values]
    assert fine_bins(1 - exact).tolist() == (FINE_BINS - 1 - fine_bins(exact)).tolist()


@given(st.lists(unit, min_size=1, max_size=50))
def test_the_middle_of_a_fine_bin_is_near_every_score_in_it(scores):
    """Within half a step of 2**-21, and within a 4096th of the distance to the nearer end."""
    values = np.array(scores)
    distance, error = np.minimum(values, 1 - values), np.abs(fine_values()[fine_bins(values)] - values)
    assert (error <= 2.0**-22 + 1e-16).all()
    assert (error <= np.maximum(distance / 4096, 2.0**-40) + 1e-16).all()


def test_every_bin_is_reached_by_its_own_middle():
    """Bins and their middles are each other's inverse, and all coarse bins are used."""
    assert (fine_bins(fine_values()) == np.arange(FINE_BINS)).all()
    assert np.unique(coarse_bins(np.arange(FINE_BINS))).size == COARSE_BINS


@given(st.permutations(range(40)))
@settings(max_examples=30)
def test_the_canonical_order_depends_on_content_alone(order):
    """Numbers, texts and flags; minus zero is zero; equal rows are interchangeable."""
    rng = np.random.default_rng(0)
    columns = [
        np.round(rng.normal(size=40), 1), rng.integers(0, 3, 40), rng.random(40) < 0.5,
        np.array(["a", "bc"])[rng.integers(0, 2, 40)],
    ]  # fmt: skip
    columns[0][:4] = [0.0, -0.0, np.nan, np.nan]
    shuffled = [column[np.array(order)] for column in columns]
    for ours, theirs in zip(columns, shuffled, strict=True):
        first, second = ours[canonical_order(*columns)], theirs[canonical_order(*shuffled)]
        np.testing.assert_array_equal(first, second)


def test_rows_without_columns_have_no_order():
    """There is nothing to order them by."""
    with pytest.raises(ValueError, match="no columns"):
        canonical_order()
