"""What each group of a column got, from the sums of a fairness audit of numbers or of several classes."""

from collections.abc import Sequence

import numpy as np

from gatewright.core.checks.class_groups import ClassFairnessSums, GroupClasses
from gatewright.core.checks.fairness_regression import GroupErrors, RegressionFairnessSums
from gatewright.core.file_verdict import GroupRates
from gatewright.core.statistics.blocks import BLOCKS

__all__ = ["class_group_rates", "group_errors"]

Rates = dict[str, dict[str, float | int | None]]
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
