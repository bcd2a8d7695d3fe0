"""Area under the ROC curve of several classes: the mean over classes of each one against the rest.

Fawcett (2006), Pattern Recognition Letters 27, 861-874, section 9. The variance adds up each row's influence on
all areas, which for one area is that of DeLong, DeLong, Clarke-Pearson (1988) and keeps the dependence
between areas; rows of one cluster are added before they are squared (Obuchowski 1997, Biometrics 53).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from gatewright.core.statistics.blocks import BLOCKS, FloatArray, IntArray
from gatewright.core.statistics.confusion import quotient
from gatewright.core.statistics.score_bins import COARSE_BINS, FINE_BINS, coarse_bins, fine_bins

__all__ = ["AucSums", "MacroAuc", "auc_from_bins", "auc_sums", "macro_auc"]

# 587,000 fine bins a class for the value, and 512 a class and block for the spread.
FINE_SHIFT, COARSE_SHIFT = 2, 1
FINE = (FINE_BINS >> FINE_SHIFT) + 1
COARSE = COARSE_BINS >> COARSE_SHIFT


@dataclass(frozen=True)
class MacroAuc:
    """``value``: the mean area. ``influence``: of each row on it, shape (rows,), scaled for the variance."""

    value: float
    influence: FloatArray

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.value - other.value, self.influence - other.influence)

    def variance(self, clusters: NDArray[Any] | None = None) -> float:
        """Variance of the value; NaN with a single cluster."""
        if clusters is None:
            return float(self.influence @ self.influence)
        codes = np.unique(clusters, return_inverse=True)[1]
        sums = np.bincount(codes, weights=self.influence)
        return float(sums @ sums) * sums.size / (sums.size - 1) if sums.size > 1 else float("nan")


def macro_auc(labels: IntArray, probabilities: FloatArray) -> MacroAuc:
    """From rows: ``labels`` as codes, shape (rows,), ``probabilities`` of shape (rows, classes).

    NaN where a class, or all but one, has no rows; the influence is NaN where one has a single row.
    """
    classes = probabilities.shape[1]
    areas = [_one_against_rest(labels == k, probabilities[:, k]) for k in range(classes)]
    value = sum(area for area, _ in areas) / classes
    return MacroAuc(value, sum((influence for _, influence in areas), np.zeros(labels.size)) / classes)


def _one_against_rest(positive: NDArray[np.bool_], scores: FloatArray) -> tuple[float, FloatArray]:
    ours, others = int(positive.sum()), int((~positive).sum())
    influence = np.full(scores.size, np.nan)
    if not (ours and others):
        return float("nan"), influence
    ranks = rankdata(scores)
    below = (ranks[positive] - rankdata(scores[positive])) / others
    above = 1 - (ranks[~positive] - rankdata(scores[~positive])) / ours
    area = float(below.mean())
    if ours > 1 and others > 1:
        influence[positive] = (below - area) / (ours * (ours - 1)) ** 0.5
        influence[~positive] = (above - area) / (others * (others - 1)) ** 0.5
    return area, influence


@dataclass(frozen=True)
class AucSums:
    """Histograms of each class's probability, of the rest's rows and of its own.

    ``fine``: shape (classes, 2, FINE), over all rows; ``coarse``: (classes, BLOCKS, 2, COARSE).
    """

    fine: IntArray
    coarse: NDArray[np.int32]

    def __add__(self, other: Self) -> Self:
        return type(self)(self.fine + other.fine, self.coarse + other.coarse)


def auc_sums(labels: IntArray, probabilities: FloatArray, blocks: IntArray) -> AucSums:
    """Histograms of one batch; arguments as in `macro_auc`, and ``blocks`` of shape (rows,)."""
    classes = probabilities.shape[1]
    fine = np.empty((classes, 2, FINE), dtype=np.int64)
    coarse = np.empty((classes, BLOCKS, 2, COARSE), dtype=np.int32)
    for k in range(classes):
        own = (labels == k).astype(np.int64)
        bins = fine_bins(np.ascontiguousarray(probabilities[:, k]))
        wide = coarse_bins(bins).astype(np.int64) >> COARSE_SHIFT
        cells = (blocks * 2 + own) * COARSE + wide
        fine[k] = np.bincount(own * FINE + (bins >> FINE_SHIFT), minlength=2 * FINE).reshape(2, FINE)
        coarse[k] = np.bincount(cells, minlength=BLOCKS * 2 * COARSE).reshape(BLOCKS, 2, COARSE)
    return AucSums(fine, coarse)


def auc_from_bins(histograms: NDArray[Any]) -> FloatArray:
    """Areas from histograms of shape (..., 2, bins), the rest's and the class's own; a bin counts as tied."""
    rest, own = histograms[..., 0, :].astype(np.float64), histograms[..., 1, :].astype(np.float64)
    above = (own * (np.cumsum(rest, axis=-1) - rest / 2)).sum(axis=-1)
    return quotient(above, rest.sum(axis=-1) * own.sum(axis=-1))
