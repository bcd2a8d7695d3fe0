"""Does the model know what it could not know when it is used?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from gatewright.core.checks.duplicates import Hashes, RowIndex, coverage, coverage_interval, excess_interval, row_hashes
from gatewright.core.checks.encodings import (
    Folds,
    encoded_target,
    levels_of,
    named_after,
    single_feature_auc,
    target_classes,
)
from gatewright.core.checks.inputs import accept_clusters, accept_columns, accept_labels, measured, unmeasured
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.checks.time_travel import future_values, training_after_evaluation
from gatewright.core.errors import DataError
from gatewright.core.results import Measurement
from gatewright.core.spec import Target, Task
from gatewright.core.statistics.blocks import IntArray

__all__ = ["measure_leakage"]

# A text column with more distinct values than this share of its rows names rows, it does not describe them.
IDENTIFIER_SHARE = 0.5
KEY_LEVELS = 50
# More rows than this tell no more of a single feature; they would be sorted once for each.
FEATURE_ROWS = 200_000
NO_EVALUATION = "no evaluation rows were given"


def measure_leakage(
    frame_train: pd.DataFrame,
    labels_train: Any,
    features: Sequence[str],
    *,
    not_features: Mapping[str, str],
    key: Sequence[str],
    confidence: float,
    target: Target | None = None,
    task: Task = "binary_classification",
    frame_evaluation: pd.DataFrame | None = None,
    time_column: str | None = None,
    clusters: Any = None,
    clusters_evaluation: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Signs that the training data hold the answer, or rows of the evaluation.

    Per feature, its slice, from at most ``FEATURE_ROWS`` training rows: ``single_feature_auc`` (binary labels
    only) and ``encoded_target``; ``future_values`` of features that are dates. Exact counts, with names in the
    note: ``forbidden_features``, ``identifier_features``, ``target_named_features``, ``time_travel``. Shares of
    evaluation rows that stand in training: ``duplicate_rows`` (by ``key``), ``near_duplicate_rows`` (by all
    features) and its ``near_duplicate_excess`` over what as coarse data show by chance; ``entity_overlap``, of
    evaluation clusters. What needs ``frame_evaluation``, ``time_column``, ``target`` or clusters has no value
    without. ``clusters`` and ``clusters_evaluation`` must be ids of one kind. Raises DataError for missing
    columns or wrong labels.
    """
    accept_columns(frame_train, [*features, *key], where="training data")
    labels = accept_labels(labels_train) if task == "binary_classification" else np.asarray(labels_train)
    if labels.shape != (len(frame_train),):
        raise DataError(
            f"{labels.size} labels for {len(frame_train)} training rows.",
            where="training data",
            remedy="give one label per row.",
        )
    ids = accept_clusters(clusters, labels.size)
    train = _Rows(frame_train, tuple(features), tuple(key), ids)
    evaluation = None
    if frame_evaluation is not None and len(frame_evaluation):
        accept_columns(frame_evaluation, [*features, *key], where="evaluation data")
        theirs = accept_clusters(clusters_evaluation, len(frame_evaluation))
        evaluation = _Rows(frame_evaluation, tuple(features), tuple(key), theirs)
    return (
        *_single_features(train, labels, task, confidence, seed),
        _forbidden(features, not_features),
        _identifiers(frame_train, features, key),
        _target_named(train, target),
        _duplicates(train, evaluation, confidence),
        *_near_duplicates(train, evaluation, confidence, seed),
        _entity_overlap(train, evaluation, confidence),
        training_after_evaluation(frame_train, frame_evaluation, time_column),
        *future_values(frame_train, features, time_column, confidence=confidence, clusters=ids, seed=seed),
    )


@dataclass(frozen=True)
class _Rows:
    """Rows and their hashes, each computed once."""

    frame: pd.DataFrame
    features: tuple[str, ...]
    key: tuple[str, ...]
    clusters: Hashes | None

    @cached_property
    def keys(self) -> Hashes:
        return row_hashes(self.frame, self.key)

    @cached_property
    def contents(self) -> Hashes:
        return row_hashes(self.frame, self.features)

    @cached_property
    def units(self) -> Hashes:
        """What is independent of each other: clusters, else rows by their key and content, not by their place."""
        return self.keys + np.uint64(3) * self.contents if self.clusters is None else self.clusters

    @cached_property
    def folds(self) -> Folds:
        return np.asarray((self.units >> np.uint64(17)) % np.uint64(2) == 0)

    def part(self, at_most: int) -> tuple["_Rows", IntArray]:
        """Up to ``at_most`` rows, units together, and their positions."""
        if self.units.size <= at_most:
            return self, np.arange(self.units.size)
        chosen = np.argsort(self.units, kind="stable")[:at_most]
        clusters = None if self.clusters is None else self.clusters[chosen]
        frame = self.frame[[*self.features, *self.key]].iloc[chosen]
        return _Rows(frame, self.features, self.key, clusters), chosen


