"""Intervals and tests for proportions against published examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.statistics.proportions import (
    bonett_price_difference,
    newcombe_difference,
    wilson,
)

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_examples_of_newcombe_1998(successes, n, low, high):
    """Table I, method 3 (score without continuity correction), 95 %."""
    interval = wilson(successes, n, confidence=0.95)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((0, 10), (0, 10), -0.2775, 0.2775),
    ],
)
def test_newcombe_difference_gives_the_examples_of_newcombe_1998(first, second, low, high):
    """Table II, method 10 (square-and-add of Wilson bounds), 95 %."""
    interval = newcombe_difference(first, second, confidence=0.95)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5.1e-5)


def test_bonett_price_follows_its_formula():
    """With 5 and 2 discordant of 100: shares (6, 3)/102, 95 %."""
    interval = bonett_price_difference(5, 2, 100, confidence=0.95)
    difference, spread = 3 / 102, ((9 / 102 - (3 / 102) ** 2) / 102) ** 0.5
    expected = (difference - 1.959964 * spread, difference + 1.959964 * spread)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-6)


def test_bonett_price_without_discordant_pairs_still_has_a_width():
    """No disagreement in 50 rows does not mean none in the next 50."""
    interval = bonett_price_difference(0, 0, 50, confidence=0.9)
    assert interval.low < -0.03
    assert interval.high > 0.03


@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_holds_the_estimate_stays_within_bounds_and_mirrors(count, confidence):
    """The interval of failures is the mirror of that of successes."""
    successes, n = count
    interval = wilson(successes, n, confidence=confidence)
    mirror = wilson(n - successes, n, confidence=confidence)
    assert 0 <= interval.low <= successes / n <= interval.high <= 1
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx((interval.low, interval.high), abs=1e-12)


@given(counts, counts)
def test_newcombe_difference_changes_its_sign_with_the_order(first, second):
    """Swapping the two samples mirrors the interval."""
    forth = newcombe_difference(first, second, confidence=0.9)
    back = newcombe_difference(second, first, confidence=0.9)
    assert (-back.high, -back.low) == pytest.approx((forth.low, forth.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (3, 2), (-1, 5), (float("nan"), 5)])
def test_counts_that_are_no_proportion_are_refused(successes, n):
    """Nothing is computed from an empty or impossible count."""
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(successes, n, confidence=0.9)


def test_impossible_discordant_counts_are_refused():
    """More discordant pairs than pairs."""
    with pytest.raises(ValueError, match="not paired counts"):
        bonett_price_difference(3, 3, 5, confidence=0.9)
