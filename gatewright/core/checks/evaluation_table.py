"""The table that replaces many rows of a binary evaluation: integers by block and by fixed bins of the score.

Its size depends on neither rows nor batches: about 27 MB for each model with scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.evaluation_rows import MODELS, KeptRows
from gatewright.core.statistics.blocks import BLOCKS, FloatArray, IntArray
from gatewright.core.statistics.calibration import EQUAL_WIDTH_BINS, equal_width_bins
from gatewright.core.statistics.fixed_point import fixed_point_sums
from gatewright.core.statistics.key_counts import KeyCounts
from gatewright.core.statistics.score_bins import COARSE_BINS, FINE_BINS, coarse_bins, fine_bins

__all__ = ["CELLS", "EvaluationTable", "block_table", "fold", "log_losses"]

# Label, candidate's decision, champion's decision.
CELLS = 8
RANKS, FINE = "ranks", "fine"


@dataclass(frozen=True, eq=False)
class EvaluationTable:
    """``sums``: integers by block (`block_table`), each of shape (BLOCKS, ...).

    ``counts``: for each model with scores, ``<model>_ranks`` of (block, coarse bin, label) and ``<model>_fine`` of
    (fine bin, label).
    """

    columns: tuple[str, ...]
    sums: Mapping[str, IntArray]
    counts: Mapping[str, KeyCounts]

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.columns,
            {name: values + other.sums[name] for name, values in self.sums.items()},
            {name: counts + other.counts[name] for name, counts in self.counts.items()},
        )

    @property
    def n(self) -> int:
        return int(self.sums["cells"].sum())

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(model for model in MODELS if f"{model}_selected" in self.columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What to write: the sums, and of the counts what is not zero."""
        arrays: dict[str, NDArray[Any]] = {f"sums {name}": self.sums[name] for name in sorted(self.sums)}
        for name in sorted(self.counts):
            keys, counts = self.counts[name].nonzero()
            arrays |= {f"keys {name}": keys.astype(np.int32), f"counts {name}": counts}
        return arrays

    @classmethod
    def from_arrays(cls, columns: tuple[str, ...], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `arrays`."""
        sums = {key.removeprefix("sums "): values for key, values in arrays.items() if key.startswith("sums ")}
        counts = {}
        for key in (key for key in arrays if key.startswith("keys ")):
            name = key.removeprefix("keys ")
            size = BLOCKS * COARSE_BINS * 2 if name.endswith(RANKS) else FINE_BINS * 2
            counts[name] = KeyCounts.from_nonzero(arrays[key], arrays[f"counts {name}"], size)
        return cls(columns, sums, counts)


def fold(rows: KeptRows) -> EvaluationTable:
    """The table of at most ``FIXED_POINT_ROWS`` rows."""
    labels, blocks = rows.values["labels"], rows.values["blocks"].astype(np.int32)
    counts = {}
    for model in rows.models:
        scores = rows.scores(model)
        if scores is not None:
            fine = fine_bins(scores)
            ranks = (blocks * COARSE_BINS + coarse_bins(fine)) * 2 + labels
            counts[f"{model}_{RANKS}"] = KeyCounts.of(ranks, BLOCKS * COARSE_BINS * 2)
            counts[f"{model}_{FINE}"] = KeyCounts.of(fine * 2 + labels, FINE_BINS * 2)
    return EvaluationTable(rows.columns, block_table(rows), counts)


def block_table(rows: KeptRows) -> dict[str, IntArray]:
    """Sums by block.

    ``cells``: rows by label, candidate's and champion's decision, shape (BLOCKS, 8). For each model with scores, in
    fixed point (a last axis of 2), ``<model>_log_loss`` and ``<model>_squared_error``; and by equal-width bin
    ``<model>_bin_scores`` (fixed point), ``<model>_bin_rows`` and ``<model>_bin_positives``.
    """
    labels, blocks = rows.values["labels"], rows.values["blocks"].astype(np.int32)
    cells = blocks * CELLS + labels * 4 + rows.values["candidate_selected"] * 2
    if "champion" in rows.models:
        cells += rows.values["champion_selected"]
    sums = {"cells": _counts(cells, CELLS)}
    for model in rows.models:
        scores = rows.scores(model)
        if scores is not None:
            sums |= {f"{model}_{name}": values for name, values in _score_sums(labels, scores, blocks).items()}
    return sums


def log_losses(labels: NDArray[Any], scores: FloatArray) -> FloatArray:
    """Of each row; probabilities are cut at the resolution of a float, as in scikit-learn."""
    given = np.where(labels == 1, scores, 1 - scores)
    eps = np.finfo(np.float64).eps
    losses: FloatArray = -np.log(np.clip(given, eps, 1 - eps))
    return losses


def _score_sums(labels: NDArray[Any], scores: FloatArray, blocks: NDArray[Any]) -> dict[str, IntArray]:
    bins = blocks * EQUAL_WIDTH_BINS + equal_width_bins(scores)
    by_bin = fixed_point_sums(bins, scores, BLOCKS * EQUAL_WIDTH_BINS)
    return {
        "log_loss": fixed_point_sums(blocks, log_losses(labels, scores), BLOCKS),
        "squared_error": fixed_point_sums(blocks, (scores - labels) ** 2, BLOCKS),
        "bin_scores": by_bin.reshape(BLOCKS, EQUAL_WIDTH_BINS, 2),
        "bin_rows": _counts(bins, EQUAL_WIDTH_BINS),
        "bin_positives": _counts(bins[labels == 1], EQUAL_WIDTH_BINS),
    }


def _counts(keys: NDArray[Any], width: int) -> IntArray:
    return np.bincount(keys, minlength=BLOCKS * width).astype(np.int64).reshape(BLOCKS, width)
