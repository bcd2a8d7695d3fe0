"""Does the model know what it could not know when it is used?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.inputs import (
    accept_clusters,
    accept_columns,
    accept_labels,
    measured,
    unmeasured,
)
from gatewright.core.errors import DataError
from gatewright.core.results import Measurement
from gatewright.core.statistics.auc import auc, auc_interval
from gatewright.core.statistics.blocks import FloatArray
from gatewright.core.statistics.proportions import wilson

__all__ = ["measure_leakage"]

# A number with more distinct values is cut into this many bins before it is encoded by target rate.
ENCODED_VALUES = 50
# A text column with more distinct values than this share of its rows names rows, it does not describe them.
IDENTIFIER_SHARE = 0.5
KEY_LEVELS = 50


def measure_leakage(
    frame_train: pd.DataFrame,
    labels_train: Any,
    features: Sequence[str],
    *,
    not_features: Mapping[str, str],
    key: Sequence[str],
    confidence: float,
    frame_evaluation: pd.DataFrame | None = None,
    time_column: str | None = None,
    clusters: Any = None,
) -> tuple[Measurement, ...]:
    """Signs that the training data hold the answer, or rows of the evaluation.

    ``single_feature_auc`` per feature (slice): how well it ranks alone, the better of its values in order
    and of its target rates out of fold. ``forbidden_features`` and ``identifier_features``: exact counts, the
    names in the note. ``duplicate_rows``: share of evaluation rows whose ``key`` also stands in training.
    ``time_travel``: training rows not before the first evaluation row. The last two have no value without
    ``frame_evaluation`` and ``time_column``. Raises DataError for missing columns or wrong labels.
    """
    labels = accept_labels(labels_train)
    accept_columns(frame_train, [*features, *key], where="training data")
    if labels.size != len(frame_train):
        raise DataError(
            f"{labels.size} labels for {len(frame_train)} training rows.",
            where="training data",
            remedy="give one label per row.",
        )
    ids = accept_clusters(clusters, labels.size)
    return (
        *(_single_feature(name, frame_train[name], labels, confidence, ids) for name in features),
        _forbidden(features, not_features),
        _identifiers(frame_train, features, key),
        _duplicates(frame_train, frame_evaluation, list(key), confidence),
        _time_travel(frame_train, frame_evaluation, time_column),
    )


def _single_feature(
    name: str, column: "pd.Series[Any]", labels: FloatArray, confidence: float, clusters: Any
) -> Measurement:
    if not labels.size or labels.min() == labels.max():
        return unmeasured("single_feature_auc", labels.size, "needs both classes", slice=name)
    rankings = [_target_rates(_levels(column), labels), *_orders(column, labels)]
    best = max(rankings, key=lambda ranking: auc(labels, ranking))
    interval = auc_interval(labels, best, confidence=confidence, clusters=clusters)
    return measured("single_feature_auc", auc(labels, best), interval, labels.size, slice=name)


def _orders(column: "pd.Series[Any]", labels: FloatArray) -> list[FloatArray]:
    """A number's own order in the direction of the target, missing values below all others."""
    if not pd.api.types.is_numeric_dtype(column):
        return []
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.nan_to_num(values, nan=-np.inf, posinf=np.inf, neginf=np.finfo(np.float64).min)
    return [values if auc(labels, values) >= 0.5 else -values]


def _levels(column: "pd.Series[Any]") -> NDArray[np.int64]:
    """Codes of the column's values, or of quantile bins of a number with many; missing is a level."""
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > ENCODED_VALUES:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        finite = values[np.isfinite(values)]
        edges = np.unique(np.quantile(finite, np.linspace(0, 1, ENCODED_VALUES + 1)[1:-1]))
        bins = np.searchsorted(edges, values, side="right")
        return np.where(np.isnan(values), edges.size + 1, bins).astype(np.int64)
    return pd.factorize(column, use_na_sentinel=False)[0].astype(np.int64)


def _target_rates(levels: NDArray[np.int64], labels: FloatArray) -> FloatArray:
    """Target rate of each row's level among the rows of the other fold, so that no row tells its own label.

    A level that the other fold lacks gets that fold's overall rate.
    """
    folds = (pd.util.hash_array(np.arange(labels.size)) % np.uint64(2)).astype(np.int64)
    encoded = np.empty(labels.size)
    for fold in (0, 1):
        inside, outside = folds == fold, folds != fold
        width = int(levels.max(initial=0)) + 1
        positives = np.bincount(levels[outside], weights=labels[outside], minlength=width)
        rows = np.bincount(levels[outside], minlength=width)
        overall = positives.sum() / max(rows.sum(), 1)
        rates = np.where(rows > 0, positives / np.maximum(rows, 1), overall)
        encoded[inside] = rates[levels[inside]]
    return encoded


def _forbidden(features: Sequence[str], not_features: Mapping[str, str]) -> Measurement:
    found = [f"{name}: {not_features[name]}" for name in features if name in not_features]
    return _count("forbidden_features", len(found), len(features), "; ".join(found))


def _identifiers(frame: pd.DataFrame, features: Sequence[str], key: Sequence[str]) -> Measurement:
    found = [name for name in features if _is_text(frame[name]) and _identifies(frame[name], in_key=name in key)]
    return _count("identifier_features", len(found), len(features), ", ".join(found))


def _identifies(column: "pd.Series[Any]", *, in_key: bool) -> bool:
    """Nearly unique, or a part of the key with many levels: a role such as driver is in a key and names nobody."""
    levels = column.nunique()
    return levels > IDENTIFIER_SHARE * max(len(column), 1) or (in_key and levels > KEY_LEVELS)


def _is_text(column: "pd.Series[Any]") -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _duplicates(train: pd.DataFrame, evaluation: pd.DataFrame | None, key: list[str], confidence: float) -> Measurement:
    if evaluation is None or not len(evaluation):
        return unmeasured("duplicate_rows", 0, "no evaluation rows were given")
    accept_columns(evaluation, key, where="evaluation data")
    known = train[key].drop_duplicates()
    joined = evaluation[key].merge(known, on=key, how="left", indicator=True)
    repeated, rows = int((joined["_merge"] == "both").sum()), len(evaluation)
    interval = wilson(repeated, rows, confidence=confidence)
    return measured("duplicate_rows", repeated / rows, interval, rows, note=f"{repeated} of {rows} rows")


def _time_travel(train: pd.DataFrame, evaluation: pd.DataFrame | None, time_column: str | None) -> Measurement:
    if evaluation is None or time_column is None:
        return unmeasured("time_travel", len(train), "no evaluation rows or no time column were given")
    accept_columns(train, [time_column], where="training data")
    accept_columns(evaluation, [time_column], where="evaluation data")
    first = evaluation[time_column].min()
    if pd.isna(first):
        return unmeasured("time_travel", len(train), f"`{time_column}` of the evaluation rows is empty")
    # A row without a time cannot be shown to be earlier.
    before = train[time_column] < first
    late = len(train) - int(before.fillna(False).sum())
    return _count("time_travel", late, len(train), f"first evaluation time: {first}")


def _count(metric: str, count: int, n: int, note: str) -> Measurement:
    return Measurement(metric=metric, value=float(count), n=n, note=note)
