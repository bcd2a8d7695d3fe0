"""P-values from intervals agree with the intervals; adjusted ones with published numbers."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.limits import Limits
from gatewright.core.multiplicity import benjamini_hochberg, holm, p_of_breach, p_of_respect
from gatewright.core.results import Interval

ALPHA = 0.05
NORMAL = NormalDist()


def wald(value, error, *, confidence=0.9):
    reach = NORMAL.inv_cdf((1 + confidence) / 2) * error
    return Interval(low=value - reach, high=value + reach, confidence=confidence, method="test")


def test_holm_by_hand():
    """4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 raised to what came before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg_on_their_own_example():
    """Of the 15 p-values of Benjamini & Hochberg (1995, section 3.2), four are refused at 0.05; Holm refuses three."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
         0.7590, 1.0]  # fmt: skip
    assert sum(q <= 0.05 for q in benjamini_hochberg(p)) == 4
    assert sum(q <= 0.05 for q in holm(p)) == 3
    assert benjamini_hochberg(p)[:4] == pytest.approx([0.0015, 0.003, 0.0095, 0.035625])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms())
def test_the_order_of_slices_never_matters(p_values, random):
    """Each slice keeps its adjusted p-value wherever it stands, ties included."""
    order = list(range(len(p_values)))
    random.shuffle(order)
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p_values)
        assert adjust([p_values[k] for k in order]) == [adjusted[k] for k in order]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0, 1))
def test_holm_is_never_helped_by_one_more_slice(p_values, another):
    """Looking at one more slice cannot make the evidence against another stronger."""
    before, after = holm(p_values), holm([*p_values, another])[:-1]
    assert all(later >= earlier - 1e-12 for earlier, later in zip(before, after, strict=True))
    assert all(b <= h + 1e-12 for b, h in zip(benjamini_hochberg(p_values), before, strict=True))


def test_a_p_value_is_that_of_the_z_test():
    """0.8 with standard error 0.02 against at least 0.75: z = 2.5, p = 0.0062097."""
    assert p_of_respect(0.8, wald(0.8, 0.02), Limits(0.75, None)) == pytest.approx(0.0062096653)
    assert p_of_breach(0.8, wald(0.8, 0.02), Limits(None, 0.75)) == pytest.approx(0.0062096653)


@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(0.001, 1), st.floats(-1, 1), st.floats(0, 1))
def test_a_p_value_is_below_alpha_exactly_when_the_interval_respects_the_limit(value, down, up, edge, width):
    """For one limit, and for two as in TOST; intervals need not be symmetric."""
    interval = Interval(low=value - down, high=value + up, confidence=1 - 2 * ALPHA, method="test")
    for limits in (Limits(edge, None), Limits(None, edge), Limits(edge, edge + width)):
        p = p_of_respect(value, interval, limits)
        if abs(p - ALPHA) > 1e-9:
            assert (p < ALPHA) == limits.hold_all(interval)


@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(-1, 1))
def test_harm_is_shown_exactly_when_the_interval_is_beyond_the_limit(value, error, edge):
    """The test of a breach and the interval say the same."""
    for limits in (Limits(edge, None), Limits(None, edge)):
        p = p_of_breach(value, wald(value, error), limits)
        if abs(p - ALPHA) > 1e-9:
            assert (p < ALPHA) == limits.exclude(wald(value, error))


def test_without_any_doubt_the_edge_decides():
    """Two identical models differ by [0, 0]: not worse than 0 allows, but not better than 0 either."""
    none = Interval(low=0, high=0, confidence=0.9, method="test")
    assert p_of_respect(0, none, Limits(0.0, None)) == 0
    assert p_of_respect(0, none, Limits(0.0, None, strict=True)) == 1
    assert p_of_breach(0, none, Limits(0.0, None)) == 1


def test_p_values_at_the_limit_are_uniform():
    """With the true value on the limit 5 % fall under 5 %, within three Monte-Carlo errors of 2000 draws."""
    values = np.random.default_rng(0).normal(0.75, 0.02, 2000)
    p = [p_of_respect(v, wald(v, 0.02), Limits(0.75, None)) for v in values]
    assert np.mean(np.array(p) < ALPHA) == pytest.approx(ALPHA, abs=0.015)
