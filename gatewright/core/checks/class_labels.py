"""Labels, predictions and probabilities of several classes, as a check accepts them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gatewright.core.checks.group_codes import group_codes
from gatewright.core.errors import DataError, ModelError, SpecError
from gatewright.core.frames import class_name
from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = [
    "accept_class_labels",
    "accept_class_predictions",
    "accept_classes",
    "accept_probabilities",
    "aligned",
]

# Probabilities in single precision sum to 1 within this.
SUM_TOLERANCE = 1e-4
MAXIMUM_CLASSES = 100
CLASSES_NAMED = 5


def accept_classes(classes: Sequence[Any]) -> tuple[str, ...]:
    """The names of the classes, in the order of the probabilities' columns.

    Raises SpecError for fewer than 2, more than 100 or two of one name.
    """
    names = tuple(class_name(value) for value in classes)
    if not 2 <= len(names) <= MAXIMUM_CLASSES:
        raise SpecError(f"{len(names)} classes.", where="classes", remedy=f"name 2 to {MAXIMUM_CLASSES} of them.")
    if len(set(names)) < len(names):
        raise SpecError("a class is named twice.", where="classes", remedy="name each class once.")
    return names


def accept_class_labels(labels: Any, classes: tuple[str, ...]) -> IntArray:
    """Labels as places in ``classes``, shape (rows,). Raises DataError for a label that is missing or no class."""
    array = labels if hasattr(labels, "shape") else np.asarray(labels)
    if len(array.shape) != 1:
        raise DataError(f"labels have {len(array.shape)} dimensions.", where="labels", remedy="give one label per row.")
    remedy = "correct the target column, or the classes."
    return _places(array, classes, DataError, where="labels", remedy=remedy)


def accept_class_predictions(predictions: Any, rows: int, classes: tuple[str, ...], *, where: str) -> IntArray:
    """Predictions as places in ``classes``, shape (rows,). Raises ModelError for another number or no class."""
    array = predictions if hasattr(predictions, "shape") else np.asarray(predictions)
    remedy = "let the model answer one of the classes for every row."
    if tuple(array.shape) != (rows,):
        raise ModelError(f"predictions of shape {array.shape} for {rows} rows.", where=where, remedy=remedy)
    return _places(array, classes, ModelError, where=where, remedy=remedy)


def accept_probabilities(probabilities: Any, rows: int, classes: int, *, where: str) -> FloatArray:
    """Probabilities as floats, shape (rows, classes).

    Raises ModelError for another shape, for NaN, below 0 or above 1, and where a row does not sum to 1.
    """
    array = np.asarray(probabilities, dtype=np.float64)
    remedy = "return `predict_proba`, one column a class in the order of the classes."
    if array.shape != (rows, classes):
        raise ModelError(
            f"probabilities of shape {array.shape} for {rows} rows and {classes} classes.", where=where, remedy=remedy
        )
    outside = int((~((array >= 0) & (array <= 1))).any(axis=1).sum())
    if outside:
        raise ModelError(
            f"{outside} of {rows} rows have a probability that is NaN or outside [0, 1].", where=where, remedy=remedy
        )
    wrong = int((np.abs(array.sum(axis=1) - 1) > SUM_TOLERANCE).sum())
    if wrong:
        raise ModelError(f"the probabilities of {wrong} of {rows} rows do not sum to 1.", where=where, remedy=remedy)
    return array


def aligned(probabilities: FloatArray, own: Sequence[str], classes: Sequence[str]) -> FloatArray:
    """Probabilities of the classes ``own``, shape (rows, own), as those of ``classes``, 0 for one the model lacks.

    So that a candidate and a champion that know other classes can be compared. Raises ModelError for a class of
    the model that is none of ``classes``, and for another number of columns.
    """
    unknown = sorted(set(own) - set(classes))
    if unknown or probabilities.shape[1:] != (len(own),):
        raise ModelError(
            f"probabilities of shape {probabilities.shape} for the classes {', '.join(own)}.",
            where="probabilities",
            remedy=f"the classes are {', '.join(classes)}; train the model on these.",
        )
    places = {name: place for place, name in enumerate(own)}
    columns = [probabilities[:, places[name]] if name in places else np.zeros(len(probabilities)) for name in classes]
    return np.column_stack(columns)


def _places(
    values: Any, classes: tuple[str, ...], error: type[DataError] | type[ModelError], *, where: str, remedy: str
) -> IntArray:
    coded = group_codes(values, len(values), where=where)
    unknown = sorted(set(coded.names) - set(classes))
    if unknown:
        named = ", ".join(unknown[:CLASSES_NAMED]) + (", ..." if len(unknown) > CLASSES_NAMED else "")
        raise error(f"{where} hold what is no class: {named}.", where=where, remedy=remedy)
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places[name] for name in coded.names], dtype=np.int64)[coded.codes]
