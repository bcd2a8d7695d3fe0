"""Intervals of an expected calibration error that know that chance only ever adds to it.

Noise opens gaps between scores and outcomes in every bin, and their absolute values add up: the error of a perfectly
calibrated model is above zero, and its resamples are further above (Bröcker 2012, Climate Dynamics 39, 655-667;
Kumar, Liang, Ma 2019, NeurIPS, "Verified Uncertainty Calibration"). So the resampled noise is laid around multiples
of the observed gaps, and a bound is the multiple under which the observed error would be just too extreme: a
test inverted along the observed direction. The change of two errors combines both intervals (MOVER: Zou & Donner 2008,
Statistics in Medicine 27, 1693-1702).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import (
    MINIMUM_BLOCKS,
    Bootstrap,
    FloatArray,
    Statistic,
    Sums,
    expanded_tail,
)
from gatewright.core.statistics.confusion import quotient

__all__ = ["GapError", "changed_gap_interval"]

METHOD = "inverted block bootstrap of the gaps"
# Bounds are sought up to so many times the observed error.
FURTHEST = 64.0
HALVINGS = 22


@dataclass(frozen=True, eq=False)
class GapError:
    """Mean absolute gaps ``found`` by bin, shape (bins,), and their resampled ``noise``, shape (resamples, bins)."""

    found: FloatArray
    noise: FloatArray
    blocks: int

    @classmethod
    def of(cls, bootstrap: Bootstrap, gaps: Statistic) -> "GapError":
        """``gaps``: summed score minus label by bin, last axis, of sums that hold ``rows``."""
        found, resampled = _shares(gaps, bootstrap.total)[0], _shares(gaps, bootstrap.replicates)
        return cls(found, resampled - found, bootstrap.blocks)

    @property
    def value(self) -> float:
        """The error as usually defined, biased upwards."""
        return float(np.abs(self.found).sum())

    @cached_property
    def middle(self) -> float:
        """The error under which the observed one would be the median."""
        return self.bound(0.5)

    @property
    def resampled(self) -> FloatArray:
        """The error in each resample."""
        return self._errors(1.0)

    def interval(self, confidence: float) -> Interval | None:
        """Of the true error, widened to hold the value; None with fewer than ``MINIMUM_BLOCKS`` blocks."""
        if self.blocks < MINIMUM_BLOCKS:
            return None
        tail = expanded_tail(self.blocks, confidence)
        low, high = min(self.bound(tail), self.value), max(self.bound(1 - tail), self.value)
        return Interval(low=low, high=high, confidence=confidence, method=METHOD)

    def bound(self, share: float) -> float:
        """The error that would give at least the observed one with a probability of ``share``; 0 if even none would."""
        if share not in self._bounds:
            self._bounds[share] = self._sought(share)
        return self._bounds[share]

    @cached_property
    def _bounds(self) -> dict[float, float]:
        return {}

    def _sought(self, share: float) -> float:
        low, high = 0.0, FURTHEST
        if self._exceeding(low) >= share:
            return 0.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self._exceeding(middle) >= share else (middle, high)
        return high * self.value

    def _exceeding(self, multiple: float) -> float:
        return float((self._errors(multiple) >= self.value).mean())

    def _errors(self, multiple: float) -> FloatArray:
        errors: FloatArray = np.abs(self.noise + multiple * self.found).sum(axis=-1)
        return errors


def changed_gap_interval(candidate: GapError, champion: GapError, confidence: float) -> Interval | None:
    """Of the candidate's error minus the champion's on the same resamples; not yet widened to hold the value."""
    ours, theirs = candidate.interval(confidence), champion.interval(confidence)
    if ours is None or theirs is None:
        return None
    shared, change = _correlation(candidate.resampled, champion.resampled), candidate.middle - champion.middle
    return Interval(
        low=change - _combined(candidate.middle - ours.low, theirs.high - champion.middle, shared),
        high=change + _combined(ours.high - candidate.middle, champion.middle - theirs.low, shared),
        confidence=confidence,
        method=f"MOVER of {METHOD}",
    )


def _combined(first: float, second: float, correlation: float) -> float:
    return float(max(first**2 + second**2 - 2 * correlation * first * second, 0.0) ** 0.5)


def _correlation(first: FloatArray, second: FloatArray) -> float:
    if not (first.std() > 0 and second.std() > 0):
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _shares(gaps: Statistic, sums: Sums) -> FloatArray:
    return quotient(gaps(sums), sums["rows"][..., None])
