"""Quantiles of samples: how many are needed, and how two models' quantiles compare."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.statistics.quantiles import order_statistic_interval, quantile_ratio_interval, samples_needed


@pytest.mark.parametrize(("probability", "confidence", "needed"), [(0.99, 0.9, 299), (0.95, 0.9, 59), (0.5, 0.95, 6)])
def test_samples_needed_are_those_of_wilks(probability, confidence, needed):
    """59 for a one-sided 95/95 limit and 299 for 95/99 are the classic numbers; six samples bound a median."""
    assert samples_needed(probability, confidence=confidence) == needed


@given(st.floats(0.01, 0.99), st.sampled_from([0.8, 0.9, 0.95]))
def test_needed_samples_are_the_fewest_that_have_an_interval(probability, confidence):
    """With one sample fewer there is none."""
    needed = samples_needed(probability, confidence=confidence)
    samples = np.arange(1.0, needed + 1)
    assert order_statistic_interval(samples, probability, confidence=confidence) is not None
    assert order_statistic_interval(samples[1:], probability, confidence=confidence) is None


def test_a_models_ratio_to_itself_is_one_within_its_interval():
    """Where both samples are the same the stretches agree, and the interval is that of order statistics."""
    samples = np.random.default_rng(0).lognormal(size=999)
    found = quantile_ratio_interval(samples, samples, 0.5, confidence=0.9)
    assert found.low < 1 < found.high
    assert found.low * found.high == pytest.approx(1)


def test_ratio_intervals_cover():
    """Of 99th percentiles 1.5 apart, in 150 pairs of 300 calls, about nine of ten 90 % intervals hold 1.5."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(150):
        ours, theirs = 1.5 * rng.lognormal(sigma=0.5, size=300), rng.lognormal(sigma=0.5, size=300)
        found = quantile_ratio_interval(ours, theirs, 0.99, confidence=0.9)
        hits += found.low <= 1.5 <= found.high
    assert 0.87 <= hits / 150 <= 0.99


def test_bursts_of_load_do_not_make_one_model_slower_than_itself():
    """Load that comes and goes in stretches of calls: of 100 pairs at least 85 % of 90 % intervals hold 1."""
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(100):
        load = np.repeat(rng.choice([1.0, 3.0], 20, p=[0.6, 0.4]), 15)
        ours, theirs = (load * rng.lognormal(sigma=0.2, size=300) for _ in range(2))
        found = quantile_ratio_interval(ours, theirs, 0.5, confidence=0.9)
        hits += found.low <= 1 <= found.high
    assert hits / 100 >= 0.85


def test_too_few_samples_have_no_ratio_and_unequal_numbers_are_refused():
    """Neither model's bound can be guessed, and calls that were not taken in turns say nothing."""
    many, few = np.arange(1.0, 400.0), np.arange(1.0, 100.0)
    assert quantile_ratio_interval(few, few, 0.99, confidence=0.9) is None
    with pytest.raises(ValueError, match="not taken in turns"):
        quantile_ratio_interval(many, few, 0.99, confidence=0.9)
