"""Rows and values from the future of what they are used for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.inputs import accept_columns, unmeasured
from gatewright.core.checks.shares import share_of_rows
from gatewright.core.results import Measurement

__all__ = ["future_values", "training_after_evaluation"]


def training_after_evaluation(
    train: pd.DataFrame, evaluation: pd.DataFrame | None, time_column: str | None
) -> Measurement:
    """``time_travel``: how many training rows are not before the first evaluation row; exact."""
    if evaluation is None or time_column is None:
        return unmeasured("time_travel", len(train), "no evaluation rows or no time column were given")
    accept_columns(train, [time_column], where="training data")
    accept_columns(evaluation, [time_column], where="evaluation data")
    first = evaluation[time_column].min()
    if pd.isna(first):
        return unmeasured("time_travel", len(train), f"`{time_column}` of the evaluation rows is empty")
    # A row without a time cannot be shown to be earlier.
    before = (train[time_column] < first).fillna(False)
    late = len(train) - int(before.sum())
    return Measurement(metric="time_travel", value=float(late), n=len(train), note=f"first evaluation time: {first}")


def future_values(
    train: pd.DataFrame,
    features: Sequence[str],
    time_column: str | None,
    *,
    confidence: float,
    clusters: NDArray[Any] | None = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """``future_values`` per feature that is a date: the share of rows where it lies after the row's own time.

    The row's time may be a date, or a whole number of years. Rows without either count among neither.
    """
    dates = [name for name in features if pd.api.types.is_datetime64_any_dtype(train[name])]
    if time_column is None or not dates:
        return ()
    accept_columns(train, [time_column], where="training data")
    own = train[time_column]
    found = []
    for name in dates:
        late = _is_after(train[name], own)
        if late is None:
            note = f"`{time_column}` is neither a date nor a year"
            found.append(unmeasured("future_values", len(train), note, slice=name))
            continue
        known = (train[name].notna() & own.notna()).to_numpy()
        found.append(
            share_of_rows(
                "future_values",
                late[known],
                confidence=confidence,
                clusters=None if clusters is None else clusters[known],
                seed=seed,
                slice=name,
            )
        )
    return tuple(found)


def _is_after(values: "pd.Series[Any]", own: "pd.Series[Any]") -> NDArray[np.bool_] | None:
    if pd.api.types.is_datetime64_any_dtype(own):
        return np.asarray(pd.to_datetime(values, utc=True) > pd.to_datetime(own, utc=True), dtype=bool)
    if pd.api.types.is_numeric_dtype(own) and own.dropna().between(1800, 2200).all():
        return np.asarray((values.dt.year > own).fillna(False), dtype=bool)
    return None
