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

__all__ = ["GapChange", "ResampledRates"]

# A pair may be the worst when it is this many standard errors or less behind the one that looks worst.
REACH = 2.5
# Among very many groups that are alike only so many pairs are followed.
MAXIMUM_PAIRS = 300


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
        found = [_distance(rates[:, None], rates, self.kind) for rates in self.values]
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
        """Distances of ``pairs`` in each resample minus their mean, shape (pairs, B); NaN where undefined."""
        distances = np.empty((pairs.size, len(self.replicates[0])))
        start = 0
        for rates, replicates in zip(self.values, self.replicates, strict=True):
            own = np.flatnonzero((pairs >= start) & (pairs < start + rates.size**2))
            first, second = np.divmod(pairs[own] - start, rates.size)
            by_group = np.ascontiguousarray(replicates.T)
            distances[own] = _distance(by_group[first], by_group[second], self.kind)
            start += rates.size**2
        finite = np.isfinite(distances)
        if not finite.all():
            distances = np.where(finite, distances, np.nan)
        means = np.nansum(distances, axis=1) / np.maximum(finite.sum(axis=1), 1)
        return np.asarray(distances - means[:, None])

    def _spreads(self, rates: FloatArray, replicates: FloatArray) -> FloatArray:
        """Standard errors of all ordered pairs' distances, as if groups were independent."""
        error = np.nanstd(replicates, axis=0)
        if self.kind == "difference":
            return np.asarray(np.hypot(error[:, None], error).ravel())
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = rates[:, None] / rates
            return np.asarray((np.hypot(error[:, None], ratio * error) / rates).ravel())


def _distance(first: FloatArray, second: FloatArray, kind: GapKind) -> FloatArray:
    if kind == "difference":
        return np.asarray(first - second)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-(first / second))


@dataclass(frozen=True)
class _Bound:
    """One way to bound a change: what is ``observed`` of each contender, shape (pairs,), and its errors (pairs, B)."""

    observed: FloatArray
    errors: FloatArray

    def reached(self, alpha: float, stretch: float) -> FloatArray:
        """The bound of each contender at ``alpha``; infinite where errors are undefined more often than that."""
        place = min(int(np.ceil((1 - alpha) * (self.errors.shape[1] - 1))), self.errors.shape[1] - 1)
        return np.asarray(self.observed + stretch * np.partition(self.errors, place, axis=1)[:, place])

    def p_values(self) -> FloatArray:
        """Of "the change is not below 0", by contender."""
        beyond = (self.errors >= -self.observed[:, None]).sum(axis=1)
        return np.asarray((1 + beyond) / (1 + self.errors.shape[1]))


class GapChange:
    """First minus second gap, of two models over the same groups with the same resamples."""

    def __init__(self, first: ResampledRates, second: ResampledRates) -> None:
        self.kind = first.kind
        pairs = np.union1d(first.contenders, second.contenders)
        errors = first.errors(pairs), second.errors(pairs)
        self.rise = _bounds(first, second, pairs, *errors)
        self.fall = _bounds(second, first, pairs, *errors[::-1])

    def interval(self, *, value: float, independent: int, confidence: float, method: str) -> Interval:
        """The interval, widened where needed so that it holds ``value``.

        ``independent``: rows, or blocks of clusters, that the resamples stand for; few make Student's tails. A
        bound is -1 or 1, which no change exceeds, where a rate is undefined in more resamples than the tail has.
        """
        alpha = (1 - confidence) / 2
        stretch = _stretch(independent, alpha)
        upper, lower = (_furthest(bounds, alpha, stretch) for bounds in (self.rise, self.fall))
        # Distances from fairness grow as ratios fall.
        low, high = (-lower, upper) if self.kind == "difference" else (-upper, lower)
        low, high = max(min(low, value), -1.0), min(max(high, value), 1.0)
        return Interval(low=low, high=high, confidence=confidence, method=method)

    def p_value(self) -> float:
        """Two-sided p-value of "the gap has not changed", by the same bounds."""
        sides = [2 * np.minimum(*(bound.p_values() for bound in bounds)).max() for bounds in (self.rise, self.fall)]
        return float(min(1.0, 2 * min(sides)))


def _bounds(
    first: ResampledRates, second: ResampledRates, pairs: IntArray, ours: FloatArray, theirs: FloatArray
) -> tuple[_Bound, _Bound]:
    """The two ways to bound first minus second from above; ``ours`` and ``theirs`` are the errors of ``pairs``."""
    own, other = np.searchsorted(pairs, first.contenders), np.searchsorted(pairs, second.contenders)
    distances = first.distances[first.contenders]
    same = theirs[own] - ours[own]
    largest = theirs[other].max(axis=0) - ours[own]
    # Where an error is not defined nothing is known.
    return (
        _Bound(distances - second.distances[first.contenders], np.where(np.isnan(same), np.inf, same)),
        _Bound(distances - second.distances[second.contenders[0]], np.where(np.isnan(largest), np.inf, largest)),
    )


def _furthest(bounds: tuple[_Bound, _Bound], alpha: float, stretch: float) -> float:
    return float(np.minimum(*(bound.reached(alpha / 2, stretch) for bound in bounds)).max())


def _stretch(independent: int, alpha: float) -> float:
    """Student's quantile over the normal one, and the variance lost by resampling (Hesterberg 2015)."""
    degrees = max(independent - 1, 1)
    student = -float(stdtrit(degrees, alpha))
    return float(student / NormalDist().inv_cdf(1 - alpha) * ((degrees + 1) / degrees) ** 0.5)
