"""Proportions on the same rows against published examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from gatewright.core.statistics.paired import mcnemar, tango, two_sided_p_value

discordant = st.integers(1, 300).flatmap(
    lambda n: st.tuples(st.integers(0, n // 2), st.integers(0, n // 2), st.just(n))
)


@pytest.mark.parametrize(
    ("counts", "confidence", "low", "high"),
    [
        # Tango (1998), section 6.1: soft contact lenses; the paper prints the lower limit -0.096.
        ((0, 1, 44), 0.9, -0.0957, 0.0365),
        # Airway hyper-responsiveness: Fagerland, Lydersen, Laake (2014), Statistics in Medicine 33, 2850-2875.
        ((1, 7, 21), 0.95, -0.517, -0.026),
        # The R package PropCIs, scoreci.mp.
        ((28, 25, 618), 0.9, -0.0148, 0.0247),
        ((20, 60, 1000), 0.95, -0.0584, -0.0231),
    ],
)
def test_tango_gives_the_published_intervals(counts, confidence, low, high):
    """To the digits printed."""
    interval = tango(*counts, confidence=confidence)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5.1e-4 if counts[2] == 21 else 5.1e-5)


def test_tango_tests_as_published():
    """At a margin of 0.1 the contact lenses have a statistic of 1.709: 0.1 is the limit at that quantile."""
    interval = tango(0, 1, 44, confidence=1 - 2 * 0.0437)
    assert interval.low == pytest.approx(-0.1, abs=1e-3)


def test_without_a_discordant_row_tango_doubts_by_z_squared():
    """The bounds are z**2 / (n + z**2), from the score equation by hand."""
    interval = tango(0, 0, 50, confidence=0.95)
    expected = 1.959963984540054**2 / (50 + 1.959963984540054**2)
    assert (interval.low, interval.high) == pytest.approx((-expected, expected), abs=1e-12)


@given(discordant)
def test_tango_mirrors_and_holds_the_estimate(counts):
    """Exchanging the models changes the sign; the bounds stay within -1 and 1."""
    first, second, n = counts
    forth, back = tango(first, second, n, confidence=0.9), tango(second, first, n, confidence=0.9)
    assert (-back.high, -back.low) == pytest.approx((forth.low, forth.high), abs=1e-9)
    assert -1 <= forth.low <= (first - second) / n <= forth.high <= 1
    assert forth.low < forth.high


@given(discordant)
def test_tango_rejects_equality_exactly_where_mcnemars_score_test_does(counts):
    """At a difference of nothing its statistic is McNemar's."""
    first, second, n = counts
    interval, p_value = tango(first, second, n, confidence=0.9), mcnemar(first, second).asymptotic
    if abs(p_value - 0.1) > 1e-9:
        assert (interval.low <= 0 <= interval.high) == (p_value > 0.1)


@pytest.mark.parametrize("counts", [(3, 3, 5), (-1, 0, 5), (0, 0, 0)])
def test_impossible_discordant_counts_are_refused(counts):
    """More discordant rows than rows, fewer than none, none at all."""
    with pytest.raises(ValueError, match="not paired counts"):
        tango(*counts, confidence=0.9)


def test_mcnemars_variants_of_the_airway_data_are_those_published():
    """Fagerland, Lydersen, Laake (2013): discordant counts 1 and 7."""
    found = mcnemar(1, 7)
    values = (found.exact, found.mid_p, found.asymptotic, found.corrected)
    assert values == pytest.approx((0.0703, 0.0391, 0.0339, 0.0771), abs=5e-5)


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_symmetric_and_mid_p_is_below_exact(first, second):
    """Probabilities, whichever model comes first."""
    found = mcnemar(first, second)
    assert found == mcnemar(second, first)
    assert 0 <= found.mid_p <= found.exact <= 1
    assert found.asymptotic <= found.corrected <= 1


def test_equal_discordant_counts_are_no_evidence():
    """Every variant says 1, also without any."""
    for count in (0, 1, 17, 5_000):
        found = mcnemar(count, count)
        assert (found.exact, found.mid_p, found.asymptotic) == pytest.approx((1, 1, 1), abs=1e-9)


def test_p_values_of_estimates_are_students():
    """Two standard errors with 9 degrees of freedom, and without any bound on them."""
    assert two_sided_p_value(2.0, 1.0, degrees=9) == pytest.approx(2 * student.sf(2, 9))
    assert two_sided_p_value(-1.959964, 1.0) == pytest.approx(0.05, abs=1e-6)


def test_an_estimate_without_an_error_has_no_p_value_unless_it_is_nothing():
    """A change seen alike in every resample cannot be tested."""
    assert two_sided_p_value(0.0, 0.0) == 1
    assert two_sided_p_value(0.1, 0.0) is None
    assert two_sided_p_value(0.1, float(np.nan)) is None
