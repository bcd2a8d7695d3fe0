"""What a spec sees in a data frame: labels, audited groups, clusters. Rows keep their order everywhere."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gatewright.core.errors import DataError, SpecError
from gatewright.core.spec import ModelSpec, SensitiveFeature

__all__ = ["MISSING", "OTHER", "class_name", "clusters_of", "groups_of", "labels_of", "targets_of"]

MISSING = "(missing)"
OTHER = "(other)"
# An error message names this many rows.
ROWS_NAMED = 5


def labels_of(frame: pd.DataFrame, spec: ModelSpec) -> npt.NDArray[np.int64]:
    """1 where the target column holds the positive value, else 0; shape (rows,).

    Raises DataError when a label is missing: a row without a label is neither 0 nor 1; SpecError for a task
    without a positive value, of which every row would be a 0.
    """
    if spec.target.positive is None:
        raise SpecError(
            f"a {spec.task} has no positive value.", where="target.positive", remedy="read its targets instead."
        )
    column = _column(frame, spec.target.column)
    _refuse_missing(column, "label")
    codes, values = pd.factorize(column)
    positive = spec.target.positive
    # A boolean True is the number 1, but is not written so.
    matches = np.array([value == positive or class_name(value) == class_name(positive) for value in values], dtype=bool)
    return matches[codes].astype(np.int64)


def targets_of(frame: pd.DataFrame, spec: ModelSpec) -> npt.NDArray[Any]:
    """What the model is to predict, shape (rows,), by the task of ``spec``.

    A binary classification: 0 and 1 as `labels_of`. A regression: finite floats. Several classes: their names as
    text, a whole number's the same whether a file holds it as a float or an integer. Raises DataError for a row
    without a target and, in a regression, for text and infinity.
    """
    if spec.task == "binary_classification":
        return labels_of(frame, spec)
    column = _column(frame, spec.target.column)
    _refuse_missing(column, "target")
    if spec.task == "regression":
        return _numbers(column)
    codes, values = pd.factorize(column)
    return np.array([class_name(value) for value in values], dtype=np.str_)[codes]


def class_name(value: Any) -> str:
    """A class as text; a whole number has one name whether it is held as an integer, a float or a decimal."""
    fractional = isinstance(value, float | np.floating | Decimal)
    return str(int(value)) if fractional and math.isfinite(value) and value % 1 == 0 else str(value)


def _numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    numbers = column.to_numpy(dtype=np.float64) if numeric else np.full(len(column), np.nan)
    wrong = int((~np.isfinite(numbers)).sum())
    if wrong or not numeric:
        problem = f"{wrong} of {len(column)} targets are infinite." if numeric else "the targets are not numbers."
        raise DataError(problem, where=f"column {column.name}", remedy="deliver finite numbers, or correct `task`.")
    return numbers


def groups_of(frame: pd.DataFrame, spec: ModelSpec) -> dict[str, npt.NDArray[np.object_]]:
    """Sensitive feature -> the group of each row as text, shape (rows,).

    A missing value is in the group ``(missing)``, a number outside all bands in ``(other)``: no row
    vanishes from the audit. Raises DataError for a banded column that holds text.
    """
    return {feature.name: _groups(frame, feature) for feature in spec.sensitive}


def clusters_of(frame: pd.DataFrame, spec: ModelSpec) -> npt.NDArray[np.uint64] | None:
    """A hash of each row's cluster, whatever the order of rows; None without cluster columns.

    Rows of one cluster are not independent. Raises DataError when a cluster column has a missing value.
    """
    names = list(spec.data.cluster)
    if not names:
        return None
    for name in names:
        _refuse_missing(_column(frame, name), "cluster")
    return np.asarray(pd.util.hash_pandas_object(frame[names], index=False), dtype=np.uint64)


def _groups(frame: pd.DataFrame, feature: SensitiveFeature) -> npt.NDArray[np.object_]:
    column = _column(frame, feature.column)
    groups = _banded(column, feature) if feature.bands else _named(column)
    groups[column.isna().to_numpy()] = MISSING
    return groups


def _named(column: pd.Series) -> npt.NDArray[np.object_]:
    """By `class_name`: a null makes floats of a column of whole numbers, and must not make other groups of them."""
    codes, values = pd.factorize(column)
    # The last place is that of -1: no value.
    return np.array([*(class_name(value) for value in values), MISSING], dtype=object)[codes]


def _banded(column: pd.Series, feature: SensitiveFeature) -> npt.NDArray[np.object_]:
    if not pd.api.types.is_numeric_dtype(column):
        raise DataError(
            f"`{feature.column}` is text, but `{feature.name}` cuts it into bands.",
            where=f"column {feature.column}",
            remedy="deliver the column as a number.",
        )
    groups = np.full(len(column), OTHER, dtype=object)
    values = column.to_numpy(dtype=float, na_value=np.nan)
    for name, (low, high) in (feature.bands or {}).items():
        groups[(values >= low) & (values < high)] = name
    return groups


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise DataError(
            f"the column `{name}` is missing.",
            where="data frame",
            remedy=f"load it; there are: {', '.join(map(str, frame.columns))}.",
        )
    return frame[name]


def _refuse_missing(column: pd.Series, what: str) -> None:
    rows = np.flatnonzero(column.isna().to_numpy())
    if len(rows) == 0:
        return
    named = ", ".join(str(row) for row in rows[:ROWS_NAMED]) + (", ..." if len(rows) > ROWS_NAMED else "")
    raise DataError(
        f"{len(rows)} of {len(column)} rows have no {what}: rows {named}.",
        where=f"column {column.name}",
        remedy=f"deliver the {what} or leave these rows out at the source.",
    )
