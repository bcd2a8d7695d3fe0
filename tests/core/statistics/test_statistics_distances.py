"""Distances between histograms: hand examples, published definitions, intervals against draws, certified bounds."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, kstwobign, wasserstein_distance
from scipy.stats.contingency import association

from gatewright.core.checks.drift import _current_histogram, _reference_histogram
from gatewright.core.checks.profile_build import build_profile
from gatewright.core.checks.profile_sums import REACH, current_sums
from gatewright.core.statistics.binning import Binning
from gatewright.core.statistics.distances import (
    chi_square_p_value,
    cramers_v,
    distance_interval,
    jensen_shannon_distance,
    population_stability_index,
)
from gatewright.core.statistics.row_sample import SAMPLE_ROWS, row_sample
from gatewright.core.statistics.transport import kolmogorov_smirnov, wasserstein

VALUES = {
    "psi": population_stability_index,
    "jensen_shannon": jensen_shannon_distance,
    "chi_square": cramers_v,
}
histograms = st.lists(st.integers(0, 500), min_size=5, max_size=5).filter(any).map(np.array)
numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300).map(np.array)


def test_cramers_v_is_the_textbooks_for_equal_samples():
    """40, 10 against 20, 30: chi-square 16.67 of 100 rows, V = 0.408; scipy's association agrees."""
    then, now = np.array([40, 10]), np.array([20, 30])
    assert cramers_v(then, now) == pytest.approx(math.sqrt(100 / 6 / 100))
    assert cramers_v(then, now) == pytest.approx(association(np.array([then, now]), correction=False))


def test_cramers_v_does_not_depend_on_how_many_reference_rows_there_are():
    """A thousand times the reference rows leave the effect as it is; the textbook's V would nearly vanish."""
    then, now = np.array([40, 10]), np.array([20, 30])
    assert cramers_v(then * 1000, now) == pytest.approx(float(cramers_v(then, now)))


def test_pearsons_p_value_is_scipys():
    """Without continuity correction; empty bins on both sides are left out."""
    then, now = np.array([40, 10, 0, 7]), np.array([20, 30, 0, 9])
    expected = chi2_contingency(np.array([then, now])[:, [0, 1, 3]], correction=False).pvalue
    assert chi_square_p_value(then, now) == pytest.approx(expected)
    assert chi_square_p_value(np.array([5, 0]), np.array([9, 0])) is None


@given(histograms, histograms)
def test_jensen_shannon_is_scipys_in_base_two(then, now):
    """Between 0 for equal and 1 for disjoint shares."""
    assert jensen_shannon_distance(then, now) == pytest.approx(jensenshannon(then, now, base=2), abs=1e-7)


def test_disjoint_histograms_are_as_far_apart_as_can_be():
    """Both bounded distances are 1."""
    then, now = np.array([5, 0]), np.array([0, 9])
    assert jensen_shannon_distance(then, now) == 1
    assert cramers_v(then, now) == 1


@pytest.mark.parametrize("distance", sorted(VALUES))
def test_intervals_agree_with_draws_of_both_histograms(distance):
    """The spread of the delta method is that of 4,000 multinomial draws, within a tenth."""
    rng = np.random.default_rng(0)
    p, q = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.2, 0.3, 0.25, 0.25])
    then, now = 8_000 * p, 2_000 * q
    draws = VALUES[distance](rng.multinomial(8_000, p, 4_000), rng.multinomial(2_000, q, 4_000))
    found = distance_interval(distance, then, now, confidence=0.9)
    low, high = np.quantile(draws, [0.05, 0.95])
    assert found.high - found.low == pytest.approx(high - low, rel=0.15)
    assert found.low <= low
    assert found.high == pytest.approx(high, rel=0.05)


@pytest.mark.parametrize("distance", sorted(VALUES))
@pytest.mark.parametrize("rows", [400, 5_000])
def test_the_true_distance_is_inside_as_often_as_promised(distance, rows):
    """Of 500 pairs of samples, at most 5 % have a bound on the wrong side of the true distance, either way."""
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(20, 5.0))
    for q in (p, rng.dirichlet(np.full(20, 5.0))):
        true = float(VALUES[distance](p, q))
        pairs = zip(rng.multinomial(20_000, p, 500), rng.multinomial(rows, q, 500), strict=True)
        found = [distance_interval(distance, *pair, confidence=0.9) for pair in pairs]
        assert np.mean([i.low > true for i in found]) <= 0.06
        assert np.mean([i.high < true for i in found]) <= 0.06


@pytest.mark.parametrize("distance", sorted(VALUES))
@given(histograms, histograms)
@settings(max_examples=40)
def test_an_interval_holds_its_value(distance, then, now):
    """However sparse the histograms are."""
    found = distance_interval(distance, then, now, confidence=0.9)
    assert found.low <= float(VALUES[distance](then, now)) <= found.high


def transported(then, now):
    """KS and Wasserstein from histograms on the reference's edges."""
    profile = build_profile(pd.DataFrame({"x": then}), ["x"], [])
    sums = current_sums(pd.DataFrame({"x": now}), profile)
    feature = profile.features["x"]
    sides = _reference_histogram(feature), _current_histogram(feature, sums.features["x"])
    unit = feature.scale
    return kolmogorov_smirnov(*sides, confidence=0.9), wasserstein(*sides, confidence=0.9), unit


