"""Decisions and probabilities of several classes as sums per block, which merge exactly.

``macro`` is the unweighted mean over all classes of the spec. A class without labels has no recall, so its
macro metrics are undefined; a class that is never predicted has precision 0, as in scikit-learn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from gatewright.core.statistics.blocks import BLOCKS, BlockTable, FloatArray, IntArray, Statistic, Sums
from gatewright.core.statistics.calibration import EQUAL_WIDTH_BINS, bin_edges, to_bins
from gatewright.core.statistics.confusion import Rate, quotient
from gatewright.core.statistics.exact_sums import ExactSums, exact_sums

__all__ = [
    "ACCURACY",
    "DECISION_STATISTICS",
    "PROBABILITY_STATISTICS",
    "DecisionSums",
    "LossSums",
    "class_f1",
    "class_precision",
    "class_recall",
    "decision_sums",
    "loss_sums",
    "paired_hits",
]


@dataclass(frozen=True)
class DecisionSums:
    """Counts per block and class, each of shape (BLOCKS, classes), and ``confusion``: [label, prediction]."""

    labelled: IntArray
    predicted: IntArray
    hits: IntArray
    confusion: IntArray

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.labelled + other.labelled,
            self.predicted + other.predicted,
            self.hits + other.hits,
            self.confusion + other.confusion,
        )

    def table(self) -> BlockTable:
        """The counts as floats, for the bootstrap."""
        counts = {"labelled": self.labelled, "predicted": self.predicted, "hits": self.hits}
        counts["rows"] = self.labelled.sum(axis=1)
        return BlockTable({name: values.astype(np.float64) for name, values in counts.items()})


@dataclass(frozen=True)
class LossSums:
    """Exact sums per block of ``log_loss``, ``brier`` and, per bin of the top label's probability, of its ``gap``.

    The gap is that probability less 1 where the label is right.
    """

    sums: Mapping[str, ExactSums]

    def __add__(self, other: Self) -> Self:
        return type(self)({name: values + other.sums[name] for name, values in self.sums.items()})

    def table(self) -> BlockTable:
        """The sums as floats, for the bootstrap; the rows are those of the decisions' table."""
        sums = {name: values.floats() for name, values in self.sums.items()}
        return BlockTable({**sums, "gap": sums["gap"].reshape(BLOCKS, EQUAL_WIDTH_BINS)})


def decision_sums(labels: IntArray, predictions: IntArray, blocks: IntArray, classes: int) -> DecisionSums:
    """Counts of one batch: all arrays of shape (rows,), labels and predictions as codes from 0 to ``classes`` - 1."""
    right = labels == predictions
    confusion = np.bincount(labels * classes + predictions, minlength=classes**2).reshape(classes, classes)
    return DecisionSums(
        _by_class(blocks, labels, classes),
        _by_class(blocks, predictions, classes),
        _by_class(blocks[right], labels[right], classes),
        confusion,
    )


def loss_sums(labels: IntArray, probabilities: FloatArray, blocks: IntArray) -> LossSums:
    """Losses of one batch: ``probabilities`` of shape (rows, classes), each row summing to 1.

    Logarithms are cut at the resolution of a float, and the Brier score of two classes is halved, as in
    scikit-learn. The top label's calibration: Guo, Pleiss, Sun, Weinberger (2017), ICML.
    """
    rows, classes = probabilities.shape
    eps = np.finfo(np.float64).eps
    given = probabilities[np.arange(rows), labels]
    squares = (probabilities**2).sum(axis=1) - given**2 + (1 - given) ** 2
    top = probabilities.max(axis=1, initial=0)
    right = probabilities.argmax(axis=1) == labels
    cells = blocks * EQUAL_WIDTH_BINS + to_bins(top, bin_edges(top, EQUAL_WIDTH_BINS))
    sums = {
        "log_loss": exact_sums(blocks, BLOCKS, -np.log(np.clip(given, eps, 1 - eps))),
        "brier": exact_sums(blocks, BLOCKS, squares / 2 if classes == 2 else squares),
        "gap": exact_sums(cells, BLOCKS * EQUAL_WIDTH_BINS, top - right),
    }
    return LossSums(sums)


