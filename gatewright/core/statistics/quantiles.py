"""Quantiles of measured samples, with intervals that assume nothing about their distribution."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from gatewright.core.results import Interval

__all__ = ["order_statistic_interval", "quantile_ratio_interval", "sample_quantile", "samples_needed"]


def sample_quantile(samples: NDArray[Any], probability: float) -> float:
    """The smallest sample that at least ``probability`` of the samples do not exceed; NaN without samples."""
    if not samples.size:
        return float("nan")
    return float(np.quantile(samples, probability, method="inverted_cdf"))


def samples_needed(probability: float, *, confidence: float) -> int:
    """The fewest samples for which `order_statistic_interval` has both bounds.

    All samples lie on one side of the quantile with probability max(p, 1 - p)^n, which must not exceed the
    error allowed on a side: 299 for a 99th percentile at 90 %, 5 for a median. Wilks (1941), Annals of
    Mathematical Statistics 12, 91-96.
    """
    tail = (1 - confidence) / 2
    return math.ceil(math.log(tail) / math.log(max(probability, 1 - probability)))


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


def quantile_ratio_interval(
    candidate: NDArray[Any], champion: NDArray[Any], probability: float, *, confidence: float
) -> Interval | None:
    """Interval of the quantile of ``candidate`` over that of ``champion``; both samples positive.

    The two order-statistic intervals combined on the logarithm by squaring and adding (Zou & Donner 2008,
    Statistics in Medicine 27, 1693-1702), for independent samples. None when either interval is None.
    """
    ours = order_statistic_interval(candidate, probability, confidence=confidence)
    theirs = order_statistic_interval(champion, probability, confidence=confidence)
    if ours is None or theirs is None:
        return None
    a, b = math.log(sample_quantile(candidate, probability)), math.log(sample_quantile(champion, probability))
    low = a - b - math.hypot(a - math.log(ours.low), math.log(theirs.high) - b)
    high = a - b + math.hypot(math.log(ours.high) - a, b - math.log(theirs.low))
    return Interval(
        low=math.exp(low), high=math.exp(high), confidence=confidence, method="square-and-add of order statistics"
    )
