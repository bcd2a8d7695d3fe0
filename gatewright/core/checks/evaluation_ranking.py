"""What a model's scores say beyond plain sums: how they rank rows, and whether they come true at any score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.evaluation_table import FINE, RANKS, EvaluationTable
from gatewright.core.statistics.auc import AucEstimate, Placements, placements, table_estimate
from gatewright.core.statistics.average_precision import average_precision_from_bins
from gatewright.core.statistics.blocks import BLOCKS, FloatArray, IntArray, block_histogram, block_sums
from gatewright.core.statistics.calibration import EQUAL_MASS_BINS, to_bins
from gatewright.core.statistics.ranking import auc_from_bins
from gatewright.core.statistics.recalibration import (
    Recalibration,
    log_odds,
    recalibrate,
    recalibration_sums,
    recalibration_terms,
)
from gatewright.core.statistics.score_bins import COARSE_BINS, FINE_BINS, coarse_bins, fine_values
from gatewright.core.statistics.score_table import ScoreTable

__all__ = ["Ranking", "fine_table", "ranking_of_rows", "ranking_of_table"]

# Bins of equal mass in which the ranking of kept rows is resampled; the values themselves are exact.
RANKING_BINS = 256
# Entries of a fine table that are fitted as one: a 64th of 2**-12 of the score does not move a fit.
FIT_BINS = 64
# At most this share of pairs of a positive and a negative may share a coarse bin though their scores differ.
CROWDED = 0.05


@dataclass(frozen=True, eq=False)
class Ranking:
    """``sums``: by block, what is resampled. ``values``: the metrics of all rows, without the resampling's bins.

    ``area`` has DeLong's variance for independent rows. ``placements`` only where rows are kept. ``crowded``: the
    scores are so close that fixed bins cannot resample them.
    """

    values: Mapping[str, float]
    sums: Mapping[str, NDArray[Any]]
    fit: Recalibration
    area: AucEstimate
    placements: Placements | None
    crowded: bool


def ranking_of_rows(labels: NDArray[Any], scores: FloatArray, blocks: IntArray) -> Ranking:
    """Exact, from rows: each of shape (rows,)."""
    table, entry = ScoreTable.of_rows(labels, scores)
    fit = recalibrate(table)
    ranks = to_bins(table.scores, table.mass_edges(RANKING_BINS))[entry]
    mass = to_bins(table.scores, table.mass_edges(EQUAL_MASS_BINS))[entry]
    ours, expected, curvature = recalibration_terms(log_odds(table.scores), fit)
    gradient = (labels * column[entry] - other[entry] for column, other in zip(ours.T, expected.T, strict=True))
    terms = [*gradient, *(column[entry] for column in curvature.T)]
    return Ranking(
        _values(table, fit),
        {
            "rank_positives": block_histogram(blocks, ranks, RANKING_BINS, labels).astype(np.float32),
            "rank_rows": block_histogram(blocks, ranks, RANKING_BINS).astype(np.float32),
            "mass_gaps": block_histogram(blocks, mass, EQUAL_MASS_BINS, scores - labels),
            "recalibration": np.stack([block_sums(blocks, values) for values in terms], axis=-1),
        },
        fit,
        table_estimate(table),
        placements(labels, table, entry),
        crowded=False,
    )


def ranking_of_table(table: EvaluationTable, model: str) -> Ranking:
    """From fixed bins: values from the fine ones, resamples from the coarse ones."""
    scores, filled = fine_table(table, model)
    bins = coarse_bins(filled)
    coarse = scores.merged(bins)
    ranks = table.counts[f"{model}_{RANKS}"].narrow().reshape(BLOCKS, COARSE_BINS, 2)[:, np.unique(bins)]
    found = ranks[..., 1].astype(np.float32)
    rows = found + ranks[..., 0].astype(np.float32)
    fit = recalibrate(scores.merged(filled // FIT_BINS))
    in_bin = np.eye(EQUAL_MASS_BINS)[to_bins(coarse.scores, scores.mass_edges(EQUAL_MASS_BINS))]
    return Ranking(
        _values(scores, fit),
        {
            "rank_positives": found,
            "rank_rows": rows,
            "mass_gaps": (rows * coarse.scores - found) @ in_bin,
            "recalibration": recalibration_sums(log_odds(coarse.scores), found, rows, fit),
        },
        fit,
        table_estimate(scores),
        None,
        crowded=_tied(coarse) - _tied(scores) > CROWDED,
    )


def fine_table(table: EvaluationTable, model: str) -> tuple[ScoreTable, IntArray]:
    """Rows by fine bin and label, and which bins hold rows."""
    fine = table.counts[f"{model}_{FINE}"].narrow().reshape(FINE_BINS, 2)
    filled = np.flatnonzero(fine.any(axis=1))
    negatives, positives = (fine[filled, label].astype(np.float64) for label in (0, 1))
    return ScoreTable(fine_values()[filled], positives, negatives), filled


def _values(table: ScoreTable, fit: Recalibration) -> dict[str, float]:
    return {
        "auc": float(auc_from_bins(table.positives, table.negatives)),
        "average_precision": float(average_precision_from_bins(table.positives, table.rows)),
        "expected_calibration_error_equal_mass": _equal_mass_error(table),
        "calibration_slope": fit.slope,
        "calibration_intercept": fit.intercept,
    }


def _equal_mass_error(table: ScoreTable) -> float:
    bins = to_bins(table.scores, table.mass_edges(EQUAL_MASS_BINS))
    gaps = np.bincount(bins, weights=table.scores * table.rows - table.positives)
    return float(np.abs(gaps).sum() / table.rows.sum())


def _tied(table: ScoreTable) -> float:
    pairs = float(table.positives.sum() * table.negatives.sum())
    return float(table.positives @ table.negatives) / pairs if pairs else 0.0
