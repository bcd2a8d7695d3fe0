"""Quantiles of measured samples, with intervals that assume nothing about their distribution."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import MINIMUM_BLOCKS, REPLICATES, FloatArray, hull, percentile_interval

__all__ = ["order_statistic_interval", "quantile_ratio_interval", "sample_quantile", "samples_needed"]

STRETCHES = 30


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
    """Interval of the quantile of ``candidate`` over that of ``champion``; both positive, of shape (n,), in time.

    The two order-statistic intervals combined on the logarithm by squaring and adding (Zou & Donner 2008,
    Statistics in Medicine 27, 1693-1702), and where there are samples enough at least a bootstrap of stretches of
    time (`_by_stretches`), for calls that follow each other are not independent. None when either
    order-statistic interval is None. Raises ValueError for samples of different sizes.
    """
    if candidate.shape != champion.shape:
        raise ValueError(f"{candidate.size} and {champion.size} samples were not taken in turns")
    ours = order_statistic_interval(candidate, probability, confidence=confidence)
    theirs = order_statistic_interval(champion, probability, confidence=confidence)
    if ours is None or theirs is None:
        return None
    a, b = math.log(sample_quantile(candidate, probability)), math.log(sample_quantile(champion, probability))
    low = a - b - math.hypot(a - math.log(ours.low), math.log(theirs.high) - b)
    high = a - b + math.hypot(math.log(ours.high) - a, b - math.log(theirs.low))
    combined = Interval(
        low=math.exp(low), high=math.exp(high), confidence=confidence, method="square-and-add of order statistics"
    )
    return hull(combined, _by_stretches(candidate, champion, probability, confidence)) or combined


def _by_stretches(
    candidate: NDArray[Any], champion: NDArray[Any], probability: float, confidence: float
) -> Interval | None:
    """Bootstrap interval of the ratio from whole stretches of time, in which both models met the same load.

    A block bootstrap (Künsch 1989, Annals of Statistics 17, 1217-1241) with at most `STRETCHES` fixed blocks. None
    with fewer than `MINIMUM_BLOCKS`.
    """
    stretches = min(STRETCHES, candidate.size // 2)
    if stretches < MINIMUM_BLOCKS:
        return None
    stretch = np.arange(candidate.size) * stretches // candidate.size
    weights = np.random.default_rng(0).multinomial(stretches, np.full(stretches, 1 / stretches), size=REPLICATES)
    ours, theirs = (_weighted_quantiles(samples, weights, stretch, probability) for samples in (candidate, champion))
    value = sample_quantile(candidate, probability) / sample_quantile(champion, probability)
    return percentile_interval(
        value, ours / theirs, blocks=stretches, confidence=confidence, method="bootstrap of stretches"
    )


def _weighted_quantiles(
    samples: NDArray[Any], weights: NDArray[np.int64], stretch: NDArray[np.int64], probability: float
) -> FloatArray:
    """`sample_quantile` of each resample, shape (resamples,); ``weights``: resamples x stretches."""
    order = np.argsort(samples, kind="stable")
    below = np.cumsum(weights[:, stretch[order]], axis=1, dtype=np.int64)
    reached = below >= probability * below[:, -1:]
    quantiles: FloatArray = samples[order][reached.argmax(axis=1)].astype(np.float64)
    return quantiles
