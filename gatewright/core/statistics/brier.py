"""The Brier score and where it comes from.

``brier = reliability - resolution + uncertainty`` (Murphy 1973, Journal of Applied Meteorology 12, 595-600), over
bins of the score. Resolution includes what scores tell apart within a bin (Stephenson, Coelho, Jolliffe 2008, Weather
and Forecasting 23, 752-757), so that the sum is exact; with one score a bin it is Murphy's.
"""

import numpy as np

from gatewright.core.statistics.blocks import FloatArray, Sums
from gatewright.core.statistics.confusion import quotient

__all__ = ["brier", "reliability", "resolution", "uncertainty"]


def brier(sums: Sums) -> FloatArray:
    """Mean of (score - label)**2, from ``squared_error`` and ``rows``."""
    return quotient(sums["squared_error"], sums["rows"])


def reliability(sums: Sums) -> FloatArray:
    """Mean squared gap of mean score and share of positives by bin; 0 is best. Sums by bin: last axis."""
    gaps = sums["bin_scores"] - sums["bin_positives"]
    squares = np.where(sums["bin_rows"] > 0, quotient(gaps * gaps, sums["bin_rows"]), 0.0)
    return quotient(squares.sum(axis=-1), sums["rows"])


def uncertainty(sums: Sums) -> FloatArray:
    """Variance of the label: the Brier score of the base rate; no model changes it."""
    share = quotient(sums["positives"], sums["rows"])
    return share * (1 - share)


def resolution(sums: Sums) -> FloatArray:
    """How far the scores tell rows apart; higher is better."""
    return reliability(sums) + uncertainty(sums) - brier(sums)
