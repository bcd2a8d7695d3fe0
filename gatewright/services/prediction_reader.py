"""What monitoring reads: the logged predictions and the labels that came late, joined."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from gatewright.core.errors import IntegrityError
from gatewright.services.prediction_log import LABEL_COLUMNS, PREDICTION_COLUMNS, Kind

if TYPE_CHECKING:
    from gatewright.services.store import ObjectStore

__all__ = ["JoinedLabels", "PredictionReader", "join_labels"]


class PredictionReader:
    """Reads batches in the order of their keys, which is the order of time."""

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store

    def read_predictions(self, model: str, *, after_key: str = "") -> tuple[pd.DataFrame, str]:
        """All predictions in batches after ``after_key``, and the last key read (or ``after_key``).

        A batch that the store refused at first may appear before keys already read: to be complete, begin
        at a day, as in ``after_key="predictions/<model>/2026-01-31"``. Raises IntegrityError for a batch
        that is not the log's.
        """
        return self._read("predictions", model, after_key, PREDICTION_COLUMNS)

    def read_labels(self, model: str, *, after_key: str = "") -> tuple[pd.DataFrame, str]:
        """All labels in batches after ``after_key``, as above."""
        return self._read("labels", model, after_key, LABEL_COLUMNS)

    def _read(self, kind: Kind, model: str, after_key: str, columns: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
        keys = list(self._store.keys(f"{kind}/{model}/", start_after=after_key))
        if not keys:
            return pd.DataFrame(columns=list(columns)), after_key
        frames = [_batch(self._store.get(key), key, columns) for key in keys]
        return pd.concat(frames, ignore_index=True), keys[-1]


@dataclass(frozen=True)
class JoinedLabels:
    """``values``: float64 of shape (n,), aligned with the predictions, NaN where no label is known.

    ``conflicting`` counts predictions with labels that contradict each other (the last one is used),
    ``unmatched`` labels of predictions that are not among those asked for.
    """

    values: npt.NDArray[np.float64]
    conflicting: int
    unmatched: int


def join_labels(predictions: pd.DataFrame, labels: pd.DataFrame) -> JoinedLabels:
    """Align ``labels`` (LABEL_COLUMNS) with ``predictions`` by ``prediction_id``; of duplicates the last wins."""
    known = labels[labels["prediction_id"].isin(predictions["prediction_id"])]
    known = known.sort_values("at", kind="stable")
    by_id = known.groupby("prediction_id")["label"]
    conflicting = int((by_id.nunique() > 1).sum())
    values = predictions["prediction_id"].map(by_id.last()).to_numpy(dtype=np.float64, na_value=np.nan)
    return JoinedLabels(values, conflicting, unmatched=len(labels) - len(known))


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
