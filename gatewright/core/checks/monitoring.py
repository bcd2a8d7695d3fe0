"""What production traffic looks like beside the data the model was trained on, and how well it was scored."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.by_task import CHECKS, Answered
from gatewright.core.checks.drift import measure_drift
from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.checks.profile import CategoricalProfile, Profile
from gatewright.core.errors import DataError, ModelError
from gatewright.core.results import Measurement
from gatewright.core.spec import Task
from gatewright.core.statistics.proportions import wilson

__all__ = ["LABELLED_ROWS", "LABELLED_SHARE", "ROWS", "measure_production"]

ROWS = "rows"
LABELLED_ROWS = "labelled_rows"
LABELLED_SHARE = "labelled_share"


def measure_production(
    frame: pd.DataFrame,
    scores: Any,
    labels: Any | None,
    *,
    profile: Profile,
    threshold: float | None = None,
    task: Task = "binary_classification",
    classes: tuple[str, ...] = (),
    confidence: float,
    minimum_rows: int,
    minimum_labels: int,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Counts, drift and data quality of all rows, and the evaluation metrics of the labelled ones.

    ``frame`` holds the features of one model's predictions, ``scores`` what it answered by its ``task``, as
    `by_task.Answered`, ``labels`` the truth, or NaN where not known yet, shape (rows,). Below ``minimum_rows`` or
    ``minimum_labels`` the metrics concerned keep their names and have no value. Raises DataError or ModelError for
    wrong input.
    """
    given = _logged_answers(scores, len(frame), task)
    truth = _late_labels(labels, len(frame), task)
    known = ~pd.isna(truth)
    rows = Answered(task, truth[known], given[known], classes=classes, threshold=threshold, seed=seed)
    performance = CHECKS[task].performance(rows, confidence)
    said = replace(rows, answers=given).decided
    drift = measure_drift(profile, _typed(frame, profile), said, labels=truth, confidence=confidence)
    labelled = int(known.sum())
    return (
        Measurement(metric=ROWS, value=len(frame), n=len(frame)),
        Measurement(metric=LABELLED_ROWS, value=labelled, n=labelled),
        _labelled_share(labelled, len(frame), confidence),
        *_unless_few(drift, len(frame), minimum_rows, "predictions"),
        *_unless_few(performance, labelled, minimum_labels, "labels"),
    )


def _logged_answers(answers: Any, rows: int, task: Task) -> NDArray[np.float64]:
    array = np.asarray(answers, dtype=np.float64)
    possible = np.isfinite(array) if task == "regression" else (array >= 0) & (array <= 1)
    if len(array) != rows or not possible.all():
        raise ModelError(
            f"{len(array)} answers for {rows} rows, {(~possible).sum()} of them impossible.",
            where="logged answers",
            remedy="find out who wrote the log; a model that serves gives neither NaN nor other probabilities.",
        )
    return array


def _late_labels(labels: Any | None, rows: int, task: Task) -> NDArray[Any]:
    kind = object if task == "multiclass_classification" else np.float64
    if labels is None:
        return np.full(rows, np.nan, dtype=kind)
    array = np.asarray(labels, dtype=kind)
    if array.shape != (rows,):
        raise DataError(
            f"{array.shape} labels for {rows} rows.",
            where="late labels",
            remedy="align them with the predictions, NaN where none is known.",
        )
    return array


def _typed(frame: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """A log without a single row has no columns; give it those of the profile."""
    if len(frame):
        return frame
    kinds = {
        name: "str" if isinstance(feature, CategoricalProfile) else "float64"
        for name, feature in profile.features.items()
    }
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _labelled_share(labelled: int, rows: int, confidence: float) -> Measurement:
    if not rows:
        return unmeasured(LABELLED_SHARE, 0, "no rows")
    interval = wilson(labelled, rows, confidence=confidence)
    return measured(LABELLED_SHARE, labelled / rows, interval, rows)


def _unless_few(measurements: Iterable[Measurement], n: int, minimum: int, what: str) -> tuple[Measurement, ...]:
    if n >= minimum:
        return tuple(measurements)
    note = f"{n} {what} are too few to tell; the policy asks for {minimum}"
    return tuple(unmeasured(m.metric, m.n, note, slice=m.slice) for m in measurements)