def paired_hits(labels: IntArray, ours: IntArray, theirs: IntArray, classes: int) -> IntArray:
    """Rows that only the first and that only the second model gets right, by class: shape (classes, 2)."""
    first, second = ours == labels, theirs == labels
    only = [np.bincount(labels[rows], minlength=classes) for rows in (first & ~second, second & ~first)]
    return np.stack(only, axis=1)


def _by_class(blocks: IntArray, codes: IntArray, classes: int) -> IntArray:
    return np.bincount(blocks * classes + codes, minlength=BLOCKS * classes).reshape(BLOCKS, classes)


def _rows(sums: Sums) -> FloatArray:
    return sums["rows"]


def _right(sums: Sums) -> FloatArray:
    right: FloatArray = sums["hits"].sum(axis=-1)
    return right


ACCURACY = Rate(_right, _rows)


def class_recall(k: int) -> Rate:
    """The share of class ``k`` that is found."""
    return Rate(lambda sums: sums["hits"][..., k], lambda sums: sums["labelled"][..., k])


def class_precision(k: int) -> Rate:
    """The share of predictions of class ``k`` that are right."""
    return Rate(lambda sums: sums["hits"][..., k], lambda sums: sums["predicted"][..., k])


def class_f1(k: int) -> Statistic:
    """Harmonic mean of precision and recall of class ``k``, one against the rest."""
    return lambda sums: _f1(sums)[..., k]


def _f1(sums: Sums) -> FloatArray:
    return quotient(2 * sums["hits"], sums["labelled"] + sums["predicted"])


def _over_classes(values: FloatArray) -> FloatArray:
    mean: FloatArray = values.mean(axis=-1)
    return mean


def _macro_recall(sums: Sums) -> FloatArray:
    return _over_classes(quotient(sums["hits"], sums["labelled"]))


def _macro_precision(sums: Sums) -> FloatArray:
    precision = quotient(sums["hits"], sums["predicted"])
    return _over_classes(np.where(sums["predicted"] > 0, precision, 0.0))


def _macro_f1(sums: Sums) -> FloatArray:
    return _over_classes(np.where(sums["labelled"] > 0, _f1(sums), np.nan))


def _matthews_correlation(sums: Sums) -> FloatArray:
    """Gorodkin (2004), Computational Biology and Chemistry 28, 367-374. 0 where only one class is predicted."""
    rows, labelled, predicted = sums["rows"], sums["labelled"], sums["predicted"]
    covariance = _right(sums) * rows - (labelled * predicted).sum(axis=-1)
    spread = rows**2 - (predicted**2).sum(axis=-1), rows**2 - (labelled**2).sum(axis=-1)
    constant = (spread[0] <= 0) & (spread[1] > 0)
    return np.where(constant, 0.0, quotient(covariance, np.sqrt(spread[0] * spread[1])))


def _calibration_error(sums: Sums) -> FloatArray:
    return quotient(np.abs(sums["gap"]).sum(axis=-1), sums["rows"])


def _mean(name: str) -> Statistic:
    return lambda sums: quotient(sums[name], sums["rows"])


DECISION_STATISTICS: dict[str, Statistic] = {
    "accuracy": ACCURACY,
    "balanced_accuracy": _macro_recall,
    "macro_precision": _macro_precision,
    "macro_recall": _macro_recall,
    "macro_f1": _macro_f1,
    "matthews_correlation": _matthews_correlation,
}
PROBABILITY_STATISTICS: dict[str, Statistic] = {
    "log_loss": _mean("log_loss"),
    "brier": _mean("brier"),
    "expected_calibration_error": _calibration_error,
}
