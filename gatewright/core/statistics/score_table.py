"""Rows counted by score and label: all that the area under a curve or a recalibration asks for.

A table comes from rows (one entry for each distinct score) or from fixed bins (one for each bin that holds rows,
as if all its scores were the one in its middle).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = ["ScoreTable"]


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """``scores`` rise; ``positives`` and ``negatives`` count the rows at each; all of shape (scores,)."""

    scores: FloatArray
    positives: FloatArray
    negatives: FloatArray

    @classmethod
    def of_rows(cls, labels: NDArray[Any], scores: NDArray[Any]) -> tuple[Self, IntArray]:
        """The table of ``labels`` 0/1 and ``scores``, shape (rows,), and the entry of each row."""
        values, entry = np.unique(scores, return_inverse=True)
        positives = np.bincount(entry[np.asarray(labels) == 1], minlength=values.size)
        rows = np.bincount(entry, minlength=values.size)
        return cls(values, positives.astype(np.float64), (rows - positives).astype(np.float64)), entry

    @property
    def rows(self) -> FloatArray:
        return self.positives + self.negatives

    def quantiles(self, shares: FloatArray) -> FloatArray:
        """Quantiles of the rows' scores, with NumPy's interpolation. At least one row."""
        counts = np.cumsum(self.rows)
        places = shares * (counts[-1] - 1)
        lower = self.scores[np.searchsorted(counts, np.floor(places), side="right")]
        upper = self.scores[np.searchsorted(counts, np.ceil(places), side="right")]
        found: FloatArray = lower + (upper - lower) * (places - np.floor(places))
        return found

    def mass_edges(self, bins: int) -> FloatArray:
        """Inner edges of at most ``bins`` bins with about equally many rows."""
        return np.unique(self.quantiles(np.linspace(0, 1, bins + 1)[1:-1]))

    def merged(self, group: NDArray[Any]) -> Self:
        """Entries with the same ``group`` (which does not fall, shape (scores,)) as one, at their mean score."""
        starts = np.flatnonzero(np.r_[True, np.diff(group) > 0])
        positives, negatives, totals = (
            np.add.reduceat(values, starts) for values in (self.positives, self.negatives, self.scores * self.rows)
        )
        return type(self)(totals / (positives + negatives), positives, negatives)
