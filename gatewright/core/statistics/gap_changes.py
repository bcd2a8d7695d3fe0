"""The change of a gap between two models that decided on the same rows.

Each gap is the worst of many pairs of groups, and biased away from fairness the more the closer the groups are:
resamples of the difference of two gaps miss the truth where one model is fair and the other is not. The bounds go
through the pairs instead. Let (i, j) be the pair that is truly worst for the first model, with the observed
distance h. The second model's gap is at least its distance g of the same pair, and at least that of the pair (k, l)
that looks worst for it, whose error is at most the largest error of any pair that may be its worst. Hence

    change <= h_ij - g_ij + (error of g_ij) - (error of h_ij),
    change <= h_ij - g_kl + (largest error of a contender) - (error of h_ij),

each at alpha / 2, with errors from the same resamples of both models; the smaller one counts. (i, j) is not known, so
that the bound is the largest over all pairs that may be the worst one (intersection-union). Which may be is decided
as moments are selected in Andrews & Soares (2010), Econometrica 78, 119-157.
"""

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from scipy.special import stdtrit

from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import FloatArray, IntArray
from gatewright.core.statistics.gaps import GapKind

__all__ = ["ResampledRates", "change_interval", "change_p_value"]

# A pair may be the worst when it is this many standard errors or less behind the one that looks worst.
REACH = 2.5
# Among very many groups that are alike only so many pairs are followed.
MAXIMUM_PAIRS = 1000


@dataclass(frozen=True)
class ResampledRates:
    """One model's rates, for each of the rates whose gaps count: ``values`` of shape (k,), resampled (B, k).

    A pair's distance from fairness is its difference, or its ratio with a minus sign: the gap is the largest.
    """

    kind: GapKind
    values: tuple[FloatArray, ...]
    replicates: tuple[FloatArray, ...]

    @cached_property
    def distances(self) -> FloatArray:
        """Of all ordered pairs of groups, rate after rate; -inf of pairs that cannot be the worst."""
        found = [self._distance(rates[:, None], rates) for rates in self.values]
        for distances in found:
            np.fill_diagonal(distances, -np.inf)
        flat = np.concatenate([distances.ravel() for distances in found])
        return np.where(np.isnan(flat), -np.inf, flat)

    @cached_property
    def contenders(self) -> IntArray:
        """The pairs that may be the worst, as indices of ``distances``; first the one that looks worst."""
        spreads = np.concatenate([self._spreads(*both) for both in zip(self.values, self.replicates, strict=True)])
        order: IntArray = np.argsort(-self.distances, kind="stable")[:MAXIMUM_PAIRS]
        behind = self.distances[order[0]] - self.distances[order]
        near = ~(behind > REACH * (spreads[order] + spreads[order[0]]))
        kept: IntArray = order[near & np.isfinite(self.distances[order])]
        return kept

    def errors(self, pairs: IntArray) -> FloatArray:
        """Distances of ``pairs`` in each resample minus their mean, shape (B, pairs)."""
        columns = []
        for rate, first, second in zip(*self._located(pairs), strict=True):
            replicates = self.replicates[rate]
            columns.append(self._distance(replicates[:, first], replicates[:, second]))
        distances = np.stack(columns, axis=1)
        finite = np.isfinite(distances)
        means = np.where(finite, distances, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
        return np.where(finite, distances, np.nan) - means

    def _located(self, pairs: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        starts = np.cumsum([0, *(rates.size**2 for rates in self.values)])
        rate = np.searchsorted(starts, pairs, side="right") - 1
        groups = np.array([rates.size for rates in self.values])[rate]
        within = pairs - starts[rate]
        return rate, within // groups, within % groups

    def _distance(self, first: FloatArray, second: FloatArray) -> FloatArray:
        if self.kind == "difference":
            return np.asarray(first - second)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(-(first / second))

    def _spreads(self, rates: FloatArray, replicates: FloatArray) -> FloatArray:
        """Standard errors of all ordered pairs' distances, as if groups were independent."""
        error = np.nanstd(replicates, axis=0)
        if self.kind == "difference":
            return np.asarray(np.hypot(error[:, None], error).ravel())
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = rates[:, None] / rates
            return np.asarray((np.hypot(error[:, None], ratio * error) / rates).ravel())


def change_interval(
    first: ResampledRates, second: ResampledRates, *, value: float, independent: int, confidence: float, method: str
) -> Interval:
    """Interval of first minus second gap, widened where needed so that it holds ``value``.

    ``independent``: rows, or blocks of clusters, that the resamples stand for; few make Student's tails. A bound
    is -1 or 1, which no change exceeds, where a rate is undefined in more resamples than the tail has.
    """
    alpha = (1 - confidence) / 2
    stretch = _stretch(independent, alpha)
    upper = _upper(first, second, alpha, stretch)
    lower = -_upper(second, first, alpha, stretch)
    # Distances from fairness grow as ratios fall.
    low, high = (lower, upper) if first.kind == "difference" else (-upper, -lower)
    low, high = max(min(low, value), -1.0), min(max(high, value), 1.0)
    return Interval(low=low, high=high, confidence=confidence, method=method)


def change_p_value(first: ResampledRates, second: ResampledRates) -> float:
    """Two-sided p-value of "the gap has not changed", by the same bounds."""
    return min(1.0, 2 * min(_one_sided(first, second), _one_sided(second, first)))


def _stretch(independent: int, alpha: float) -> float:
    """Student's quantile over the normal one, and the variance lost by resampling (Hesterberg 2015)."""
    degrees = max(independent - 1, 1)
    student = -float(stdtrit(degrees, alpha))
    return float(student / NormalDist().inv_cdf(1 - alpha) * ((degrees + 1) / degrees) ** 0.5)


def _bounds(first: ResampledRates, second: ResampledRates) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """For each way to bound the change: what is observed of each contender of ``first``, and the errors."""
    ours, theirs = first.contenders, second.contenders
    errors = first.errors(ours)
    same = first.distances[ours] - second.distances[ours], second.errors(ours) - errors
    largest = second.errors(theirs).max(axis=1, keepdims=True)
    other = first.distances[ours] - second.distances[theirs[0]], largest - errors
    # Where an error is not defined nothing is known.
    return tuple((observed, np.where(np.isfinite(error), error, np.inf)) for observed, error in (same, other))


def _upper(first: ResampledRates, second: ResampledRates, alpha: float, stretch: float) -> float:
    reached = [
        observed + stretch * np.quantile(errors, 1 - alpha / 2, axis=0, method="higher")
        for observed, errors in _bounds(first, second)
    ]
    return float(np.minimum(*reached).max())


def _one_sided(first: ResampledRates, second: ResampledRates) -> float:
    """P-value of "the first gap is not smaller than the second"."""
    shares = [
        (1 + (observed + errors >= 0).sum(axis=0)) / (1 + len(errors)) for observed, errors in _bounds(first, second)
    ]
    return float(min(1.0, 2 * np.minimum(*shares).max()))
