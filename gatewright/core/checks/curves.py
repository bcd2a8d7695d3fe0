"""Points for the evaluation charts, as plain JSON."""

from typing import Any

import numpy as np

from gatewright.core.checks.evaluation_ranking import fine_table
from gatewright.core.checks.evaluation_sums import EvaluationSums, evaluation_sums
from gatewright.core.statistics.auc import table_estimate
from gatewright.core.statistics.calibration import CalibrationBin, to_bins
from gatewright.core.statistics.proportions import wilson
from gatewright.core.statistics.score_table import ScoreTable

__all__ = ["HISTOGRAM_EDGES", "calibration_points", "curves_of_sums", "evaluation_curves"]

ROC_POINTS = 100
# Round numbers, close together where rare events and decision thresholds lie.
HISTOGRAM_EDGES = (
    0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5,
    0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0,
)  # fmt: skip
CALIBRATION_BINS = 10
MODELS = ("candidate", "champion")


def evaluation_curves(
    labels: Any, scores: Any, *, threshold: float, confidence: float = 0.95, champion_scores: Any = None
) -> dict[str, Any]:
    """`curves_of_sums` of rows given as arrays. Raises as `measure_evaluation`."""
    sums = evaluation_sums(labels, scores, champion_scores=champion_scores, threshold=threshold)
    return curves_of_sums(sums, confidence=confidence)


def curves_of_sums(sums: EvaluationSums, *, confidence: float) -> dict[str, Any]:
    """Curves of ``candidate`` and ``champion``, each None without scores.

    Each holds ``roc`` ([false positive rate, true positive rate, threshold] from (0, 0) to (1, 1), thinned,
    the first threshold None), ``calibration`` (mean_score, observed_rate, low, high, n per bin of equal
    mass), ``histogram`` (edges: ``HISTOGRAM_EDGES``, negatives, positives), ``confusion`` (counts of scores at
    ``threshold``), and ``auc``. Of many rows the scores are those of fixed bins.
    """
    tables = {model: score_table(sums, model) for model in MODELS}
    drawn = {
        model: None if table is None else _curves(table, sums.threshold, confidence) for model, table in tables.items()
    }
    return {"threshold": sums.threshold, "confidence": confidence, **drawn}


def score_table(sums: EvaluationSums, model: str) -> ScoreTable | None:
    """Rows by score and label; None for a model without scores."""
    if sums.rows is not None:
        scores = sums.rows.scores(model)
        return None if scores is None else ScoreTable.of_rows(sums.rows.values["labels"], scores)[0]
    return fine_table(sums.folded(), model)[0] if f"{model}_scores" in sums.columns else None


def _curves(table: ScoreTable, threshold: float, confidence: float) -> dict[str, Any]:
    both = bool(table.positives.any() and table.negatives.any())
    return {
        "auc": table_estimate(table).value if both else None,
        "roc": _roc(table) if both else [],
        "calibration": [point._asdict() for point in calibration_points(table, confidence)],
        "histogram": _histogram(table),
        "confusion": _confusion(table, threshold),
    }


def _roc(table: ScoreTable) -> list[list[float | None]]:
    rates = [np.cumsum(counts[::-1]) / counts.sum() for counts in (table.negatives, table.positives)]
    # Even steps along both axes keep the corner, where a rare positive class has its few points.
    path = rates[0] + rates[1]
    steps = np.searchsorted(path, np.linspace(0, 2, ROC_POINTS)[1:-1])
    kept = np.unique([*np.minimum(steps, path.size - 1), path.size - 1])
    points = np.column_stack([*(rate[kept] for rate in rates), table.scores[::-1][kept]])
    return [[0.0, 0.0, None], *points.tolist()]


def calibration_points(table: ScoreTable, confidence: float) -> list[CalibrationBin]:
    """Bins of about equally many rows, from low scores to high; none without rows."""
    if not table.scores.size:
        return []
    bins = table.merged(to_bins(table.scores, table.mass_edges(CALIBRATION_BINS)))
    points = []
    for score, positives, rows in zip(bins.scores, bins.positives, bins.rows, strict=True):
        interval = wilson(float(positives), float(rows), confidence=confidence)
        points.append(CalibrationBin(float(score), float(positives / rows), interval.low, interval.high, int(rows)))
    return points


def _histogram(table: ScoreTable) -> dict[str, list[float]]:
    counts = {"negatives": table.negatives, "positives": table.positives}
    return {
        "edges": [*HISTOGRAM_EDGES],
        **{name: np.histogram(table.scores, HISTOGRAM_EDGES, weights=n)[0].tolist() for name, n in counts.items()},
    }


def _confusion(table: ScoreTable, threshold: float) -> dict[str, int]:
    selected = table.scores >= threshold
    return {
        "true_positives": int(table.positives[selected].sum()),
        "false_positives": int(table.negatives[selected].sum()),
        "false_negatives": int(table.positives[~selected].sum()),
        "true_negatives": int(table.negatives[~selected].sum()),
    }
