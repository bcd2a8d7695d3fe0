"""Predictions and late labels as Parquet batches in the store: written by the scoring service, read by monitoring.

A batch is one create-only object, ``predictions/<model>/<YYYY-MM-DD>/<uuid>.parquet`` or the same under
``labels/``. The UUIDs are version 7 (RFC 9562), so the keys sort by time.
"""

import io
import logging
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import pandas as pd

from gatewright.core.errors import ConflictError, StoreError
from gatewright.core.spec import Task
from gatewright.services.clock import utc_now
from gatewright.services.store_keys import valid_name

if TYPE_CHECKING:
    from gatewright.services.store import ObjectStore

__all__ = [
    "ANSWER_COLUMNS",
    "LABEL_COLUMNS",
    "PARQUET_MEDIA_TYPE",
    "PREDICTION_COLUMNS",
    "LogFullError",
    "PredictionLog",
]

logger = logging.getLogger(__name__)

Kind = Literal["predictions", "labels"]

PREDICTION_COLUMNS = ("prediction_id", "at", "release_id", "model_sha256")
# What was answered: probabilities by the name of the class.
ANSWER_COLUMNS: dict[Task, tuple[str, ...]] = {
    "binary_classification": ("score", "positive"),
    "regression": ("prediction",),
    "multiclass_classification": ("prediction", "probabilities"),
}
LABEL_COLUMNS = ("prediction_id", "at", "label")
PARQUET_MEDIA_TYPE = "application/vnd.apache.parquet"


class LogFullError(StoreError):
    """The store has refused batches for so long that no more rows can be kept: refuse the request."""


@dataclass(frozen=True)
class _Batch:
    """Rows that have got their key and bytes: every retry writes the same object, so it can land only once."""

    key: str
    body: bytes
    rows: int


class _Buffer:
    """Rows of one kind that are not yet known to be in the store."""

    def __init__(self, kind: Kind, model: str, capacity: int) -> None:
        self._kind = kind
        self._model = valid_name(model)
        self._capacity = capacity
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._frames: list[pd.DataFrame] = []
        self._batch: _Batch | None = None
        self.rows = 0

    def add(self, frame: pd.DataFrame) -> int:
        """Keep all rows or, raising LogFullError, none. Returns how many rows wait."""
        with self._lock:
            if self.rows + len(frame) > self._capacity:
                raise LogFullError(
                    f"{self.rows} rows wait to be written and {self._capacity} can be kept.",
                    where=f"{self._kind}/{self._model}/",
                    remedy="check that the object store takes writes; the rows go out by themselves then.",
                )
            self._frames.append(frame)
            self.rows += len(frame)
            return self.rows

    def write_to(self, store: "ObjectStore", at: datetime) -> None:
        """Write all rows; on StoreError they stay, and the batch that was tried is tried again first."""
        with self._writing:
            if self._batch:
                self._write(self._batch, store, at)
            batch = self._freeze(at)
            if batch:
                self._write(batch, store, at)

    def _write(self, batch: _Batch, store: "ObjectStore", at: datetime) -> None:
        if not store.create(batch.key, batch.body, PARQUET_MEDIA_TYPE):
            self._batch = _Batch(self._key(at), batch.body, batch.rows)
            raise ConflictError(
                "the key of a new batch was taken.", where=batch.key, remedy="none: another key is tried next."
            )
        self._batch = None
        with self._lock:
            self.rows -= batch.rows

    def _freeze(self, at: datetime) -> _Batch | None:
        with self._lock:
            frames = list(self._frames)
        if not frames:
            return None
        rows = sum(len(frame) for frame in frames)
        batch = _Batch(self._key(at), _to_parquet(pd.concat(frames, ignore_index=True)), rows)
        with self._lock:
            del self._frames[: len(frames)]
        self._batch = batch
        return batch

    def _key(self, at: datetime) -> str:
        return f"{self._kind}/{self._model}/{at:%Y-%m-%d}/{time_ordered_uuid(at)}.parquet"


class PredictionLog:
    """Buffers rows and writes them every ``flush_rows`` rows, every ``flush_seconds`` and at ``close``.

    Rows are kept until the store has them, up to ``capacity_rows`` of each kind; then ``add_*`` raise
    LogFullError. A process killed outright loses at most what it had not flushed.
    """

    def __init__(
        self,
        store: "ObjectStore",
        model: str,
        *,
        flush_rows: int = 1000,
        flush_seconds: float = 5.0,
        capacity_rows: int = 50_000,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._predictions = _Buffer("predictions", model, capacity_rows)
        self._labels = _Buffer("labels", model, capacity_rows)
        self._flush_rows = flush_rows
        self.flush_seconds = flush_seconds
        self._now = now
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.error: str | None = None

    @property
    def unflushed(self) -> int:
        """Rows not yet known to be in the store."""
        return self._predictions.rows + self._labels.rows

    def add_predictions(self, frame: pd.DataFrame) -> None:
        """Keep rows with PREDICTION_COLUMNS, ANSWER_COLUMNS, features. Raises LogFullError, keeping none of them."""
        self._add(self._predictions, frame)

    def add_labels(self, frame: pd.DataFrame) -> None:
        """Keep rows with LABEL_COLUMNS. Raises LogFullError, keeping none of them."""
        self._add(self._labels, frame)

    def _add(self, buffer: _Buffer, frame: pd.DataFrame) -> None:
        if buffer.add(frame) >= self._flush_rows:
            self._wake.set()

    def flush(self) -> None:
        """Write what waits. Raises StoreError; the rows then stay."""
        at = self._now()
        self._predictions.write_to(self._store, at)
        self._labels.write_to(self._store, at)
        self.error = None

    def start(self) -> None:
        """Flush in the background from now on."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._thread.start()

    def close(self, *, timeout_seconds: float = 10.0) -> None:
        """Stop the background thread and write what waits.

        Raises StoreError, with the number of rows lost, when the store refuses until the time is over.
        """
        deadline = time.monotonic() + timeout_seconds
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout_seconds)
        while not self._flushed():
            if time.monotonic() >= deadline:
                raise StoreError(
                    f"{self.unflushed} rows of the prediction log are lost: {self.error}",
                    where="shutdown of the scoring service",
                    remedy="check the object store; restart the service once it takes writes.",
                )
            time.sleep(min(0.2, timeout_seconds))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self.flush_seconds)
            self._wake.clear()
            if not self._flushed():
                self._stopping.wait(self.flush_seconds)

    def _flushed(self) -> bool:
        try:
            self.flush()
        except Exception as error:
            # The rows are kept; the thread must outlive whatever the store does.
            if self.error is None:
                logger.exception("the prediction log cannot be written; %d rows wait", self.unflushed)
            self.error = str(error)
            return False
        return True


def time_ordered_uuid(at: datetime) -> uuid.UUID:
    """A version 7 UUID (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = int(at.timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def _to_parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()