def _single_features(train: _Rows, labels: Any, task: Task, confidence: float, seed: int) -> Iterable[Measurement]:
    train, chosen = train.part(FEATURE_ROWS)
    labels = labels[chosen]
    classes = target_classes(labels, numeric=task == "regression")
    for name in train.features:
        levels = levels_of(train.frame[name])
        if task == "binary_classification":
            yield single_feature_auc(
                name,
                train.frame[name],
                levels,
                labels,
                train.folds,
                confidence=confidence,
                clusters=train.clusters,
            )
        yield encoded_target(name, levels, classes, train.folds, units=train.units, confidence=confidence, seed=seed)


def _forbidden(features: Sequence[str], not_features: Mapping[str, str]) -> Measurement:
    found = [f"{name}: {not_features[name]}" for name in features if name in not_features]
    return _count("forbidden_features", found, len(features))


def _identifiers(frame: pd.DataFrame, features: Sequence[str], key: Sequence[str]) -> Measurement:
    found = [name for name in features if _is_text(frame[name]) and _identifies(frame[name], in_key=name in key)]
    return _count("identifier_features", found, len(features), separator=", ")


def _identifies(column: "pd.Series[Any]", *, in_key: bool) -> bool:
    """Nearly unique, or a part of the key with many levels: a role such as driver is in a key and names nobody."""
    levels = column.nunique()
    return levels > IDENTIFIER_SHARE * max(len(column), 1) or (in_key and levels > KEY_LEVELS)


def _is_text(column: "pd.Series[Any]") -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _target_named(train: _Rows, target: Target | None) -> Measurement:
    if target is None:
        return unmeasured("target_named_features", len(train.features), "no target was named")
    return _count("target_named_features", named_after(target, train.frame, train.features), len(train.features))


def _duplicates(train: _Rows, evaluation: _Rows | None, confidence: float) -> Measurement:
    if evaluation is None:
        return unmeasured("duplicate_rows", 0, NO_EVALUATION)
    repeated = RowIndex.of(train.keys, train.keys).holds(evaluation.keys)
    note = f"{int(repeated.sum())} of {repeated.size} rows"
    return share_of_rows("duplicate_rows", repeated, confidence=confidence, note=note)


def _near_duplicates(
    train: _Rows, evaluation: _Rows | None, confidence: float, seed: int
) -> tuple[Measurement, Measurement]:
    """The share of evaluation rows whose features all stand in training, and its excess over the expected."""
    if evaluation is None:
        return unmeasured("near_duplicate_rows", 0, NO_EVALUATION), unmeasured(
            "near_duplicate_excess", 0, NO_EVALUATION
        )
    index = RowIndex.of(train.contents, train.units)
    found = share_of_rows(
        "near_duplicate_rows",
        index.holds(evaluation.contents),
        confidence=confidence,
        clusters=evaluation.clusters,
        seed=seed,
    )
    if found.value is None or found.interval is None or not index.hashes.size:
        return found, unmeasured("near_duplicate_excess", found.n, found.note or "no training rows")
    expected = coverage(index)
    expectation = coverage_interval(index, confidence=confidence)
    interval = excess_interval(found.value, found.interval, expected, expectation)
    note = f"{found.value:.1%} of evaluation rows stand in training, {expected:.1%} are expected"
    return found, measured("near_duplicate_excess", found.value - expected, interval, found.n, note=note)


def _entity_overlap(train: _Rows, evaluation: _Rows | None, confidence: float) -> Measurement:
    if evaluation is None or train.clusters is None or evaluation.clusters is None:
        reason = NO_EVALUATION if evaluation is None else "the spec names no cluster columns"
        return unmeasured("entity_overlap", 0, reason)
    entities = np.unique(evaluation.clusters)
    seen = np.isin(entities, train.clusters)
    note = f"{int(seen.sum())} of {entities.size} entities"
    return share_of_rows("entity_overlap", seen, confidence=confidence, note=note)


def _count(metric: str, found: Sequence[str], n: int, *, separator: str = "; ") -> Measurement:
    return Measurement(metric=metric, value=float(len(found)), n=n, note=separator.join(found))
