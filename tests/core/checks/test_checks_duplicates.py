"""Rows as hashes: equal content, equal hash, in any type and in any part of the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gatewright.core.checks.duplicates import (
    RowIndex,
    content_order,
    coverage,
    coverage_interval,
    excess_interval,
    row_hashes,
)
from gatewright.core.results import Interval

HASHES = arrays.arrays(np.uint64, st.integers(0, 40), elements=st.integers(0, 9))


def hashed(values, **options):
    return row_hashes(pd.DataFrame({"x": pd.Series(values, **options)}), ["x"])


def indexed(hashes):
    return RowIndex.of(hashes, hashes // np.uint64(2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], [1.0, 2.0]),
        ([1, 0], [True, False]),
        ([0.0], [-0.0]),
        (["a", None], pd.Categorical(["a", None])),
        ([1.0, None], pd.array([1, None], dtype="Int64")),
        (pd.to_datetime(["2026-01-01"]).as_unit("s"), pd.to_datetime(["2026-01-01"]).as_unit("ns")),
        (pd.array(["a"], dtype="str"), np.array(["a"], dtype=object)),
    ],
)
def test_equal_values_hash_equally_whatever_their_type(one, other):
    """Training and evaluation files may store one column differently."""
    np.testing.assert_array_equal(hashed(one), hashed(other))


def test_different_values_hash_differently():
    """Neighbouring numbers, identifiers beyond a float's precision, halves, text, null, and the order of columns."""
    big = 2**60
    assert np.unique(hashed([1, 2, 3, big, big + 1])).size == 5
    assert np.unique(hashed([0.5, 1.5, np.nan, 0.0])).size == 4
    assert np.unique(hashed(["a", "b", "", None])).size == 4
    frame = pd.DataFrame({"x": [1, 2], "y": [2, 1]})
    first, second = row_hashes(frame, ["x", "y"])
    assert first != second


def test_a_million_different_rows_share_no_hash():
    """The chance of one collision is 3e-8."""
    assert np.unique(hashed(np.arange(1_000_000))).size == 1_000_000


@given(HASHES, HASHES, HASHES)
def test_indices_of_parts_add_up_in_any_order(first, second, third):
    """The same bytes as the index of all rows at once."""
    a, b, c = indexed(first), indexed(second), indexed(third)
    whole = indexed(np.concatenate([first, second, third]))
    for added in (a + (b + c), (c + a) + b):
        np.testing.assert_array_equal(added.hashes, whole.hashes)
        np.testing.assert_array_equal(added.units, whole.units)


@given(HASHES, HASHES)
def test_an_index_holds_its_rows_and_no_others(inside, asked):
    """As a set does."""
    known = set(inside.tolist())
    assert indexed(inside).holds(asked).tolist() == [row in known for row in asked.tolist()]


def test_coverage_is_one_minus_the_share_of_rows_seen_once():
    """Good and Turing: of a, a, b, c, c, c one of six rows is alone; variance (1/6 * 5/6 + 2 * 1/6) / 6."""
    index = RowIndex.of(np.array([1, 1, 2, 3, 3, 3], dtype=np.uint64), np.arange(6, dtype=np.uint64))
    assert coverage(index) == pytest.approx(5 / 6)
    interval = coverage_interval(index, confidence=0.9)
    margin = 1.6448536 * ((1 / 6 * 5 / 6 + 2 / 6) / 6) ** 0.5
    assert interval.low == pytest.approx(5 / 6 - margin)
    assert interval.high == 1.0


def test_coverage_intervals_cover():
    """In 400 samples of 500 from 600 kinds the 90 % interval holds the true coverage nine times of ten."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 601)
    shares /= shares.sum()
    hits = 0
    for _ in range(400):
        rows = rng.choice(600, 500, p=shares).astype(np.uint64)
        interval = coverage_interval(RowIndex.of(rows, np.arange(500, dtype=np.uint64)), confidence=0.9)
        hits += interval.low <= shares[np.unique(rows).astype(int)].sum() <= interval.high
    assert 0.86 <= hits / 400 <= 0.94


def test_excess_intervals_square_and_add():
    """0.5 in [0.4, 0.6] minus 0.2 in [0.1, 0.4]: margins hypot(0.1, 0.2) below and hypot(0.1, 0.1) above."""
    own, expected = (Interval(low=a, high=b, confidence=0.9, method="m") for a, b in ((0.4, 0.6), (0.1, 0.4)))
    found = excess_interval(0.5, own, 0.2, expected)
    assert found.low == pytest.approx(0.3 - 0.05**0.5)
    assert found.high == pytest.approx(0.3 + 0.02**0.5)


def test_content_order_follows_rows_not_places():
    """Shuffled rows come out in the same order; another seed gives another."""
    frame = pd.DataFrame({"x": np.arange(500), "y": list("ab") * 250})
    shuffled = frame.sample(frac=1, random_state=1)
    first, again = (f.iloc[content_order(f, seed=3)].reset_index(drop=True) for f in (frame, shuffled))
    pd.testing.assert_frame_equal(first, again)
    assert (content_order(frame, seed=4) != content_order(frame, seed=3)).any()
