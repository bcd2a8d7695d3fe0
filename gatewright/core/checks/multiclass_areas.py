"""The area under the ROC curve of several classes with its interval: from few rows exactly, else from bins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.multiclass_sums import MulticlassSums
from gatewright.core.normal import critical_value
from gatewright.core.results import Interval
from gatewright.core.statistics.auc import auc_interval
from gatewright.core.statistics.blocks import (
    BLOCKS,
    REPLICATES,
    BlockTable,
    FloatArray,
    IntArray,
    bootstrap,
    percentile_interval,
)
from gatewright.core.statistics.macro_auc import AucSums, MacroAuc, auc_from_bins, macro_auc
from gatewright.core.statistics.paired import two_sided_p_value
from gatewright.core.statistics.resampled_change import resampled_p_value

__all__ = ["Area", "Areas", "binned_areas", "exact_areas"]


@dataclass(frozen=True)
class Area:
    """A mean area or the difference of two; the p-value is that of no difference."""

    value: float
    interval: Interval | None
    p_value: float | None = None


# The candidate's, and its change to the champion; None without probabilities.
Areas = tuple[Area | None, Area | None]


def exact_areas(
    labels: IntArray, probabilities: Sequence[FloatArray | None], clusters: NDArray[Any] | None, confidence: float
) -> Areas:
    """From rows: ``labels`` as codes, the candidate's and perhaps the champion's probabilities (rows, classes)."""
    estimates = [None if scores is None else macro_auc(labels, scores) for scores in probabilities]
    if probabilities[0] is None or estimates[0] is None:
        return None, None
    interval = _interval(estimates[0], clusters, confidence)
    if interval is not None and not interval.high > interval.low:
        interval = _separated(labels, probabilities[0], clusters, confidence)
    own = Area(estimates[0].value, interval)
    if not estimates[1:] or estimates[1] is None:
        return own, None
    change = estimates[0] - estimates[1]
    error = change.variance(clusters) ** 0.5
    return own, Area(change.value, _interval(change, clusters, confidence), two_sided_p_value(change.value, error))


def _interval(estimate: MacroAuc, clusters: NDArray[Any] | None, confidence: float) -> Interval | None:
    error = estimate.variance(clusters) ** 0.5
    if not (np.isfinite(error) and np.isfinite(estimate.value)):
        return None
    margin = critical_value(confidence) * error
    method = "DeLong, over classes" + ("" if clusters is None else ", clustered (Obuchowski)")
    return Interval(low=estimate.value - margin, high=estimate.value + margin, confidence=confidence, method=method)


def _separated(
    labels: IntArray, scores: FloatArray, clusters: NDArray[Any] | None, confidence: float
) -> Interval | None:
    """Without any error the variance is 0: the mean of the classes' own bounds holds all of them together."""
    classes = range(scores.shape[1])
    own = [auc_interval((labels == k) * 1.0, scores[:, k], confidence=confidence, clusters=clusters) for k in classes]
    bounds = [interval for interval in own if interval is not None]
    if len(bounds) < len(own):
        return None
    low, high = (float(np.mean([getattr(interval, side) for interval in bounds])) for side in ("low", "high"))
    return Interval(low=low, high=high, confidence=confidence, method=f"mean of {bounds[0].method}")


def binned_areas(sums: MulticlassSums, confidence: float, seed: int) -> Areas:
    """From histograms: values from fine bins, spread from resampled coarse ones less their small error."""
    ours = sums.candidate.areas
    if ours is None:
        return None, None
    own = _binned(sums, ours, seed)
    interval = percentile_interval(*own, blocks=_blocks(sums), confidence=confidence)
    area = Area(own[0], interval)
    if sums.champion is None or sums.champion.areas is None:
        return area, None
    other = _binned(sums, sums.champion.areas, seed)
    value, replicates = own[0] - other[0], own[1] - other[1]
    interval = percentile_interval(value, replicates, blocks=_blocks(sums), confidence=confidence)
    return area, Area(value, interval, resampled_p_value(value, replicates, blocks=_blocks(sums)))


def _binned(sums: MulticlassSums, areas: AucSums, seed: int) -> tuple[float, FloatArray]:
    """The mean area and its resamples; one class after the other, for the resampled bins are large."""
    rows = sums.candidate.decisions.table().sums["rows"]
    replicates, error = np.zeros(REPLICATES), 0.0
    for bins in areas.coarse:
        flat = bins.reshape(BLOCKS, -1).astype(np.float64)
        resampled = bootstrap(BlockTable({"rows": rows, "bins": flat}), seed=seed)
        replicates += auc_from_bins(resampled.replicates["bins"].reshape(REPLICATES, *bins.shape[1:]))
        error += float(auc_from_bins(resampled.total["bins"].reshape(bins.shape[1:])))
    value, classes = float(auc_from_bins(areas.fine).mean()), len(areas.coarse)
    return value, replicates / classes - error / classes + value


def _blocks(sums: MulticlassSums) -> int:
    return int((sums.candidate.decisions.labelled.sum(axis=1) > 0).sum())
