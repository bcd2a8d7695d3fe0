"""A two-sided p-value for the change between two models that were resampled with the same weights."""

import numpy as np

from gatewright.core.statistics.blocks import MINIMUM_BLOCKS, FloatArray
from gatewright.core.statistics.paired import two_sided_p_value

__all__ = ["resampled_p_value"]


def resampled_p_value(value: float, replicates: FloatArray, *, blocks: int) -> float | None:
    """P-value of no change: Student's t of ``value`` over its resampled standard error, ``blocks`` - 1 degrees.

    Student's t, for the tail of 1000 resamples ends at 0.001 while Holm's correction asks for less. 1 where
    nothing changed in any resample. None where there is no standard error to divide by: too few blocks, or
    the same change in all of them.
    """
    defined = replicates[np.isfinite(replicates)]
    if not (np.isfinite(value) and blocks >= MINIMUM_BLOCKS and defined.size > 1):
        return None
    error = float(defined.std(ddof=1)) * (blocks / (blocks - 1)) ** 0.5
    # Below the rounding of the sums a spread is none.
    spread = error > 1e-15 * float(np.abs(defined).max())
    return two_sided_p_value(value, error if spread else 0.0, degrees=blocks - 1)
