"""Gaps between groups in a mean, or in anything that is resampled by group, where `gaps` has shares of rows.

As there, the bounds are built from all pairs of groups, because the plug-in gap is biased upwards (Lum, Zhang, Bower
2022, FAccT): the largest of the pairs' upper bounds, each at alpha (intersection-union, Berger 1982), and the
largest of their lower bounds, each at alpha over the number of ordered pairs (Bonferroni). A pair's bounds are
Student's t with the resampled standard error of its difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import stdtr, stdtrit

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import FloatArray, IntArray
from gatewright.core.statistics.gap_changes import GapChange, ResampledRates

__all__ = ["MeanGap", "mean_gap_change"]


@dataclass(frozen=True)
class MeanGap:
    """``values`` of k groups, shape (k,), their ``replicates`` (B, k), and the blocks with rows of each, (k,)."""

    values: FloatArray
    replicates: FloatArray
    blocks: IntArray

    @property
    def value(self) -> float:
        """The largest value minus the smallest."""
        return float(np.ptp(self.values))

    def interval(self, confidence: float) -> Interval:
        """Each side errs with probability (1 - confidence) / 2."""
        alpha, ordered = (1 - confidence) / 2, self.values.size * (self.values.size - 1)
        pairs = list(self._pairs())
        high = max(difference + error * stdtrit(degrees, 1 - alpha) for difference, error, degrees in pairs)
        low = max(difference - error * stdtrit(degrees, 1 - alpha / ordered) for difference, error, degrees in pairs)
        return Interval(
            low=max(0.0, min(float(low), self.value)),
            high=max(float(high), self.value),
            confidence=confidence,
            method="Student's t over all pairs, block bootstrap",
        )

    def p_value(self) -> float | None:
        """Two-sided, of no difference between any two groups: the pairs' smallest, times their number."""
        found = [
            2 * float(stdtr(degrees, -difference / error)) for difference, error, degrees in self._pairs() if error > 0
        ]
        if not found:
            return 1.0 if self.value == 0 else None
        return min(1.0, len(found) * min(found))

    def _pairs(self) -> Iterator[tuple[float, float, int]]:
        """Absolute difference, standard error and degrees of freedom of each pair."""
        for a, b in combinations(range(self.values.size), 2):
            blocks = int(min(self.blocks[a], self.blocks[b]))
            differences = self.replicates[:, a] - self.replicates[:, b]
            error = float(np.nanstd(differences, ddof=1)) * (blocks / (blocks - 1)) ** 0.5
            yield abs(float(self.values[a] - self.values[b])), error, blocks - 1


def mean_gap_change(ours: MeanGap, theirs: MeanGap, *, confidence: float) -> tuple[Interval, float]:
    """Interval and two-sided p-value of the first gap minus the second, over the same groups: see `gap_changes`."""
    # `GapChange` bounds changes of shares, which cannot exceed 1: in this unit nothing comes near it.
    unit = 1000 * max(float(np.abs(gap.replicates).max()) for gap in (ours, theirs)) or 1.0
    first, second = (
        ResampledRates("difference", (gap.values / unit,), (gap.replicates / unit,)) for gap in (ours, theirs)
    )
    change, value = GapChange(first, second), ours.value - theirs.value
    interval = change.interval(
        value=value / unit, independent=int(ours.blocks.min()), confidence=confidence, method="pairs, block bootstrap"
    )
    bounds = {"low": min(interval.low * unit, value), "high": max(interval.high * unit, value)}
    return interval.model_copy(update=bounds), change.p_value()
