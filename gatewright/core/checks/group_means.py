"""What each group of a column got, from the sums of a fairness audit of numbers or of several classes."""

from collections.abc import Mapping, Sequence

import numpy as np

from gatewright.core.checks.class_groups import ClassFairnessSums, GroupClasses
from gatewright.core.checks.fairness_regression import GroupErrors, RegressionFairnessSums
from gatewright.core.file_verdict import GroupRates
from gatewright.core.normal import critical_value
from gatewright.core.statistics.blocks import BLOCKS
from gatewright.core.statistics.proportions import wilson

__all__ = ["class_group_rates", "group_errors", "with_intervals"]

Figures = dict[str, float | int | None]
Rates = dict[str, Figures]
_MEANS = {
    "mean_prediction": "prediction",
    "mean_error": "error",
    "mae": "absolute_error",
    "mean_squared_error": "squared_error",
}


def group_errors(sums: RegressionFairnessSums, columns: Sequence[str]) -> GroupRates:
    """Column -> group -> ``n``, mean prediction and mean errors of the candidate; nothing with too many groups."""
    slices = {name: sums.slices[name] for name in columns}
    return {name: _errors(errors) for name, errors in slices.items() if errors is not None}


def class_group_rates(sums: ClassFairnessSums, columns: Sequence[str]) -> GroupRates:
    """Column -> group -> ``n`` and accuracy of the candidate; nothing with too many groups."""
    slices = {name: sums.slices[name] for name in columns}
    return {name: _accuracies(counts) for name, counts in slices.items() if counts is not None}


def with_intervals(figures: Mapping[str, float | int | None], *, confidence: float) -> Figures:
    """``figures`` of one group with ``<name>_low`` and ``<name>_high`` where they can be told from the others.

    Of an accuracy Wilson's interval, of mean errors the normal one: their squares give the variance, divided by n - 1.
    """
    found, n = dict(figures), figures.get("n") or 0
    accuracy, square = figures.get("accuracy"), figures.get("mean_squared_error")
    if accuracy is not None:
        interval = wilson(min(accuracy, 1.0) * n, n, confidence=confidence)
        found |= {"accuracy_low": interval.low, "accuracy_high": interval.high}
    for name in ("mean_error", "mae"):
        mean = figures.get(name)
        if mean is not None and square is not None and n > 1:
            margin = critical_value(confidence) * (max(square - mean**2, 0.0) / (n - 1)) ** 0.5
            found |= {f"{name}_low": mean - margin, f"{name}_high": mean + margin}
    return found


def _errors(errors: GroupErrors) -> Rates:
    rows = errors.rows.sum(axis=0)
    totals = {name: errors.models[0][key].floats().reshape(BLOCKS, -1).sum(axis=0) for name, key in _MEANS.items()}
    return {
        group: {"n": int(rows[k]), **{name: float(total[k] / rows[k]) for name, total in totals.items()}}
        for k, group in enumerate(errors.groups)
        if rows[k]
    }


def _accuracies(counts: GroupClasses) -> Rates:
    rows, hits = (np.sum(table, axis=(0, 2)) for table in (counts.labelled, counts.hits[0]))
    return {
        group: {"n": int(rows[k]), "accuracy": float(hits[k] / rows[k])}
        for k, group in enumerate(counts.groups)
        if rows[k]
    }
