"""What monitoring reads: the logged predictions and the labels that came late, joined."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gatewright.core.errors import IntegrityError
from gatewright.core.spec import Task
from gatewright.services.prediction_log import ANSWER_COLUMNS, LABEL_COLUMNS, PREDICTION_COLUMNS, Kind
from gatewright.services.store_keys import valid_name

if TYPE_CHECKING:
    from gatewright.services.store import ObjectStore

__all__ = ["JoinedLabels", "PredictionReader", "join_labels", "logged_answers", "logged_classes"]


class PredictionReader:
    """Reads batches in the order of their keys, which is the order of time."""

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store

    def read_predictions(
        self, model: str, *, after_key: str = "", task: Task = "binary_classification"
    ) -> tuple[pd.DataFrame, str]:
        """All predictions in batches after ``after_key``, and the last key read (or ``after_key``).

        A batch that the store refused at first may appear before keys already read: to be complete, begin
        at a day, as in ``after_key="predictions/<model>/2026-01-31"``. Raises IntegrityError for a batch
        that is not the log's, or not of a model of ``task``.
        """
        return self._read("predictions", model, after_key, PREDICTION_COLUMNS + ANSWER_COLUMNS[task])

    def read_labels(self, model: str, *, after_key: str = "") -> tuple[pd.DataFrame, str]:
        """All labels in batches after ``after_key``, as above."""
        return self._read("labels", model, after_key, LABEL_COLUMNS)

    def _read(self, kind: Kind, model: str, after_key: str, columns: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
        keys = list(self._store.keys(f"{kind}/{valid_name(model)}/", start_after=after_key))
        if not keys:
            return pd.DataFrame(columns=list(columns)), after_key
        frames = [_batch(self._store.get(key), key, columns) for key in keys]
        return pd.concat(frames, ignore_index=True), keys[-1]


@dataclass(frozen=True)
class JoinedLabels:
    """``values``: numbers or text of shape (n,), aligned with the predictions, NaN where no label is known.

    ``conflicting`` counts predictions with labels that contradict each other (the last one is used),
    ``unmatched`` labels of predictions that are not among those asked for.
    """

    values: npt.NDArray[Any]
    conflicting: int
    unmatched: int


def join_labels(predictions: pd.DataFrame, labels: pd.DataFrame) -> JoinedLabels:
    """Align ``labels`` (LABEL_COLUMNS) with ``predictions`` by ``prediction_id``; of duplicates the last wins."""
    known = labels[labels["prediction_id"].isin(predictions["prediction_id"])]
    known = known.sort_values("at", kind="stable")
    by_id = known.groupby("prediction_id")["label"]
    conflicting = int((by_id.nunique() > 1).sum())
    numbers = not len(known) or pd.api.types.is_numeric_dtype(known["label"])
    values = (
        predictions["prediction_id"]
        .map(by_id.last())
        .to_numpy(dtype=np.float64 if numbers else np.object_, na_value=np.nan)
    )
    return JoinedLabels(values, conflicting, unmatched=len(labels) - len(known))


def logged_classes(predictions: pd.DataFrame, labels: JoinedLabels) -> set[str]:
    """The classes that the models answered about, and those that came true."""
    known = labels.values[~pd.isna(labels.values)]
    return {str(label) for label in known}.union(*(_stated(answer) for answer in predictions["probabilities"]))


def logged_answers(predictions: pd.DataFrame, task: Task, classes: tuple[str, ...] = ()) -> npt.NDArray[np.float64]:
    """What a model of ``task`` answered: scores or numbers, shape (n,), or probabilities, shape (n, classes)."""
    if task != "multiclass_classification":
        return predictions["score" if task == "binary_classification" else "prediction"].to_numpy(dtype=np.float64)
    rows = [[_stated(answer).get(name, 0.0) for name in classes] for answer in predictions["probabilities"]]
    return np.array(rows, dtype=np.float64).reshape(len(predictions), len(classes))


def _stated(answer: Mapping[str, float | None]) -> dict[str, float]:
    """Parquet fills in the classes of the other rows of a batch."""
    return {name: probability for name, probability in answer.items() if probability is not None}


def _batch(body: bytes, key: str, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(body), engine="pyarrow")
    except (OSError, ValueError) as error:
        raise _foreign(key, str(error).splitlines()[0]) from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise _foreign(key, f"it lacks {', '.join(missing)}")
    return frame


def _foreign(key: str, problem: str) -> IntegrityError:
    return IntegrityError(
        f"not a batch of the prediction log: {problem}.",
        where=key,
        remedy="find out who wrote it; move it away from this prefix and run again.",
    )
