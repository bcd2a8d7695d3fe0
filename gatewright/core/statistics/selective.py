"""Accuracy when a model may abstain: the risk among the rows it is most certain of.

El-Yaniv & Wiener (2010), JMLR 11, 1605-1641; the area under the risk-coverage curve: Geifman, Uziel, El-Yaniv (2019),
ICLR. Of rows that are equally certain each is as likely to be kept, so that their order never matters.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import BlockTable, FloatArray, IntArray, Sums, block_histogram
from gatewright.core.statistics.calibration import bin_edges, to_bins

__all__ = ["RiskCoverage", "binned_area", "binned_errors", "risk_coverage", "selective_table"]

# Bins of certainty in which curves are resampled; their values are exact.
BINS = 256


@dataclass(frozen=True)
class RiskCoverage:
    """Rows kept and errors among them, by falling certainty: each of shape (levels,)."""

    certainty: FloatArray
    kept: FloatArray
    errors: FloatArray

    def errors_among(self, kept: FloatArray) -> FloatArray:
        """Expected errors among the ``kept`` most certain rows."""
        errors: FloatArray = np.interp(kept, np.append(0.0, self.kept), np.append(0.0, self.errors))
        return errors

    def accuracy_at(self, coverage: float) -> float:
        """Accuracy of the share ``coverage`` of rows the model is most certain of; NaN without rows."""
        if not self.kept.size:
            return float("nan")
        kept = coverage * self.kept[-1]
        return 1 - float(self.errors_among(np.array(kept))) / float(kept)

    def area(self) -> float:
        """Mean risk over all numbers of rows kept; NaN without rows."""
        if not self.kept.size:
            return float("nan")
        kept = np.arange(1, int(self.kept[-1]) + 1, dtype=np.float64)
        return float((self.errors_among(kept) / kept).mean())

    def points(self, most: int) -> list[dict[str, float]]:
        """At most ``most`` points of the curve, each with ``coverage``, ``risk`` and ``certainty``."""
        if not self.kept.size:
            return []
        steps = np.searchsorted(self.kept, np.linspace(0, self.kept[-1], most + 1)[1:])
        return [
            {
                "coverage": float(self.kept[k] / self.kept[-1]),
                "risk": float(self.errors[k] / self.kept[k]),
                "certainty": float(self.certainty[k]),
            }
            for k in np.unique(np.minimum(steps, self.kept.size - 1))
        ]


def risk_coverage(certainty: FloatArray, wrong: NDArray[Any]) -> RiskCoverage:
    """The curve of rows with a ``certainty`` and whether the answer is ``wrong``, both of shape (rows,)."""
    levels, index = np.unique(certainty, return_inverse=True)
    rows = np.bincount(index, minlength=levels.size)[::-1]
    errors = np.bincount(index, weights=wrong, minlength=levels.size)[::-1]
    return RiskCoverage(levels[::-1], np.cumsum(rows).astype(np.float64), np.cumsum(errors))


def selective_table(certainty: FloatArray, wrong: NDArray[Any], blocks: IntArray) -> BlockTable:
    """Rows and errors by block and bin of certainty, the most certain first, for resampling the curve."""
    edges = bin_edges(certainty, BINS, "mass") if certainty.size else np.zeros(0)
    bins = edges.size - to_bins(certainty, edges)
    width = edges.size + 1
    rows = block_histogram(blocks, bins, width)
    return BlockTable({"rows": rows, "errors": block_histogram(blocks, bins, width, wrong)})


def binned_errors(sums: Sums, coverage: float) -> FloatArray:
    """Share of errors among the share ``coverage`` of rows, of sums (..., bins); within a bin all are equal."""
    rows, errors = sums["rows"], sums["errors"]
    kept, found = np.cumsum(rows, axis=-1), np.cumsum(errors, axis=-1)
    wanted = coverage * kept[..., -1:]
    last = np.minimum((kept < wanted).sum(axis=-1, keepdims=True), rows.shape[-1] - 1)
    here, wrong, upto, before = (np.take_along_axis(a, last, axis=-1) for a in (rows, errors, kept, found))
    with np.errstate(divide="ignore", invalid="ignore"):
        risk: FloatArray = ((before - wrong * (upto - wanted) / here) / wanted)[..., 0]
    return risk


def binned_area(sums: Sums) -> FloatArray:
    """Area under the curve of sums (..., bins): in each bin the exact integral of its risk over coverage."""
    rows, errors = sums["rows"], sums["errors"]
    kept = np.cumsum(rows, axis=-1)
    before, found = kept - rows, np.cumsum(errors, axis=-1) - errors
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(rows > 0, errors / rows, 0.0)
        level = np.where(before > 0, (found - slope * before) * np.log(kept / before), 0.0)
        area: FloatArray = (slope * rows + level).sum(axis=-1) / kept[..., -1]
    return area
