"""Gaps between groups: the largest minus the smallest of their rates, or the smallest over the largest.

The plug-in gap of k groups is biased upwards, the more the smaller the groups (Lum, Zhang, Bower 2022,
"De-biasing 'bias' measurement", FAccT), and so is each of its resamples. Both bounds are therefore built from all
pairs of groups, where there is no such bias:

- The true gap is the difference of some pair, so that the largest of all pairs' upper bounds, each at alpha, covers
  it: an intersection-union test (Berger 1982, Technometrics 24, 295-300).
- Any pair's difference is at most the gap, so that the largest of all lower bounds, each at alpha over the number
  of ordered pairs, does not exceed it (Bonferroni).

The bounds of a pair combine the Wilson bounds of its rates: Newcombe's (1998) for differences, and the same on the
logarithm for ratios (Zou & Donner 2008, Statistics in Medicine 27, 1693-1702). They have a width at 0 and at 1, and
need no resampling.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.confusion import quotient

__all__ = ["Gap", "GapKind", "gap_interval", "gap_of", "worst"]

GapKind = Literal["difference", "ratio"]


@dataclass(frozen=True)
class Gap:
    """The gap between k groups in one rate: ``successes`` of ``counts``, each of shape (k,).

    Both are effective numbers where rows depend on each other: see `effective_counts`.
    """

    kind: GapKind
    successes: FloatArray
    counts: FloatArray

    @property
    def rates(self) -> FloatArray:
        return self.successes / self.counts

    @property
    def value(self) -> float:
        """NaN for a ratio of zeros."""
        return float(gap_of(self.rates, self.kind))

    def wide(self, z: float) -> float:
        """The bound away from fairness, each pair's at ``z`` standard deviations."""
        low, high = _pair_bounds(self, z)
        return float(min(high.max(), 1.0) if self.kind == "difference" else low.min())

    def narrow(self, z: float) -> float:
        """The bound towards fairness, each pair's at ``z`` standard deviations."""
        low, high = _pair_bounds(self, z)
        return float(max(low.max(), 0.0) if self.kind == "difference" else min(high.min(), 1.0))


def gap_of(rates: FloatArray, kind: GapKind) -> FloatArray:
    """fairlearn's gap between groups, of rates (..., k)."""
    highest, lowest = rates.max(axis=-1), rates.min(axis=-1)
    return highest - lowest if kind == "difference" else quotient(lowest, highest)


def worst(values: FloatArray, kind: GapKind) -> FloatArray:
    """The worst of gaps (gaps, ...): the largest difference, the smallest ratio; NaN where one is undefined."""
    furthest: FloatArray = values.max(axis=0) if kind == "difference" else values.min(axis=0)
    return furthest


def gap_interval(gaps: tuple[Gap, ...], confidence: float) -> Interval:
    """Interval of the worst of several gaps of one kind; each side errs with probability (1 - confidence) / 2."""
    kind = gaps[0].kind
    alpha = (1 - confidence) / 2
    wide = worst(np.array([gap.wide(_z(alpha)) for gap in gaps]), kind)
    narrow = worst(np.array([gap.narrow(_z(alpha / (_pairs(gap) * len(gaps)))) for gap in gaps]), kind)
    method = "Newcombe over all pairs" if kind == "difference" else "Zou-Donner over all pairs"
    low, high = sorted((float(wide), float(narrow)))
    return Interval(low=low, high=high, confidence=confidence, method=method)


def _pairs(gap: Gap) -> int:
    """Ordered pairs of different groups."""
    return gap.counts.size * (gap.counts.size - 1)


def _z(alpha: float) -> float:
    return NormalDist().inv_cdf(1 - alpha)


def _pair_bounds(gap: Gap, z: float) -> tuple[FloatArray, FloatArray]:
    """Bounds of the gap of each ordered pair of different groups; both of shape (pairs,)."""
    low, high = _wilson(gap, z)
    lower, upper = (_differences if gap.kind == "difference" else _ratios)(gap.rates, low, high)
    different = ~np.eye(gap.counts.size, dtype=bool)
    return lower[different], upper[different]


def _wilson(gap: Gap, z: float) -> tuple[FloatArray, FloatArray]:
    """`proportions.wilson` of many proportions, at ``z`` standard deviations."""
    share, n = gap.rates, gap.counts
    centre = share + z * z / (2 * n)
    margin = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At 0 and n the bounds are exactly 0 and 1; rounding would put the estimate outside.
    low = np.where(share == 0, 0.0, np.clip((centre - margin) / scale, 0.0, share))
    high = np.where(share == 1, 1.0, np.clip((centre + margin) / scale, share, 1.0))
    return low, high


def _differences(rates: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Newcombe's bounds of row group minus column group."""
    difference = rates[:, None] - rates
    below, above = (rates - low) ** 2, (high - rates) ** 2
    return (
        difference - np.sqrt(below[:, None] + above),
        difference + np.sqrt(above[:, None] + below),
    )


def _ratios(rates: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of row group over column group; quotients of Wilson bounds where a rate is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(rates)[:, None] - np.log(rates)
        margin = np.sqrt(np.log(rates / low)[:, None] ** 2 + np.log(high / rates) ** 2)
        lower = np.where(rates > 0, np.exp(ratio - margin), low[:, None] / high)
    lower = np.where(rates[:, None] > 0, lower, 0.0)
    # The upper bound of a ratio is the inverse of the lower bound of its inverse.
    with np.errstate(divide="ignore"):
        return lower, 1 / lower.T
