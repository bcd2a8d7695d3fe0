"""The smallest detectable effect is the one that is detected with the stated power."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.power import n_needed, smallest_effect, standard_error
from gatewright.core.results import Interval


def test_the_textbook_factor():
    """(1.645 + 0.842) standard errors at alpha 0.05 and power 0.8; equivalence takes 1.645 + 1.282."""
    assert smallest_effect(1.0, alpha=0.05, power=0.8) == pytest.approx(2.486475, abs=1e-6)
    assert smallest_effect(1.0, alpha=0.05, power=0.8, two_sided=True) == pytest.approx(2.926405, abs=1e-6)


def test_the_rows_of_the_usual_formula():
    """Two groups, 2 (z_0.975 + z_0.9)^2 / d^2 = 2 * 10.507 / 0.05^2 = 8406 each."""
    error_of_1000 = (2 / 1000) ** 0.5
    assert n_needed(1000, smallest_effect(error_of_1000, alpha=0.025, power=0.9), 0.05) == 8406


def test_an_effect_of_that_size_is_found_with_that_power():
    """Simulated: estimates at the limit plus the smallest effect have their lower bound above it 80 % of the time."""
    effect = smallest_effect(0.02, alpha=0.05, power=0.8)
    estimates = np.random.default_rng(0).normal(effect, 0.02, 20_000)
    assert np.mean(estimates - 1.6448536 * 0.02 > 0) == pytest.approx(0.8, abs=0.01)


def test_an_equivalence_of_that_size_is_found_with_that_power():
    """Simulated: with no difference at all both bounds are within the margin 80 % of the time."""
    margin = smallest_effect(0.02, alpha=0.05, power=0.8, two_sided=True)
    estimates = np.random.default_rng(0).normal(0, 0.02, 20_000)
    assert np.mean(np.abs(estimates) + 1.6448536 * 0.02 < margin) == pytest.approx(0.8, abs=0.01)


def test_a_bound_cut_at_the_end_of_the_scale_does_not_look_like_certainty():
    """0.98 [0.9, 1]: the error is read from the lower side."""
    cut = Interval(low=0.9, high=1.0, confidence=0.9, method="test")
    assert standard_error(0.98, cut) == pytest.approx(0.08 / 1.6448536)


@given(st.integers(1, 10**6), st.floats(0.001, 1), st.floats(0.001, 1))
def test_with_the_rows_that_are_needed_the_effect_is_small_enough(n, smallest, wanted):
    """Standard errors fall with the square root of rows."""
    rows = n_needed(n, smallest, wanted)
    assert smallest * (n / rows) ** 0.5 <= wanted * (1 + 1e-9)
