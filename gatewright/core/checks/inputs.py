"""What a check accepts. Anything else is refused before a number is computed from it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.errors import DataError, ModelError
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import FloatArray

__all__ = [
    "accept_answers",
    "accept_clusters",
    "accept_columns",
    "accept_labels",
    "accept_predictions",
    "accept_scores",
    "measured",
    "unmeasured",
]

TOO_FEW = "too few independent rows for an interval"


def accept_labels(labels: Any) -> FloatArray:
    """Labels as an array of 0.0 and 1.0, shape (rows,). Raises DataError for anything else."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise DataError(f"labels have {array.ndim} dimensions.", where="labels", remedy="give one label per row.")
    wrong = _neither_0_nor_1(array)
    if wrong:
        raise DataError(
            f"{wrong} of {array.size} labels are neither 0 nor 1.",
            where="labels",
            remedy="correct the target column, or `target.positive` in the model spec.",
        )
    return array.astype(np.float64)


def _neither_0_nor_1(array: NDArray[Any]) -> int:
    if array.dtype.kind in "biuf":
        return array.size - int(np.count_nonzero((array == 0) | (array == 1)))
    return int((~np.isin(array, (0, 1))).sum())


def accept_scores(scores: Any, rows: int, *, where: str) -> FloatArray:
    """Scores as floats, shape (rows,).

    Raises ModelError when their number is not ``rows``, when one is NaN or not within [0, 1].
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.shape != (rows,):
        raise ModelError(
            f"scores of shape {array.shape} for {rows} rows.",
            where=where,
            remedy="return one probability of the positive class per row, in the rows' order.",
        )
    nan, outside = int(np.isnan(array).sum()), int(((array < 0) | (array > 1)).sum())
    if nan or outside:
        raise ModelError(
            f"{nan} of {rows} scores are NaN and {outside} are outside [0, 1].",
            where=where,
            remedy="let the model return probabilities (`predict_proba`) for every row it may meet.",
        )
    return array


def accept_answers(answers: Any, rows: int, *, where: str) -> NDArray[Any]:
    """What a model of any task said of each row, finite numbers or text, shape (rows,).

    Raises ModelError when their number is not ``rows``, when one is missing, NaN or infinite.
    """
    array = np.asarray(answers)
    if array.shape != (rows,):
        raise ModelError(
            f"answers of shape {array.shape} for {rows} rows.",
            where=where,
            remedy="return one answer per row, in the rows' order.",
        )
    wrong = int((~np.isfinite(array)).sum() if array.dtype.kind in "biuf" else pd.isna(array).sum())
    if wrong:
        raise ModelError(
            f"{wrong} of {rows} answers are missing, NaN or infinite.",
            where=where,
            remedy="let the model answer every row it may meet.",
        )
    return array


def accept_predictions(predictions: Any, rows: int, *, where: str) -> NDArray[np.uint8]:
    """Decisions 0 or 1, shape (rows,). Raises ModelError for anything else and for another length than ``rows``."""
    array = np.asarray(predictions)
    if array.shape != (rows,):
        raise ModelError(
            f"predictions of shape {array.shape} for {rows} rows.",
            where=where,
            remedy="return one decision per row, in the rows' order.",
        )
    wrong = _neither_0_nor_1(array)
    if wrong:
        raise ModelError(
            f"{wrong} of {rows} predictions are neither 0 nor 1.",
            where=where,
            remedy="let the model decide for every row, or give its scores instead.",
        )
    return array.astype(np.uint8)


def accept_clusters(clusters: Any, rows: int) -> NDArray[np.uint64] | None:
    """Ids of clusters as hashes, which do not depend on the order of rows. Raises DataError for a wrong length."""
    if clusters is None:
        return None
    array = np.asarray(clusters)
    _accept_length(array, rows, "clusters")
    return pd.util.hash_array(array.astype(object) if array.dtype.kind in "US" else array)


def accept_columns(frame: pd.DataFrame, columns: Sequence[str], *, where: str) -> None:
    """Raises DataError naming the columns that ``frame`` lacks."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"missing column(s): {', '.join(missing)}.",
            where=where,
            remedy="add them to the data, or take them out of the model spec.",
        )


def _accept_length(array: NDArray[Any], rows: int, where: str) -> None:
    if array.shape != (rows,):
        raise DataError(f"{array.shape} values for {rows} rows.", where=where, remedy="give one value per row.")


def measured(
    metric: str,
    value: float,
    interval: Interval | None,
    n: float,
    *,
    slice: str = "all",
    note: str = "",
    p_value: float | None = None,
) -> Measurement:
    """A measurement with its interval; without a value where either is missing or not finite: so it cannot pass."""
    # Intervals made from others are copied, and copies are not validated.
    if not np.isfinite(value) or (interval is not None and not np.isfinite((interval.low, interval.high)).all()):
        return unmeasured(metric, n, "; ".join(filter(None, ("undefined on these rows", note))), slice=slice)
    if interval is None:
        return unmeasured(metric, n, "; ".join(filter(None, (TOO_FEW, note))), slice=slice)
    return Measurement(metric=metric, slice=slice, value=value, interval=interval, n=int(n), note=note, p_value=p_value)


def unmeasured(metric: str, n: float, note: str, *, slice: str = "all") -> Measurement:
    """A measurement without a value and the reason."""
    return Measurement(metric=metric, slice=slice, value=None, n=int(n), note=note)
