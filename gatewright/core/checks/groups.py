"""The rates of each group with their intervals, from the counts of a fairness audit."""

from typing import Any

import numpy as np

from gatewright.core.checks.fairness_metrics import GROUP_RATES
from gatewright.core.checks.fairness_sums import AuditedSlice, FairnessSums
from gatewright.core.statistics.blocks import FloatArray, IntArray
from gatewright.core.statistics.proportions import wilson

__all__ = ["group_rates", "group_table", "metric_frame"]

TABLE_RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")


def group_rates(
    sums: FairnessSums, *, confidence: float | None = None
) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """Sensitive column -> group -> ``n`` and each of ``GROUP_RATES``, None where its denominator is 0.

    With ``confidence`` also the Wilson bounds ``<rate>_low`` and ``<rate>_high``.
    """
    found: dict[str, dict[str, dict[str, float | int | None]]] = {}
    for column in sums.groups:
        audited = sums.slice_of((column,))
        assert audited is not None, "every column has a table"
        found[column] = {
            group: {"n": int(cells.sum()), **_rates(cells, tuple(GROUP_RATES), confidence)}
            for group, cells in zip(audited.groups, audited.candidate.sum(axis=0), strict=True)
        }
    return found


def group_table(sums: FairnessSums, *, confidence: float, minimum_support: int = 1) -> list[dict[str, Any]]:
    """One row per slice and group, as plain JSON.

    Keys: ``slice``, ``group``, ``n``, ``supported`` (``n`` reaches the minimum support), ``positives``,
    ``mean_score`` (None without scores), and for each of ``observed_rate``, ``selection_rate``,
    ``true_positive_rate``, ``false_positive_rate``, ``precision`` and ``accuracy`` the rate itself and its Wilson
    bounds ``<rate>_low`` and ``<rate>_high`` (all None where the denominator is 0).
    """
    audited = (slice for slice in sums.slices() if isinstance(slice, AuditedSlice))
    return [
        {**row, "supported": row["n"] >= minimum_support} for slice in audited for row in _table_rows(slice, confidence)
    ]


def _table_rows(audited: AuditedSlice, confidence: float) -> list[dict[str, Any]]:
    rows = []
    for k, (group, cells) in enumerate(zip(audited.groups, audited.candidate.sum(axis=0), strict=True)):
        n, positives = int(cells.sum()), int(cells[1].sum())
        score = None if audited.scores is None else float(audited.scores[:, k].sum() / n)
        row = {"slice": audited.name, "group": group, "n": n, "positives": positives, "mean_score": score}
        observed = _rate("observed_rate", positives, n, confidence)
        rows.append({**row, **observed, **_rates(cells, TABLE_RATES, confidence)})
    return rows


def _rates(cells: IntArray, names: tuple[str, ...], confidence: float | None) -> dict[str, float | None]:
    rates: dict[str, float | None] = {}
    for name in names:
        rate = GROUP_RATES[name]
        rates |= _rate(name, int(rate.numerator(cells)), int(rate.denominator(cells)), confidence)
    return rates


def _rate(name: str, successes: int, n: int, confidence: float | None) -> dict[str, float | None]:
    value = {name: successes / n if n else None}
    if confidence is None:
        return value
    if not n:
        return {**value, f"{name}_low": None, f"{name}_high": None}
    interval = wilson(successes, n, confidence=confidence)
    return {**value, f"{name}_low": interval.low, f"{name}_high": interval.high}


def metric_frame(sums: FairnessSums, columns: tuple[str, ...]) -> Any:
    """fairlearn's own ``MetricFrame`` of ``GROUP_RATES`` by one or two sensitive columns, for its plots and methods.

    Rows of a group differ only in label and decision, so four weighted rows a group say all: the frame is that
    of the raw rows, at a cost that does not grow with the data. Raises KeyError for columns that were not audited
    together.
    """
    from fairlearn import metrics as fairlearn
    from sklearn.metrics import accuracy_score, precision_score

    audited = sums.slice_of(columns)
    if audited is None:
        raise KeyError(columns)
    weights: FloatArray = audited.candidate.sum(axis=0).reshape(-1).astype(np.float64)
    cells = np.flatnonzero(weights)
    own = {
        "precision": lambda *rows, **weight: precision_score(*rows, **weight, zero_division=0),
        "accuracy": accuracy_score,
    }
    return fairlearn.MetricFrame(
        metrics={name: own.get(name) or getattr(fairlearn, name) for name in GROUP_RATES},
        y_true=cells // 2 % 2,
        y_pred=cells % 2,
        sensitive_features=np.array(audited.groups, dtype=object)[cells // 4],
        sample_params={name: {"sample_weight": weights[cells]} for name in GROUP_RATES},
    )
