"""The 95 % intervals hold the truth in about 95 % of samples; `benchmarks.coverage` prints it at length."""

import numpy as np
import pytest

from benchmarks.coverage import EXEMPT, coverage, truth

SIMULATIONS = 30


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_hold_the_truth_as_often_as_they_say(clustered):
    """All metrics and changes, alone and in clusters of four: within Monte-Carlo error, and 93 to 97.5 % on average."""
    expected = truth(clustered=clustered, rows=100_000, samples=2)
    found = coverage(1_000, SIMULATIONS, clustered=clustered, expected=expected)
    honest = [share for name, share in found.items() if not name.startswith(EXEMPT)]
    assert min(found.values()) >= 0.95 - 3.5 * (0.95 * 0.05 / SIMULATIONS) ** 0.5, found
    assert 0.93 <= np.mean(honest) <= 0.975
