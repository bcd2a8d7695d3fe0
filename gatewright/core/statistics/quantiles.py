"""Quantiles of measured samples, with intervals that assume nothing about their distribution."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from gatewright.core.results import Interval

__all__ = ["order_statistic_interval", "sample_quantile"]


def sample_quantile(samples: NDArray[Any], probability: float) -> float:
    """The smallest sample that at least ``probability`` of the samples do not exceed; NaN without samples."""
    if not samples.size:
        return float("nan")
    return float(np.quantile(samples, probability, method="inverted_cdf"))


def order_statistic_interval(samples: NDArray[Any], probability: float, *, confidence: float) -> Interval | None:
    """Interval between two samples of the ``probability`` quantile, each side with error (1 - confidence) / 2.

    David & Nagaraja (2003), Order Statistics, 3rd edition, section 7.1. None when there are too few samples
    for a bound on either side.
    """
    n, tail = samples.size, (1 - confidence) / 2
    if not n:
        return None
    # cumulative[k] is the probability that at most k samples lie below the quantile.
    cumulative = bdtr(np.arange(n, dtype=np.float64), n, probability)
    below = int(np.searchsorted(cumulative, tail, side="right"))
    above = int(np.searchsorted(cumulative, 1 - tail, side="left")) + 1
    if below < 1 or above > n:
        return None
    ordered = np.sort(samples)
    return Interval(
        low=float(ordered[below - 1]),
        high=float(ordered[above - 1]),
        confidence=confidence,
        method="order statistics",
    )
