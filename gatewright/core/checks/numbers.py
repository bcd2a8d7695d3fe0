"""A column of a frame as numbers."""

from typing import Any

import numpy as np
import pandas as pd

from gatewright.core.statistics.blocks import FloatArray

__all__ = ["finite_numbers", "numbers"]


def numbers(column: "pd.Series[Any]") -> FloatArray:
    """The values as floats with NaN for null, shape (rows,)."""
    values: FloatArray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def finite_numbers(column: "pd.Series[Any]") -> FloatArray:
    """The values that are neither null nor infinite."""
    values = numbers(column)
    finite: FloatArray = values[np.isfinite(values)]
    return finite
