"""How far an expected calibration error is off by chance.

Noise opens gaps between scores and outcomes in every bin, and their absolute values add up: the error of a perfectly
calibrated model is above zero, and its resamples are further above (Bröcker 2012, Climate Dynamics 39, 655-667;
Kumar, Liang, Ma 2019, NeurIPS, "Verified Uncertainty Calibration"). So the gaps are first shrunk by their own
variance, to nothing where a chi-square test finds none; around these the resamples err as the estimate does around
the truth.
"""

import numpy as np
from scipy.special import chdtrc

from gatewright.core.statistics.blocks import Bootstrap, FloatArray, Statistic, Sums
from gatewright.core.statistics.confusion import quotient

__all__ = ["gap_errors"]

# Gaps that chance explains at this level are taken for none.
LEVEL = 0.01


def gap_errors(bootstrap: Bootstrap, gaps: Statistic) -> FloatArray:
    """Estimate minus truth in each resample, shape (resamples,); its mean is the upward bias.

    ``gaps``: summed score minus label by bin, last axis, of sums that hold ``rows``.
    """
    found, resampled = _shares(gaps, bootstrap.total)[0], _shares(gaps, bootstrap.replicates)
    shrunk = _shrunk(found, resampled.var(axis=0))
    errors: FloatArray = np.abs(resampled - found + shrunk).sum(axis=-1) - np.abs(shrunk).sum()
    return errors


def _shrunk(found: FloatArray, variance: FloatArray) -> FloatArray:
    noisy = variance > 0
    p_value = float(chdtrc(max(int(noisy.sum()), 1), float((found[noisy] ** 2 / variance[noisy]).sum())))
    if p_value > LEVEL:
        return np.where(noisy, 0.0, found)
    shrunk: FloatArray = np.sign(found) * np.sqrt(np.maximum(found**2 - variance, 0.0))
    return shrunk


def _shares(gaps: Statistic, sums: Sums) -> FloatArray:
    return quotient(gaps(sums), sums["rows"][..., None])
