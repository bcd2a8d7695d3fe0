"""Groups of rows: the slices an audit looks at, their rates, and fairlearn's word on the gaps between them."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.inputs import accept_groups, accept_labels, accept_scores
from gatewright.core.statistics.blocks import FloatArray, Sums
from gatewright.core.statistics.gaps import GapKind
from gatewright.core.statistics.proportions import wilson

__all__ = ["fairlearn_gap", "group_table", "slices_of"]


def slices_of(groups: Mapping[str, NDArray[np.object_]]) -> dict[str, NDArray[np.object_]]:
    """Each feature's groups, then those of each pair. Only pairs: deeper ones leave nobody in a group."""
    slices = {name: groups[name] for name in sorted(groups)}
    for first, second in combinations(sorted(groups), 2):
        pairs = zip(groups[first], groups[second], strict=True)
        slices[f"{first} & {second}"] = np.array([f"{a} & {b}" for a, b in pairs], dtype=object)
    return slices


def group_table(
    labels: Any,
    scores: Any,
    groups: Mapping[str, Any],
    *,
    threshold: float,
    confidence: float,
    minimum_support: int = 1,
) -> list[dict[str, Any]]:
    """One row per slice and group, as plain JSON.

    Keys: ``slice``, ``group``, ``n``, ``supported`` (``n`` reaches the minimum support), ``positives``,
    ``mean_score``, and for each of ``observed_rate``, ``selection_rate``, ``true_positive_rate``,
    ``false_positive_rate``, ``precision`` and ``accuracy`` the rate itself and its Wilson bounds
    ``<rate>_low`` and ``<rate>_high`` (all None where the denominator is 0).
    Raises DataError and ModelError as `measure_evaluation`.
    """
    truth = accept_labels(labels)
    predicted = accept_scores(scores, truth.size, where="scores")
    table = []
    for name, values in slices_of(accept_groups(groups, truth.size)).items():
        for group in sorted(set(values)):
            rows = values == group
            row = _group_row(truth[rows] == 1, predicted[rows], threshold, confidence)
            supported = bool(rows.sum() >= minimum_support)
            table.append({"slice": name, "group": group, "supported": supported, **row})
    return table


def _group_row(positive: NDArray[np.bool_], scores: FloatArray, threshold: float, confidence: float) -> dict[str, Any]:
    selected = scores >= threshold
    row: dict[str, Any] = {
        "n": int(positive.size),
        "positives": int(positive.sum()),
        "mean_score": float(scores.mean()),
    }
    shares = {
        "observed_rate": positive,
        "selection_rate": selected,
        "true_positive_rate": selected[positive],
        "false_positive_rate": selected[~positive],
        "precision": positive[selected],
        "accuracy": positive == selected,
    }
    for rate, successes in shares.items():
        row |= _rate(rate, successes, confidence)
    return row


def _rate(rate: str, successes: NDArray[np.bool_], confidence: float) -> dict[str, float | None]:
    if not successes.size:
        return {rate: None, f"{rate}_low": None, f"{rate}_high": None}
    interval = wilson(int(successes.sum()), successes.size, confidence=confidence)
    return {rate: float(successes.mean()), f"{rate}_low": interval.low, f"{rate}_high": interval.high}


def fairlearn_gap(rate: str, kind: GapKind, total: Sums, kept: NDArray[np.int64]) -> float:
    """The gap of ``rate`` between the groups ``kept`` as fairlearn's MetricFrame gives it.

    A group's rows differ only in label and decision, so four weighted rows a group say all and the cost does
    not grow with the data.
    """
    from fairlearn.metrics import MetricFrame

    found, selected = total["true_positives"][0, kept], total["selected"][0, kept]
    missed, rows = total["positives"][0, kept] - found, total["rows"][0, kept]
    weights = np.concatenate([found, missed, selected - found, rows - selected - missed])
    cells = weights > 0
    frame = MetricFrame(
        metrics=_fairlearn_metric(rate),
        y_true=np.repeat([1, 1, 0, 0], kept.size)[cells],
        y_pred=np.repeat([1, 0, 1, 0], kept.size)[cells],
        sensitive_features=np.tile(kept, 4)[cells],
        sample_params={"sample_weight": weights[cells]},
    )
    gap = frame.difference if kind == "difference" else frame.ratio
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(gap(method="between_groups"))


def _fairlearn_metric(rate: str) -> Callable[..., float]:
    from fairlearn.metrics import false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import precision_score

    metrics: dict[str, Callable[..., float]] = {
        "selection_rate": selection_rate,
        "recall": true_positive_rate,
        "false_positive_rate": false_positive_rate,
        "precision": precision_score,
    }
    return metrics[rate]
