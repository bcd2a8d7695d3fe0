"""Calibration, distances between histograms, quantiles, average precision."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from gatewright.core.statistics.average_precision import average_precision_from_bins
from gatewright.core.statistics.calibration import expected_calibration_error
from gatewright.core.statistics.distances import (
    distance_interval,
    expected_stability_index,
    population_stability_index,
)
from gatewright.core.statistics.quantiles import order_statistic_interval, sample_quantile


def test_calibration_error_of_a_hand_example():
    """Two bins: |0.2 - 0| of two rows and |0.8 - 0.5| of two rows give 0.25."""
    labels, scores = np.array([0, 0, 1, 0]), np.array([0.1, 0.3, 0.7, 0.9])
    assert expected_calibration_error(labels, scores, bins=2) == pytest.approx(0.25)


def test_calibration_error_of_equal_mass_bins_of_a_hand_example():
    """Cut at the median 0.2: |0.1 - 0| and |0.5 - 0.5| of two rows each give 0.05."""
    labels, scores = np.array([0, 0, 0, 1]), np.array([0.08, 0.12, 0.28, 0.72])
    assert expected_calibration_error(labels, scores, bins=2, binning="mass") == pytest.approx(0.05)


def test_a_calibrated_model_has_little_error_and_an_overconfident_one_much():
    """Labels drawn with the scores' own probabilities against scores pushed to the ends."""
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    labels = rng.random(20_000) < scores
    assert expected_calibration_error(labels, scores) < 0.02
    assert expected_calibration_error(labels, np.round(scores)) == pytest.approx(0.25, abs=0.02)


def test_calibration_error_of_no_rows_is_undefined():
    """No number may come from nothing."""
    assert math.isnan(expected_calibration_error(np.zeros(0), np.zeros(0)))


def test_stability_index_of_hand_histograms():
    """Half and half against 80 and 20: 0.3 ln 1.6 - 0.3 ln 0.4 = 0.3 ln 4."""
    index = population_stability_index(np.array([50, 50]), np.array([160, 40]))
    assert index == pytest.approx(0.3 * math.log(4))


def test_an_empty_bin_counts_as_one_in_ten_thousand():
    """The floor keeps the index finite: (0.5 - 1) ln 0.5 + (0.5 - 0.0001) ln 5000."""
    index = population_stability_index(np.array([10, 0]), np.array([5, 5]))
    assert index == pytest.approx(-0.5 * math.log(0.5) + 0.4999 * math.log(5000))


def test_an_empty_histogram_has_no_stability_index():
    """No rows are neither stable nor drifted."""
    empty, full = np.array([0, 0]), np.array([5, 5])
    assert math.isnan(population_stability_index(full, empty))
    assert distance_interval("psi", full, empty, confidence=0.9) is None


def test_stability_index_without_drift_is_about_its_expectation():
    """Two samples of one distribution over 20 bins: on average 19 (1/n + 1/m)."""
    rng = np.random.default_rng(2)
    draws = rng.multinomial(2_000, np.full(20, 0.05), size=(500, 2))
    indices = population_stability_index(draws[:, 0], draws[:, 1])
    assert expected_stability_index(*draws[0]) == pytest.approx(0.019)
    assert indices.mean() == pytest.approx(0.019, rel=0.1)


def test_stability_index_interval_holds_the_value_and_narrows_with_rows():
    """A hundred times the rows give about a tenth of the width."""
    few, many = np.array([[300, 700], [450, 550]]), np.array([[30_000, 70_000], [45_000, 55_000]])
    narrow, wide = (distance_interval("psi", *h, confidence=0.9) for h in (many, few))
    assert narrow.low < population_stability_index(*many) < narrow.high
    assert narrow.high - narrow.low == pytest.approx((wide.high - wide.low) / 10, rel=0.2)


