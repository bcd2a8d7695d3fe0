"""Sums of real numbers that are the same bytes in any order: integers in steps of 2**-40.

A value is kept as two integers, whole steps of 2**-20 and what is left in steps of 2**-40, whose sums neither
round nor overflow: 2**20 rows of any bounded quantity stay below 2**53, where a float counts exactly.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = ["FIXED_POINT_ROWS", "fixed_point_sums", "from_fixed_point"]

STEPS = float(1 << 20)
# At most so many rows of values up to 2**12 may be summed at once; sums of parts then add up without limit.
FIXED_POINT_ROWS = 1 << 20


def fixed_point_sums(keys: NDArray[Any], values: FloatArray, size: int) -> IntArray:
    """Sums of ``values`` (at least 0, below 4096) by key, shape (size, 2), exact to 2**-41 for each value.

    ``keys``: integers below ``size``, shape (rows,). Raises ValueError above ``FIXED_POINT_ROWS`` rows.
    """
    if values.size > FIXED_POINT_ROWS:
        raise ValueError(f"{values.size} rows at once may overflow; sum at most {FIXED_POINT_ROWS}")
    scaled = values * STEPS
    whole = np.floor(scaled)
    rest = np.rint((scaled - whole) * STEPS)
    parts = [np.bincount(keys, weights=part, minlength=size) for part in (whole, rest)]
    return np.stack(parts, axis=-1).astype(np.int64)


def from_fixed_point(sums: IntArray) -> FloatArray:
    """The sums as floats: the last axis, of length 2, is taken away."""
    values: FloatArray = (sums[..., 0] + sums[..., 1] / STEPS) / STEPS
    return values
