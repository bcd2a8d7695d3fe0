"""Points for the charts of predicted numbers, as plain JSON."""

from collections.abc import Mapping

import numpy as np
from pydantic import JsonValue

from gatewright.core.normal import critical_value
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.calibration import bin_edges, to_bins

__all__ = ["number_curves"]

PREDICTION_BINS = 10
ERROR_BARS = 20
# Errors beyond these shares of both models' are counted in the outermost bars.
TAIL = 0.005


def number_curves(
    targets: FloatArray, predictions: FloatArray, champion: FloatArray | None = None, *, confidence: float
) -> dict[str, JsonValue]:
    """Curves of ``candidate`` and ``champion``, None without predictions; all arrays have shape (rows,).

    Each holds ``by_prediction`` (mean_prediction, mean_target, low, high, n per bin of about equally many rows; a bin
    of one row has no bounds) and ``errors`` (edges, counts of prediction minus target), in the target's unit. Both
    models' errors have the same edges. Without rows there are no points.
    """
    models = {"candidate": predictions, "champion": champion}
    errors = [answers - targets for answers in models.values() if answers is not None]
    edges = _error_edges(np.concatenate(errors))
    drawn = {
        name: None if answers is None else _curves(targets, answers, edges, confidence)
        for name, answers in models.items()
    }
    return {"confidence": confidence, **drawn}


def _curves(targets: FloatArray, answers: FloatArray, edges: FloatArray, confidence: float) -> dict[str, JsonValue]:
    counts, _ = np.histogram(np.clip(answers - targets, edges[0], edges[-1]), edges)
    return {
        "by_prediction": _by_prediction(targets, answers, confidence),
        "errors": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def _by_prediction(targets: FloatArray, answers: FloatArray, confidence: float) -> list[JsonValue]:
    if not targets.size:
        return []
    index = to_bins(answers, bin_edges(answers, PREDICTION_BINS, "mass"))
    return [_point(targets[index == k], answers[index == k], confidence) for k in np.unique(index)]


def _point(targets: FloatArray, answers: FloatArray, confidence: float) -> dict[str, JsonValue]:
    mean, n = float(targets.mean()), targets.size
    bounds: Mapping[str, float | None] = {"low": None, "high": None}
    if n > 1:
        margin = critical_value(confidence) * float(targets.std(ddof=1)) / n**0.5
        bounds = {"low": mean - margin, "high": mean + margin}
    return {"mean_prediction": float(answers.mean()), "mean_target": mean, **bounds, "n": n}


def _error_edges(errors: FloatArray) -> FloatArray:
    low, high = np.quantile(errors, [TAIL, 1 - TAIL]) if errors.size else (0.0, 0.0)
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges: FloatArray = np.linspace(low, high, ERROR_BARS + 1)
    return edges
