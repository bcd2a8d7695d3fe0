"""What a model says of each row, in the one form that all tasks' uncertainty is measured in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.class_labels import accept_class_labels, accept_classes, accept_probabilities
from gatewright.core.checks.inputs import accept_labels, accept_scores
from gatewright.core.checks.regression import accept_numeric_predictions, accept_targets
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["Answers", "binary_answers", "class_answers", "number_answers"]


@dataclass(frozen=True)
class Answers:
    """``nonconformity`` of the truth, shape (rows,), and ``outcomes``: that of each class, (rows, classes).

    ``certainty`` and ``wrong``, shape (rows,): the probability of the answer the model gives, and whether it is
    wrong. All three are None for numbers, which have no classes and no certainty.
    """

    nonconformity: FloatArray
    outcomes: FloatArray | None
    certainty: FloatArray | None
    wrong: NDArray[np.bool_] | None

    def sizes(self, quantiles: FloatArray) -> FloatArray:
        """Classes in the set of each row, or the width of its interval; ``quantiles`` of shape (rows,)."""
        if self.outcomes is None:
            return 2 * quantiles
        sizes: FloatArray = (self.outcomes <= quantiles[:, None]).sum(axis=1).astype(np.float64)
        return sizes

    @property
    def content(self) -> list[FloatArray]:
        """Columns that tell rows apart."""
        return [self.nonconformity, *([] if self.outcomes is None else self.outcomes.T)]


def binary_answers(labels: Any, scores: Any, *, threshold: float, where: str) -> Answers:
    """Labels 0/1 and probabilities of 1; the answer is 1 from a score of ``threshold`` on.

    Raises DataError and ModelError as `measure_evaluation`.
    """
    truth = accept_labels(labels).astype(np.int64)
    positive = accept_scores(scores, truth.size, where=where)
    answer = (positive >= threshold).astype(np.int64)
    return _answers(truth, np.column_stack([1 - positive, positive]), answer)


def class_answers(labels: Any, probabilities: Any, *, classes: Sequence[Any], where: str) -> Answers:
    """Labels and probabilities of several classes; the answer is the most probable one.

    Raises SpecError, DataError and ModelError as `measure_multiclass`.
    """
    names = accept_classes(classes)
    truth = accept_class_labels(labels, names)
    accepted = accept_probabilities(probabilities, truth.size, len(names), where=where)
    return _answers(truth, accepted, accepted.argmax(axis=1))


def number_answers(targets: Any, predictions: Any, *, where: str) -> Answers:
    """Numbers. Raises DataError and ModelError as `measure_regression`."""
    truth = accept_targets(targets)
    predicted = accept_numeric_predictions(predictions, truth.size, where=where)
    return Answers(np.abs(predicted - truth), None, None, None)


def _answers(truth: NDArray[np.int64], probabilities: FloatArray, answer: NDArray[np.int64]) -> Answers:
    rows, outcomes = np.arange(truth.size), 1 - probabilities
    return Answers(outcomes[rows, truth], outcomes, probabilities[rows, answer], answer != truth)
