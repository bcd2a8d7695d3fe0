"""Area under the ROC curve, its variance, and the paired difference of two areas.

DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44, 837-845, by the midranks of Sun & Xu (2014), IEEE
Signal Processing Letters 21(11), 1389-1393. Clustered rows: Obuchowski (1997), Biometrics 53, 567-578.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.normal import critical_value
from gatewright.core.results import Interval
from gatewright.core.statistics.blocks import FloatArray, IntArray
from gatewright.core.statistics.ranking import auc_from_bins
from gatewright.core.statistics.score_table import ScoreTable

__all__ = [
    "AucEstimate",
    "Placements",
    "area_interval",
    "auc",
    "auc_difference_interval",
    "auc_interval",
    "delong",
    "delong_difference",
    "difference_estimate",
    "difference_interval",
    "estimate_area",
    "estimate_interval",
    "placements",
    "table_estimate",
]

Clusters = NDArray[Any] | None
Placements = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class AucEstimate:
    """An area or a difference of two areas, and its variance (NaN when it cannot be estimated)."""

    value: float
    variance: float


def auc(labels: NDArray[Any], scores: NDArray[Any]) -> float:
    """Probability that a positive scores above a negative, ties counted half; NaN with a single class."""
    table, _ = ScoreTable.of_rows(labels, scores)
    return float(auc_from_bins(table.positives, table.negatives)) if table.scores.size else float("nan")


def delong(labels: NDArray[Any], scores: NDArray[Any], *, clusters: Clusters = None) -> AucEstimate:
    """The area and its variance. ``labels`` 0/1, ``scores`` and ``clusters``: shape (rows,)."""
    return estimate_area(labels, _placements(labels, scores), clusters)


def delong_difference(
    labels: NDArray[Any], candidate: NDArray[Any], champion: NDArray[Any], *, clusters: Clusters = None
) -> AucEstimate:
    """Area of ``candidate`` minus area of ``champion`` on the same rows, and its variance."""
    return difference_estimate(labels, _placements(labels, candidate), _placements(labels, champion), clusters)


def auc_interval(
    labels: NDArray[Any], scores: NDArray[Any], *, confidence: float, clusters: Clusters = None
) -> Interval | None:
    """Normal interval with DeLong's variance, within [0, 1]; None with fewer than two rows of a class.

    Where the variance is zero (perfect separation) method 5 of Newcombe (2006), Statistics in Medicine 25,
    559-573, bounds the area instead.
    """
    return estimate_interval(labels, delong(labels, scores, clusters=clusters), confidence, clusters)


def estimate_interval(
    labels: NDArray[Any], estimate: AucEstimate, confidence: float, clusters: Clusters
) -> Interval | None:
    """`auc_interval` from the estimate."""
    return area_interval(estimate, _independent(labels, clusters), confidence, _method(clusters))


def area_interval(
    estimate: AucEstimate, sizes: tuple[float, float], confidence: float, method: str = "DeLong"
) -> Interval | None:
    """`auc_interval` from the estimate and the ``sizes`` of both classes (of their clusters)."""
    if not np.isfinite(estimate.variance):
        return None
    if not estimate.variance > 0:
        return _newcombe_interval(estimate.value, sizes, confidence)
    margin = critical_value(confidence) * estimate.variance**0.5
    low, high = max(0.0, estimate.value - margin), min(1.0, estimate.value + margin)
    return Interval(low=low, high=high, confidence=confidence, method=method)


def auc_difference_interval(
    labels: NDArray[Any],
    candidate: NDArray[Any],
    champion: NDArray[Any],
    *,
    confidence: float,
    clusters: Clusters = None,
) -> Interval | None:
    """Normal interval of the paired difference with DeLong's variance; None as in `auc_interval`.

    Where both models separate the classes perfectly with different scores, the two areas' own intervals are
    combined by squaring and adding (Newcombe 1998), which ignores their correlation and so is too wide,
    never too narrow.
    """
    ours, theirs = _placements(labels, candidate), _placements(labels, champion)
    estimate = difference_estimate(labels, ours, theirs, clusters)
    return difference_interval(labels, estimate, (ours, theirs), confidence, clusters)


def difference_interval(
    labels: NDArray[Any],
    estimate: AucEstimate,
    models: tuple[Placements, Placements],
    confidence: float,
    clusters: Clusters,
) -> Interval | None:
    """`auc_difference_interval` from the placements of both models and their `difference_estimate`."""
    if not np.isfinite(estimate.variance):
        return None
    margin = critical_value(confidence) * estimate.variance**0.5
    if not margin > 0 and all(_separates(model) for model in models):
        return _separated_difference(labels, models, confidence, clusters)
    low, high = estimate.value - margin, estimate.value + margin
    return Interval(low=low, high=high, confidence=confidence, method=f"paired {_method(clusters)}")


def table_estimate(table: ScoreTable) -> AucEstimate:
    """`delong` of independent rows from counts by score."""
    value = float(auc_from_bins(table.positives, table.negatives))
    if table.positives.sum() < 2 or table.negatives.sum() < 2:
        return AucEstimate(value, float("nan"))
    spreads = (
        _variance(_below(table.negatives), table.positives, value),
        _variance(1 - _below(table.positives), table.negatives, value),
    )
    return AucEstimate(value, sum(spreads))


def _variance(values: FloatArray, counts: FloatArray, mean: float) -> float:
    """Of a mean of ``values``, each seen so often."""
    n = float(counts.sum())
    squares = values - mean
    squares *= squares
    return float(counts @ squares) / (n - 1) / n


def _separates(model: Placements) -> bool:
    return bool((model[0] == model[0][0]).all() and model[0][0] in (0.0, 1.0))


def _separated_difference(
    labels: NDArray[Any], models: tuple[Placements, Placements], confidence: float, clusters: Clusters
) -> Interval:
    a, b = (float(model[0].mean()) for model in models)
    ours, theirs = (_newcombe_interval(value, _independent(labels, clusters), confidence) for value in (a, b))
    return Interval(
        low=a - b - float(np.hypot(a - ours.low, theirs.high - b)),
        high=a - b + float(np.hypot(ours.high - a, b - theirs.low)),
        confidence=confidence,
        method=f"square-and-add of {ours.method}",
    )


def _method(clusters: Clusters) -> str:
    return "DeLong" if clusters is None else "DeLong, clustered (Obuchowski)"


def _below(counts: FloatArray) -> FloatArray:
    """Share of rows below each entry, those at the entry counted half."""
    share: FloatArray = np.cumsum(counts, dtype=np.float64)
    share -= counts / 2
    share /= max(counts.sum(), 1)
    return share


def placements(labels: NDArray[Any], table: ScoreTable, entry: IntArray) -> Placements:
    """Share of negatives below each positive, and of positives above each negative, from `ScoreTable.of_rows`."""
    positive = labels == 1
    return _below(table.negatives)[entry[positive]], 1 - _below(table.positives)[entry[~positive]]


def _placements(labels: NDArray[Any], scores: NDArray[Any]) -> Placements:
    return placements(labels, *ScoreTable.of_rows(labels, scores))


def difference_estimate(labels: NDArray[Any], ours: Placements, theirs: Placements, clusters: Clusters) -> AucEstimate:
    """`delong_difference` from the placements of both models."""
    return estimate_area(labels, (ours[0] - theirs[0], ours[1] - theirs[1]), clusters)


def estimate_area(labels: NDArray[Any], found: Placements, clusters: Clusters) -> AucEstimate:
    """`delong` from the placements."""
    below, above = found
    if not (below.size and above.size):
        return AucEstimate(float("nan"), float("nan"))
    if clusters is not None:
        return _clustered_estimate(labels == 1, below, above, clusters)
    value = float(below.mean())
    if below.size < 2 or above.size < 2:
        return AucEstimate(value, float("nan"))
    return AucEstimate(value, float(below.var(ddof=1) / below.size + above.var(ddof=1) / above.size))


def _clustered_estimate(
    positive: NDArray[np.bool_], below: FloatArray, above: FloatArray, clusters: NDArray[Any]
) -> AucEstimate:
    value = float(below.mean())
    codes = np.unique(clusters, return_inverse=True)[1]
    everything = int(codes.max()) + 1
    ours = np.bincount(codes[positive], weights=below - value, minlength=everything) / below.size
    theirs = np.bincount(codes[~positive], weights=above - value, minlength=everything) / above.size
    with_positives, with_negatives = np.unique(codes[positive]).size, np.unique(codes[~positive]).size
    if with_positives < 2 or with_negatives < 2:
        return AucEstimate(value, float("nan"))
    variance = (
        with_positives / (with_positives - 1) * float(ours @ ours)
        + with_negatives / (with_negatives - 1) * float(theirs @ theirs)
        + 2 * everything / (everything - 1) * float(ours @ theirs)
    )
    return AucEstimate(value, max(variance, 0.0))


def _independent(labels: NDArray[Any], clusters: Clusters) -> tuple[float, float]:
    """How many rows, or clusters, have a positive, and how many a negative."""
    positive = labels == 1
    if clusters is None:
        return int(positive.sum()), int((~positive).sum())
    return np.unique(clusters[positive]).size, np.unique(clusters[~positive]).size


def _newcombe_interval(value: float, sizes: tuple[float, float], confidence: float) -> Interval:
    z = critical_value(confidence)
    return Interval(
        low=_newcombe_bound(value, 0.0, sizes, z),
        high=_newcombe_bound(value, 1.0, sizes, z),
        confidence=confidence,
        method="Newcombe (2006) method 5",
    )


def _newcombe_bound(value: float, end: float, sizes: tuple[float, float], z: float) -> float:
    """Bisect for the area furthest towards ``end`` from which ``value`` is within z standard errors."""
    inside, outside = value, end
    for _ in range(60):
        middle = (inside + outside) / 2
        if abs(value - middle) <= z * _newcombe_variance(middle, *sizes) ** 0.5:
            inside = middle
        else:
            outside = middle
    return inside


def _newcombe_variance(area: float, positives: float, negatives: float) -> float:
    half = (positives + negatives) / 2 - 1
    spread = 1 + half * (1 - area) / (2 - area) + half * area / (1 + area)
    return area * (1 - area) * spread / (positives * negatives)
