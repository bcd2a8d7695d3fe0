"""Points for the evaluation charts, as plain JSON."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.inputs import accept_labels, accept_scores
from gatewright.core.statistics.auc import auc
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.calibration import calibration_curve

__all__ = ["evaluation_curves"]

ROC_POINTS = 100
HISTOGRAM_BINS = 20


def evaluation_curves(
    labels: Any, scores: Any, *, threshold: float, confidence: float = 0.95, champion_scores: Any = None
) -> dict[str, Any]:
    """Curves of ``candidate`` and ``champion`` (None without one).

    Each holds ``roc`` ([false positive rate, true positive rate, threshold] from (0, 0) to (1, 1), thinned,
    the first threshold None), ``calibration`` (mean_score, observed_rate, low, high, n per bin of equal
    mass), ``histogram`` (edges, negatives, positives), ``confusion`` (counts at ``threshold``), and ``auc``.
    Raises as `measure_evaluation`.
    """
    truth = accept_labels(labels)
    ours = accept_scores(scores, truth.size, where="candidate scores")
    curves: dict[str, Any] = {"threshold": threshold, "confidence": confidence, "champion": None}
    curves["candidate"] = _curves(truth, ours, threshold, confidence)
    if champion_scores is not None:
        theirs = accept_scores(champion_scores, truth.size, where="champion scores")
        curves["champion"] = _curves(truth, theirs, threshold, confidence)
    return curves


def _curves(labels: FloatArray, scores: FloatArray, threshold: float, confidence: float) -> dict[str, Any]:
    area = auc(labels, scores)
    return {
        "auc": area if np.isfinite(area) else None,
        "roc": _roc(labels, scores),
        "calibration": [point._asdict() for point in calibration_curve(labels, scores, confidence=confidence)],
        "histogram": _histogram(labels, scores),
        "confusion": _confusion(labels == 1, scores >= threshold),
    }


def _roc(labels: FloatArray, scores: FloatArray) -> list[list[float | None]]:
    values, index = np.unique(scores, return_inverse=True)
    positives = np.bincount(index, weights=labels, minlength=values.size)
    negatives = np.bincount(index, weights=1 - labels, minlength=values.size)
    if not (positives.sum() > 0 and negatives.sum() > 0):
        return []
    rates = [np.cumsum(counts[::-1]) / counts.sum() for counts in (negatives, positives)]
    # Even steps along both axes keep the corner, where a rare positive class has its few points.
    path = rates[0] + rates[1]
    steps = np.searchsorted(path, np.linspace(0, 2, ROC_POINTS)[1:-1])
    kept = np.unique([*np.minimum(steps, values.size - 1), values.size - 1])
    points = np.column_stack([*(rate[kept] for rate in rates), values[::-1][kept]])
    return [[0.0, 0.0, None], *points.tolist()]


def _histogram(labels: FloatArray, scores: FloatArray) -> dict[str, list[float]]:
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    return {
        "edges": edges.tolist(),
        "negatives": np.histogram(scores[labels == 0], edges)[0].tolist(),
        "positives": np.histogram(scores[labels == 1], edges)[0].tolist(),
    }


def _confusion(positive: NDArray[np.bool_], selected: NDArray[np.bool_]) -> dict[str, int]:
    return {
        "true_positives": int((positive & selected).sum()),
        "false_positives": int((~positive & selected).sum()),
        "false_negatives": int((positive & ~selected).sum()),
        "true_negatives": int((~positive & ~selected).sum()),
    }