def exact_ks(then, now):
    """By definition, at every number of either side."""
    places = np.concatenate([then, now])
    shares = [np.searchsorted(np.sort(side), places, side="right") / side.size for side in (then, now)]
    return np.abs(shares[0] - shares[1]).max()


@given(numbers, numbers)
@settings(max_examples=60)
def test_ks_and_wasserstein_of_the_rows_lie_between_value_and_bound(then, now):
    """Certified: whatever the rows, their exact distances are within what the histograms say."""
    ks, area, unit = transported(then, now)
    assert ks.value - 1e-9 <= exact_ks(then, now) <= ks.bound + 1e-9
    within = np.clip(now, then.mean() - REACH * unit, then.mean() + REACH * unit)
    exact = wasserstein_distance(then, within) / unit
    # Means are kept to 2 ** -17 of the scale.
    assert area.value - 2e-5 <= exact + 1e-9 * abs(exact) + 2e-5
    assert exact <= area.bound * (1 + 1e-9) + 2e-5


def test_few_values_have_the_exact_distances():
    """With a bin for each value nothing is lost: the bound is the value."""
    rng = np.random.default_rng(2)
    then, now = rng.integers(0, 50, 4_000).astype(float), rng.integers(5, 50, 3_000).astype(float)
    ks, area, unit = transported(then, now)
    assert ks.value == pytest.approx(ks_2samp(then, now).statistic, abs=1e-12)
    assert ks.bound == pytest.approx(ks.value, abs=1e-12)
    assert area.value * unit == pytest.approx(wasserstein_distance(then, now), rel=1e-4)


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_transport_intervals_cover_the_true_distances(shift):
    """Of 200 samples of a shifted normal, at least 90 % hold KS 2 Phi(shift / 2) - 1 and an area of the shift."""
    rng = np.random.default_rng(3)
    true_ks = math.erf(shift / 2 / math.sqrt(2))
    kept_ks = kept_area = 0
    for _ in range(200):
        ks, area, unit = transported(rng.normal(0, 1, 1_500), rng.normal(shift, 1, 1_000))
        kept_ks += ks.interval.low <= true_ks <= ks.interval.high
        kept_area += area.interval.low * unit <= shift <= area.interval.high * unit
    assert kept_ks >= 180
    assert kept_area >= 180


def test_ks_p_value_is_scipys_for_many_rows():
    """Kolmogorov's limiting distribution, for values that have a bin each."""
    rng = np.random.default_rng(4)
    then, now = rng.integers(0, 20, 3_000).astype(float), rng.integers(0, 20, 2_000).astype(float)
    ks, _, _ = transported(then, now)
    statistic = ks_2samp(then, now).statistic
    assert ks.p_value == pytest.approx(kstwobign.sf(statistic * math.sqrt(3_000 * 2_000 / 5_000)), abs=1e-9)


edges = st.lists(st.floats(-1e9, 1e9), min_size=0, max_size=60, unique=True).map(sorted).map(np.array)


@given(edges, st.lists(st.floats(allow_nan=False), max_size=60), st.floats(1e-9, 1e9))
@settings(max_examples=60)
def test_bins_are_those_of_a_binary_search(some, extra, scale):
    """For any edges and any numbers, infinities, the edges themselves and their neighbours among them."""
    some = np.unique(some * scale).astype(float)
    near = np.concatenate([some, np.nextafter(some, np.inf), np.nextafter(some, -np.inf), np.array(extra)])
    assert (Binning(some)(near) == np.searchsorted(some, near, side="right")).all()


def test_the_sample_of_rows_is_the_same_from_any_parts():
    """Thinned as it grows, in any order of adding: a function of the positions only."""
    values = np.random.default_rng(5).normal(size=3 * SAMPLE_ROWS)
    values[7] = np.inf
    whole = row_sample({"x": values}, values.size)
    cuts = [0, 17, 131_072, 140_000, 250_000, values.size]
    parts = [row_sample({"x": values[a:b]}, b - a, start=a) for a, b in itertools.pairwise(cuts)]
    one, two, three, four, five = parts
    for joined in (one + two + three + four + five, five + (three + one) + (two + four)):
        assert joined.level == whole.level
        assert (
            joined.ranges
            == whole.ranges
            == {"x": (values[np.isfinite(values)].min(), values[np.isfinite(values)].max())}
        )
        assert sorted(joined.columns["x"]) == sorted(whole.columns["x"])
    assert SAMPLE_ROWS / 2 * 0.98 <= whole.hashes.size <= SAMPLE_ROWS


def test_quantiles_of_the_sample_are_within_the_stated_error():
    """Half a million ordered rows: the median's rank is off by 0.9 % at most."""
    values = np.arange(500_000.0)
    sample = row_sample({"x": values}, values.size).columns["x"]
    assert np.median(sample) / values.size == pytest.approx(0.5, abs=0.009)
