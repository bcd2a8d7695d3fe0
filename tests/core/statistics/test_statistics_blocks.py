"""The block bootstrap: honest widths, exact sums, merging by addition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.statistics.blocks import (
    BLOCKS,
    BlockTable,
    assign_blocks,
    block_histogram,
    block_sums,
    bootstrap,
    paired_interval,
)
from gatewright.core.statistics.confusion import RATES, rate_interval


def mean(sums):
    return sums["total"] / sums["rows"]


def table(values, clusters=None, start=0):
    blocks = assign_blocks(len(values), clusters, start=start)
    return BlockTable({"rows": block_sums(blocks), "total": block_sums(blocks, np.asarray(values, float))})


def test_rows_of_a_cluster_share_a_block_wherever_they_stand():
    """The block depends on the cluster's value only, for text and for numbers."""
    names = np.array(["a", "b", "a", "c", "b"])
    blocks = assign_blocks(5, names)
    assert blocks[0] == blocks[2]
    assert blocks[1] == blocks[4]
    assert assign_blocks(2, names[[1, 0]]).tolist() == blocks[[1, 0]].tolist()
    assert assign_blocks(1, np.array(["a"], dtype=object)) == blocks[0]


def test_blocks_without_clusters_are_filled_evenly():
    """200,000 rows go to all blocks, each with about its share."""
    counts = np.bincount(assign_blocks(200_000), minlength=BLOCKS)
    assert counts.min() > 130
    assert counts.max() < 270


@pytest.mark.parametrize(("rows", "tolerance"), [(400, 0.1), (5_000, 0.08), (100_000, 0.08)])
def test_bootstrapped_standard_error_of_accuracy_is_the_analytic_one(rows, tolerance):
    """The spread of the resampled share is sqrt(p (1 - p) / n)."""
    hits = (np.random.default_rng(1).random(rows) < 0.8).astype(float)
    spread = mean(bootstrap(table(hits), seed=0).replicates).std()
    assert spread == pytest.approx((hits.mean() * (1 - hits.mean()) / rows) ** 0.5, rel=tolerance)


def test_copies_of_rows_within_their_clusters_leave_the_width_as_it_was():
    """Four copies of each row give the same interval when they are one cluster, half the width when not."""
    values = np.random.default_rng(2).normal(size=2_000)
    single = bootstrap(table(values, np.arange(2_000)), seed=0).interval(mean, 0.9)
    copies = bootstrap(table(np.tile(values, 4), np.tile(np.arange(2_000), 4)), seed=0).interval(mean, 0.9)
    naive = bootstrap(table(np.tile(values, 4)), seed=0).interval(mean, 0.9)
    width = single.high - single.low
    assert copies.high - copies.low == pytest.approx(width, rel=1e-9)
    assert naive.high - naive.low == pytest.approx(width / 2, rel=0.15)


def test_interval_covers_the_mean_as_often_as_it_says_even_with_few_rows():
    """Of 300 samples of 20 rows about 90 % of the 90 % intervals hold the mean, thanks to the expansion."""
    rng = np.random.default_rng(3)
    intervals = [bootstrap(table(rng.normal(size=20)), seed=0).interval(mean, 0.9) for _ in range(300)]
    assert 0.86 <= np.mean([i.low <= 0 <= i.high for i in intervals]) <= 0.95


def test_fewer_than_ten_blocks_give_no_interval():
    """Nine clusters are too few to say anything, however many rows they hold."""
    values, clusters = np.random.default_rng(0).normal(size=9_000), np.arange(9_000) % 9
    assert bootstrap(table(values, clusters), seed=0).interval(mean, 0.9) is None


def test_no_rows_give_no_interval():
    """An empty table has neither a value nor an interval."""
    with np.errstate(invalid="ignore"):
        empty = bootstrap(table([]), seed=0)
        assert np.isnan(empty.value(mean))
        assert empty.interval(mean, 0.9) is None


def test_a_statistic_undefined_in_many_resamples_has_no_interval():
    """One row in the denominator is missing from a third of the resamples."""
    blocks = assign_blocks(50)
    sums = bootstrap(BlockTable({"rows": block_sums(blocks), "one": block_sums(blocks, np.eye(50)[0])}), seed=0)
    assert sums.interval(lambda s: np.where(s["one"] > 0, 1.0, np.nan), 0.9) is None


def test_equal_seeds_pair_two_models_so_that_shared_noise_cancels():
    """The difference of two models with the same large noise has the width of their small own one."""
    rng = np.random.default_rng(4)
    noise, own = rng.normal(size=3_000), rng.normal(size=3_000) / 100
    ours, theirs = (bootstrap(table(noise + k * own), seed=0) for k in (1, 0))
    interval = paired_interval(ours, theirs, mean, 0.9)
    assert interval.high - interval.low == pytest.approx(2 * 1.645 / 100 / 3_000**0.5, rel=0.15)


@given(st.lists(st.lists(st.floats(-10, 10), max_size=30), min_size=3, max_size=3))
@settings(max_examples=30)
def test_merging_is_associative_and_equals_one_table_of_all_rows(parts):
    """Tables of parts with continued positions add up to the table of the whole, in any grouping."""
    starts = np.cumsum([0, *map(len, parts)])
    first, second, third = (table(p, start=s) for p, s in zip(parts, starts, strict=False))
    whole = table([value for part in parts for value in part])
    for merged in ((first + second) + third, first + (second + third)):
        for name, values in whole.sums.items():
            np.testing.assert_allclose(merged.sums[name], values, atol=1e-9)


def test_tables_of_different_statistics_are_not_merged():
    """Adding them would drop a sum in silence."""
    with pytest.raises(ValueError, match="different statistics"):
        table([1.0]) + BlockTable({"rows": np.zeros(BLOCKS)})


@given(st.permutations(range(60)))
@settings(max_examples=20)
def test_the_order_of_rows_does_not_matter_when_rows_have_ids(order):
    """With clusters as ids the interval is the same for any order of rows."""
    values, ids, order = np.random.default_rng(5).normal(size=60), np.arange(60), np.array(order)
    one = bootstrap(table(values, ids), seed=0).interval(mean, 0.9)
    other = bootstrap(table(values[order], ids[order]), seed=0).interval(mean, 0.9)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-12)


def test_histograms_per_block_hold_every_row_once():
    """The sum over blocks is the histogram of all rows."""
    bins = np.random.default_rng(6).integers(0, 4, 500)
    histogram = block_histogram(assign_blocks(500), bins, 4)
    assert histogram.shape == (BLOCKS, 4)
    assert histogram.sum(axis=0).tolist() == np.bincount(bins).tolist()


@pytest.mark.parametrize("clusters", [None, np.arange(40) // 2])
def test_a_rate_of_one_is_not_certain(clusters):
    """All right in 40 rows: the interval reaches down as Wilson's does, further for 20 clusters."""
    blocks = assign_blocks(40, clusters)
    ones = block_sums(blocks)
    sums = bootstrap(BlockTable({"rows": ones, "selected": ones}), seed=0)
    interval = rate_interval(RATES["selection_rate"], sums, 0.95, clustered=clusters is not None)
    assert interval.high == 1
    assert interval.low < (0.913 if clusters is None else 0.85)