@pytest.mark.parametrize("rows", [300, 1_000])
def test_a_small_sample_of_the_same_distribution_confirms_no_drift(rows):
    """Over 50 bins the index of 300 rows is 0.18 by chance; its lower bound must not say that it is drift."""
    rng = np.random.default_rng(3)
    reference = rng.multinomial(20_000, np.full(50, 0.02))
    samples = rng.multinomial(rows, np.full(50, 0.02), size=200)
    bounds = [distance_interval("psi", reference, one, confidence=0.9).low for one in samples]
    assert np.mean(np.array(bounds) > 0.02) <= 0.05


def test_real_drift_is_confirmed_in_a_small_sample():
    """A quarter of the rows moved from 25 bins to the other 25: the index is 0.27, and 1,000 rows show it."""
    rng = np.random.default_rng(4)
    shares = np.repeat([0.02 * 0.5, 0.02 * 1.5], 25)
    reference, moved = rng.multinomial(20_000, np.full(50, 0.02)), rng.multinomial(1_000, shares, size=100)
    true = float(population_stability_index(np.full(50, 0.02), shares))
    bounds = np.array([distance_interval("psi", reference, one, confidence=0.9).low for one in moved])
    assert true == pytest.approx(0.27, abs=0.01)
    assert np.mean(bounds <= true) >= 0.9
    assert np.mean(bounds > 0.1) >= 0.9


histograms = st.lists(st.integers(0, 1_000), min_size=4, max_size=4).filter(any).map(np.array)


@given(histograms, histograms)
def test_the_stability_index_is_symmetric_and_never_negative(first, second):
    """It ignores which of the two histograms came first."""
    assert population_stability_index(first, second) == pytest.approx(population_stability_index(second, first))
    assert population_stability_index(first, second) >= 0


def test_the_median_of_twenty_samples_lies_between_the_sixth_and_the_fifteenth():
    """The textbook 95 % interval, of true confidence 0.9586."""
    interval = order_statistic_interval(np.arange(1.0, 21.0), 0.5, confidence=0.95)
    assert (interval.low, interval.high) == (6, 15)


@pytest.mark.parametrize(("n", "bounded"), [(298, False), (299, True)])
def test_a_bound_above_the_99th_percentile_needs_299_samples(n, bounded):
    """0.99 ** 299 is the first power below one twentieth (Wilks 1941)."""
    interval = order_statistic_interval(np.arange(float(n)), 0.99, confidence=0.90)
    assert (interval is not None) == bounded


def test_quantile_interval_covers_as_often_as_it_says():
    """Of 400 samples of 1000 exponentials, at least 90 % of the intervals hold the true 95th percentile."""
    rng, true = np.random.default_rng(3), -math.log(0.05)
    found = [order_statistic_interval(rng.exponential(size=1_000), 0.95, confidence=0.9) for _ in range(400)]
    assert 0.87 <= np.mean([i.low <= true <= i.high for i in found]) <= 0.96


def test_no_samples_have_no_quantile():
    """Neither a value nor an interval."""
    assert math.isnan(sample_quantile(np.zeros(0), 0.5))
    assert order_statistic_interval(np.zeros(0), 0.5, confidence=0.9) is None


@given(st.lists(st.floats(0, 1e3), min_size=60, max_size=80), st.randoms())
@settings(max_examples=20)
def test_the_order_of_samples_does_not_matter(samples, random):
    """Quantile and interval are the same after shuffling."""
    shuffled = samples[:]
    random.shuffle(shuffled)
    first, second = (order_statistic_interval(np.array(s), 0.9, confidence=0.9) for s in (samples, shuffled))
    assert first == second
    assert first.low <= sample_quantile(np.array(samples), 0.9) <= first.high


@pytest.mark.parametrize("decimals", [1, 8])
def test_average_precision_equals_scikit_learn_with_and_without_ties(decimals):
    """The sum over distinct thresholds, to 1e-12."""
    rng = np.random.default_rng(4)
    scores = np.round(rng.random(500), decimals)
    labels = (rng.random(500) < scores).astype(float)
    expected = average_precision_score(labels, scores)
    _, bins = np.unique(scores, return_inverse=True)
    found = average_precision_from_bins(np.bincount(bins, weights=labels), np.bincount(bins).astype(float))
    assert found == pytest.approx(expected, abs=1e-12)
