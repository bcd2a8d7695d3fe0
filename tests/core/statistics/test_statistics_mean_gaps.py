"""Gaps of means: both bounds keep their error, with a true gap and without one."""

import numpy as np
import pytest

from gatewright.core.statistics.mean_gaps import MeanGap, mean_gap_change

REPLICATES = 400


def drawn(rng, truth, error=1.0):
    """Group means with normal errors, and resamples with the same errors."""
    values = truth + rng.normal(0, error, truth.size)
    replicates = values + rng.normal(0, error, (REPLICATES, truth.size))
    return MeanGap(values, replicates, np.full(truth.size, 500))


@pytest.mark.parametrize("truth", [np.zeros(6), np.array([0.0, 3.0]), np.array([0.0, 0.0, 0.0, 2.0])])
def test_each_bound_errs_in_at_most_five_percent(truth):
    """600 draws of a gap of 0, 3 and 2 standard errors: outside either 95 % bound at most 5 %, less noise."""
    rng = np.random.default_rng(0)
    intervals = [drawn(rng, truth).interval(0.9) for _ in range(600)]
    gap = np.ptp(truth)
    assert np.mean([interval.low > gap for interval in intervals]) <= 0.065
    assert np.mean([interval.high < gap for interval in intervals]) <= 0.065


def test_p_values_reject_as_rarely_as_they_say():
    """Without a gap at most 5 % are below 0.05, just those whose interval is above 0."""
    rng = np.random.default_rng(1)
    gaps = [drawn(rng, np.zeros(4)) for _ in range(600)]
    p_values = np.array([gap.p_value() for gap in gaps])
    assert (p_values < 0.05).mean() <= 0.065
    certain = np.array([gap.interval(0.9).low > 0 for gap in gaps])
    assert certain.tolist() == (p_values < 0.05).tolist()


def test_changes_are_in_the_units_of_the_values():
    """Gaps of 50 and 20 in millions: the change of 30 lies in its interval, ten times the numbers give ten times it."""
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, (2, REPLICATES, 2))
    for unit in (1.0, 1e6):
        ours, theirs = (
            MeanGap(unit * truth, unit * (truth + errors), np.array([500, 500]))
            for truth, errors in zip((np.array([0.0, 50.0]), np.array([0.0, 20.0])), noise, strict=True)
        )
        interval, p_value = mean_gap_change(ours, theirs, confidence=0.9)
        assert 25 * unit < interval.low < 30 * unit < interval.high < 35 * unit
        assert p_value < 0.02


def test_groups_without_any_spread_have_no_p_value_unless_equal():
    """Constant predictions: no gap is certainly none, and a gap that never varies cannot be tested."""
    blocks = np.array([500, 500])
    assert MeanGap(np.zeros(2), np.zeros((REPLICATES, 2)), blocks).p_value() == 1
    gap = MeanGap(np.array([0.0, 1.0]), np.tile([0.0, 1.0], (REPLICATES, 1)), blocks)
    assert gap.p_value() is None
    assert gap.interval(0.9).low == gap.interval(0.9).high == 1
