"""What one feature alone says about the target: by its values, out of fold, and by its name."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.duplicates import Hashes
from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.checks.numbers import finite_numbers, numbers
from gatewright.core.results import Measurement
from gatewright.core.spec import Target
from gatewright.core.statistics.auc import auc, auc_interval
from gatewright.core.statistics.blocks import (
    BlockTable,
    FloatArray,
    IntArray,
    Sums,
    assign_blocks,
    block_sums,
    bootstrap,
)
from gatewright.core.statistics.confusion import quotient

__all__ = ["Folds", "encoded_target", "levels_of", "named_after", "single_feature_auc", "target_classes"]

# A number with more distinct values is cut into this many bins before it is encoded by target rate.
ENCODED_VALUES = 50
# A numeric target is cut into this many classes of equal size.
TARGET_BINS = 10
# Names at least as alike as `deadflag` and `dead_flg`.
ALIKE = 0.85
# What people call the answer. Shorter words of a label, or words such as yes, also mean other things.
ANSWER_WORDS = frozenset({"target", "label", "outcome", "groundtruth", "ytrue"})
COMMON_WORDS = frozenset({"yes", "no", "true", "false", "none", "other", "unknown", "high", "positive", "negative"})
SHORTEST_WORD = 4

Folds = NDArray[np.bool_]


def target_classes(labels: NDArray[Any], *, numeric: bool) -> IntArray:
    """Labels as codes from 0, shape (rows,); a ``numeric`` target in bins of equal size."""
    if numeric:
        cuts = np.linspace(0, 1, TARGET_BINS + 1)[1:-1]
        edges: FloatArray = np.unique(np.quantile(labels, cuts)) if labels.size else np.empty(0)
        return np.searchsorted(edges, labels, side="left").astype(np.int64)
    return pd.factorize(labels, sort=True)[0].astype(np.int64)


def levels_of(column: "pd.Series[Any]") -> IntArray:
    """Codes of the column's values, or of quantile bins of a number with many; missing is a level."""
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > ENCODED_VALUES:
        values = numbers(column)
        edges = np.unique(np.quantile(finite_numbers(column), np.linspace(0, 1, ENCODED_VALUES + 1)[1:-1]))
        bins = np.searchsorted(edges, values, side="right")
        return np.where(np.isnan(values), edges.size + 1, bins).astype(np.int64)
    return pd.factorize(column, use_na_sentinel=False)[0].astype(np.int64)


def single_feature_auc(
    name: str,
    column: "pd.Series[Any]",
    levels: IntArray,
    labels: FloatArray,
    folds: Folds,
    *,
    confidence: float,
    clusters: Hashes | None,
) -> Measurement:
    """How well a feature ranks alone: the better of its values in order and of its target rates out of fold."""
    if not labels.size or labels.min() == labels.max():
        return unmeasured("single_feature_auc", labels.size, "needs both classes", slice=name)
    rates = _class_rates(levels, labels.astype(np.int64), folds)[:, 1]
    best = max([rates, *_orders(column, labels)], key=lambda ranking: auc(labels, ranking))
    interval = auc_interval(labels, best, confidence=confidence, clusters=clusters)
    return measured("single_feature_auc", auc(labels, best), interval, labels.size, slice=name)


def _orders(column: "pd.Series[Any]", labels: FloatArray) -> list[FloatArray]:
    """A number's own order in the direction of the target, missing values below all others."""
    if not pd.api.types.is_numeric_dtype(column):
        return []
    values = np.nan_to_num(numbers(column), nan=-np.inf, posinf=np.inf, neginf=np.finfo(np.float64).min)
    return [values if auc(labels, values) >= 0.5 else -values]


def encoded_target(
    name: str, levels: IntArray, classes: IntArray, folds: Folds, *, units: Hashes, confidence: float, seed: int = 0
) -> Measurement:
    """Theil's U out of fold: the share of the target's entropy that the feature's value removes.

    1: every value has one label; 0 or less: nothing that holds in the other half of the data. Both entropies
    are code lengths under the other fold's frequencies (Theil 1972, Statistical Decomposition Analysis), so
    that an identifier, each of whose values has one label, scores 0. Blocks of ``units`` are resampled.
    """
    if not classes.size or classes.min() == classes.max():
        return unmeasured("encoded_target", classes.size, "the target has one class", slice=name)
    rows = np.arange(classes.size)
    with_feature = _class_rates(levels, classes, folds)[rows, classes]
    without = _class_rates(np.zeros_like(levels), classes, folds)[rows, classes]
    blocks = assign_blocks(classes.size, units)
    table = BlockTable(
        {
            "rows": block_sums(blocks),
            "known": block_sums(blocks, -np.log(with_feature)),
            "unknown": block_sums(blocks, -np.log(without)),
        }
    )
    sums = bootstrap(table, seed=seed)
    interval = sums.interval(_uncertainty_coefficient, confidence)
    return measured("encoded_target", sums.value(_uncertainty_coefficient), interval, classes.size, slice=name)


def _uncertainty_coefficient(sums: Sums) -> FloatArray:
    return 1 - quotient(sums["known"], sums["unknown"])


def _class_rates(levels: IntArray, classes: IntArray, folds: Folds) -> FloatArray:
    """Rates of the classes at each row's level among the rows of the other fold, shape (rows, classes).

    One row at the fold's overall rates is added to every level, and half a row to every class: no rate is 0.
    """
    width, kinds = int(levels.max(initial=0)) + 1, int(classes.max(initial=0)) + 1
    rates = np.empty((levels.size, kinds))
    for fold in (False, True):
        inside, outside = folds == fold, folds != fold
        cells = np.bincount(levels[outside] * kinds + classes[outside], minlength=width * kinds)
        counts = cells.reshape(width, kinds).astype(np.float64)
        overall = counts.sum(axis=0) + 0.5
        smoothed = counts + overall / overall.sum()
        rates[inside] = (smoothed / smoothed.sum(axis=1, keepdims=True))[levels[inside]]
    return rates


def named_after(target: Target, frame: pd.DataFrame, features: Sequence[str]) -> list[str]:
    """A sentence for each feature whose name resembles the target's, or whose text holds the positive label."""
    words = _words(target.column)
    label = str(target.positive).lower()
    telling = len(label) >= SHORTEST_WORD and label.isalpha() and label not in COMMON_WORDS
    found = []
    for name in features:
        if _resembles(_words(name), words):
            found.append(f"{name}: named like the target `{target.column}`")
        elif telling and any(label in _words(value) for value in _texts(frame[name])):
            found.append(f"{name}: its values hold `{label}`")
    return found


def _texts(column: "pd.Series[Any]") -> list[str]:
    return [] if pd.api.types.is_numeric_dtype(column) else [str(value) for value in column.dropna().unique()]


def _words(name: str) -> list[str]:
    """``isDead_30d`` -> is, dead, 30, d."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())


def _resembles(name: list[str], target: list[str]) -> bool:
    joined, aim = "".join(name), "".join(target)
    if ANSWER_WORDS & {*name, joined} or (target and set(target) <= set(name)):
        return True
    return len(aim) >= SHORTEST_WORD and difflib.SequenceMatcher(None, joined, aim).ratio() >= ALIKE
