"""How well a model predicts, and how much better or worse than the champion on the same rows."""

from typing import Any

import numpy as np

from gatewright.core.checks.curves import evaluation_curves
from gatewright.core.checks.evaluated import Evaluated, evaluated
from gatewright.core.checks.evaluation_changes import Change
from gatewright.core.checks.evaluation_metrics import (
    METRICS,
    NEEDS_BOTH_CLASSES,
    SCORE_METRICS,
    changed_metrics,
    metrics_of,
)
from gatewright.core.checks.evaluation_sums import EvaluationSums, evaluation_sums
from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.results import Measurement

__all__ = [
    "METRICS",
    "SCORE_METRICS",
    "EvaluationSums",
    "evaluation_curves",
    "evaluation_sums",
    "measure_evaluation",
    "measure_evaluation_sums",
]

CROWDED = "the scores lie too close together for the fixed bins of many rows; recalibrate them to probabilities"


def measure_evaluation(
    labels: Any,
    scores: Any = None,
    *,
    threshold: float,
    confidence: float,
    clusters: Any = None,
    champion_scores: Any = None,
    predictions: Any = None,
    champion_predictions: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """`measure_evaluation_sums` of the rows given as arrays of shape (rows,). Raises as `evaluation_sums`."""
    sums = evaluation_sums(
        labels,
        scores,
        predictions=predictions,
        champion_scores=champion_scores,
        champion_predictions=champion_predictions,
        threshold=threshold,
        clusters=clusters,
    )
    return measure_evaluation_sums(sums, confidence=confidence, seed=seed)


def measure_evaluation_sums(sums: EvaluationSums, *, confidence: float, seed: int = 0) -> tuple[Measurement, ...]:
    """All ``METRICS`` of the candidate, and with a champion ``<metric>_change``: candidate minus champion.

    Without scores there are none of the ``SCORE_METRICS``. ``n`` is the rate's denominator. Changes have a two-sided
    p-value of no change. A value is None, with a note, where it is undefined or has no interval.
    """
    metrics, changed = metrics_of(sums.columns, "candidate"), changed_metrics(sums.columns)
    if not sums.n:
        return tuple(unmeasured(name, 0, "no rows") for name in (*metrics, *(f"{m}_change" for m in changed)))
    models = evaluated(sums, seed=seed)
    changes = (Change(metric, models["candidate"], models["champion"]) for metric in changed)
    return (
        *(_measure(metric, models["candidate"], confidence) for metric in metrics),
        *(_measure_change(change, confidence) for change in changes),
    )


def _unmeasurable(metric: str, model: Evaluated) -> str:
    rows, positives = model.total("rows"), model.total("positives")
    if metric in NEEDS_BOTH_CLASSES and positives in (0, rows):
        return f"all {rows:.0f} labels are {positives / rows:.0f}: needs both classes"
    return ""


def _measure(metric: str, model: Evaluated, confidence: float) -> Measurement:
    note = _unmeasurable(metric, model)
    if note:
        return unmeasured(metric, model.total("rows"), note)
    value, n = model.value(metric), model.denominator(metric)
    if not np.isfinite(value):
        return measured(metric, value, None, n, note=_undefined(metric))
    if model.is_crowded(metric):
        return unmeasured(metric, n, CROWDED)
    return measured(metric, value, model.interval(metric, confidence), n, note=_bias_note(metric, model))


def _measure_change(change: Change, confidence: float) -> Measurement:
    name, note = f"{change.metric}_change", _unmeasurable(change.metric, change.candidate)
    if note:
        return unmeasured(name, change.candidate.total("rows"), note)
    if not np.isfinite(change.value):
        return measured(name, change.value, None, change.n, note=_undefined(change.metric))
    if change.candidate.is_crowded(change.metric) or change.champion.is_crowded(change.metric):
        return unmeasured(name, change.n, CROWDED)
    return measured(name, change.value, change.interval(confidence), change.n, p_value=change.p_value())


def _undefined(metric: str) -> str:
    if metric in ("calibration_slope", "calibration_intercept"):
        return "no recalibration fits: the scores are all equal, or separate the classes"
    if metric == "matthews_correlation":
        return "no row was selected at the threshold, or all were"
    return "no row was selected at the threshold"


def _bias_note(metric: str, model: Evaluated) -> str:
    bias = model.upward_bias(metric)
    if not bias > 0.1 * abs(model.value(metric)):
        return ""
    return f"about {bias:.2g} of it is chance: noise only ever adds to it"
