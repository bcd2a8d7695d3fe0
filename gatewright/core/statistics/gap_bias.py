"""How far an expected calibration error is off by chance.

Noise opens gaps between scores and outcomes in every bin, and their absolute values add up: the error of a perfectly
calibrated model is above zero, and its resamples are further above (Bröcker 2012, Climate Dynamics 39, 655-667;
Kumar, Liang, Ma 2019, NeurIPS, "Verified Uncertainty Calibration"). So the gaps are first shrunk by their own
variance; around these the resamples err as the estimate does around the truth.
"""

import numpy as np

from gatewright.core.statistics.blocks import Bootstrap, FloatArray, Statistic, Sums
from gatewright.core.statistics.confusion import quotient

__all__ = ["gap_errors"]


def gap_errors(bootstrap: Bootstrap, gaps: Statistic) -> FloatArray:
    """Estimate minus truth in each resample, shape (resamples,); its mean is the upward bias.

    ``gaps``: summed score minus label by bin, last axis, of sums that hold ``rows``.
    """
    found, resampled = _shares(gaps, bootstrap.total)[0], _shares(gaps, bootstrap.replicates)
    shrunk = np.sign(found) * np.sqrt(np.maximum(found**2 - resampled.var(axis=0), 0.0))
    errors: FloatArray = np.abs(resampled - found + shrunk).sum(axis=-1) - np.abs(shrunk).sum()
    return errors


def _shares(gaps: Statistic, sums: Sums) -> FloatArray:
    return quotient(gaps(sums), sums["rows"][..., None])
