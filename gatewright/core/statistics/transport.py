"""How far two distributions of numbers are apart, from histograms that know how much each bin holds and its mean.

Both values are certified: those of the rows themselves lie between the value and a bound that is computed from the
same histograms, however the rows are spread within their bins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogi, kolmogorov

from gatewright.core.normal import critical_value
from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["Histogram", "Transport", "kolmogorov_smirnov", "wasserstein"]


@dataclass(frozen=True)
class Histogram:
    """``counts`` and ``means`` of the bins between inner ``edges``, the smallest and largest value, the deviation.

    Shapes (bins,), (bins,) and (bins - 1,), all in one unit; the mean of an empty bin is of no consequence.
    ``points``: which bins can hold one number only, shape (bins,).
    """

    edges: FloatArray
    points: NDArray[np.bool_]
    counts: FloatArray
    means: FloatArray
    low: float
    high: float
    deviation: float

    @property
    def rows(self) -> float:
        """How many rows it holds."""
        return float(self.counts.sum())

    def cumulative(self) -> FloatArray:
        """The share of rows below each border of a bin, from 0 to 1, shape (bins + 1,)."""
        shares = np.concatenate([[0.0], np.cumsum(self.counts)]) / self.rows
        shares[-1] = 1.0
        return shares


@dataclass(frozen=True)
class Transport:
    """A distance of the binned rows, and ``bound``: that of the rows themselves is not above it."""

    value: float
    bound: float
    interval: Interval
    p_value: float | None = None


def kolmogorov_smirnov(reference: Histogram, current: Histogram, *, confidence: float) -> Transport:
    """The largest difference of the shares of rows below a number. Both histograms need rows and the same edges.

    ``value`` looks at the edges; within a bin the difference cannot exceed what one side's share at one border and
    the other's at the other border differ by, which gives ``bound``. The interval adds the Kolmogorov quantile of
    the sampling error on both sides (Smirnov 1948, Annals of Mathematical Statistics 19).
    """
    first, second = reference.cumulative(), current.cumulative()
    value = float(np.abs(first - second).max())
    inside = np.maximum(first[1:] - second[:-1], second[1:] - first[:-1])
    bound = max(value, float(np.max(inside, where=~reference.points, initial=0.0)))
    spread = (1 / reference.rows + 1 / current.rows) ** 0.5
    error = float(kolmogi(1 - confidence)) * spread
    interval = Interval(
        low=max(0.0, value - error),
        high=min(1.0, bound + error),
        confidence=confidence,
        method="Kolmogorov quantile, widened by the bins",
    )
    return Transport(value, bound, interval, float(kolmogorov(value / spread)))


def wasserstein(reference: Histogram, current: Histogram, *, confidence: float) -> Transport:
    """Area between the two cumulative distributions, in the histograms' unit. Both need rows and the same edges.

    ``value`` is exact unless the two cross within a bin; ``bound`` holds even then. The lower end of the interval
    is corrected for what the area is on average without any drift; the sampling error rests on the area being an
    expectation of a function with slope 1 at most, whose deviation is at most that of the rows.
    """
    first, second = reference.cumulative(), current.cumulative()
    outer = np.array([min(reference.low, current.low), max(reference.high, current.high)])
    borders = np.maximum.accumulate(np.concatenate([outer[:1], reference.edges, outer[1:]]))
    widths = np.diff(borders)
    below = [_mass_below(h, borders, widths, c) for h, c in ((reference, first), (current, second))]
    areas = np.abs(below[0] - below[1])
    value = float(areas.sum())
    bound = max(value, float(np.maximum(areas, _widest(below, first, second, widths)).sum()))
    sampling = (reference.deviation**2 / reference.rows + current.deviation**2 / current.rows) ** 0.5
    margin = critical_value(confidence) * sampling
    interval = Interval(
        low=max(0.0, value - margin - _expected_area(reference, current, borders)),
        high=bound + margin,
        confidence=confidence,
        method="Lipschitz bound, widened by the bins",
    )
    return Transport(value, bound, interval)


def _mass_below(side: Histogram, borders: FloatArray, widths: FloatArray, cumulative: FloatArray) -> FloatArray:
    """Integral of the cumulative distribution over each bin."""
    within = np.where(side.counts > 0, borders[1:] - side.means, 0.0) * side.counts / side.rows
    # Rounding of means must not put mass outside its bin.
    return cumulative[:-1] * widths + np.clip(within, 0.0, widths * np.diff(cumulative))


def _widest(below: list[FloatArray], first: FloatArray, second: FloatArray, widths: FloatArray) -> FloatArray:
    """Upper bounds of the area within each bin: by its borders, or by going through either border's difference."""
    by_borders = widths * np.maximum(first[1:] - second[:-1], second[1:] - first[:-1])
    left = sum(area - widths * c[:-1] for area, c in zip(below, (first, second), strict=True))
    right = sum(widths * c[1:] - area for area, c in zip(below, (first, second), strict=True))
    by_left = left + widths * np.abs(first - second)[:-1]
    by_right = right + widths * np.abs(first - second)[1:]
    return np.minimum(by_borders, np.minimum(by_left, by_right))


def _expected_area(reference: Histogram, current: Histogram, borders: FloatArray) -> float:
    """What the area is on average without any drift: integral of sqrt(2/pi F(1 - F)(1/n + 1/m)).

    del Barrio, Gine & Matran (1999), Annals of Probability 27. A long thin tail counts by twice the mean distance
    of its rows from the border towards the median, not by its width.
    """
    counts = reference.counts + current.counts
    pooled = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
    spread = np.sqrt(np.clip(pooled * (1 - pooled), 0.0, None))
    sums = reference.counts * reference.means + current.counts * current.means
    means = sums / np.maximum(counts, 1e-300)
    inwards = np.where(pooled[:-1] >= 0.5, means - borders[:-1], borders[1:] - means)
    widths = np.diff(borders)
    reach = np.where(counts > 0, np.clip(2 * inwards, 0.0, widths), widths)
    area = float((reach * np.maximum(spread[:-1], spread[1:])).sum())
    return float((2 / np.pi * (1 / reference.rows + 1 / current.rows)) ** 0.5 * area)
