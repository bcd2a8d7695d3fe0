"""Rows of a file as arrays while they are few, batch by batch when they are many."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import EXACT_ROWS
from gatewright.services.file_columns import BatchColumns

__all__ = ["RowPart", "few_or_many"]


@dataclass(frozen=True)
class RowPart:
    """Arrays of shape (rows,); ``start`` is the position of the first row in the file."""

    start: int
    labels: NDArray[Any]
    predictions: NDArray[Any]
    champion: NDArray[Any] | None
    groups: Mapping[str, pa.Array | pa.ChunkedArray]
    clusters: NDArray[Any] | None

    @classmethod
    def read(cls, batch: BatchColumns, values: Callable[[str], NDArray[Any]]) -> "RowPart":
        """The columns of ``batch``, labels and predictions as ``values`` reads a column of them."""
        columns = batch.columns
        assert columns.prediction is not None
        return cls(
            start=batch.start,
            labels=values(columns.label),
            predictions=values(columns.prediction),
            champion=None if columns.champion_prediction is None else values(columns.champion_prediction),
            groups=batch.groups(),
            clusters=batch.clusters(),
        )


def few_or_many(parts: Iterator[RowPart]) -> tuple[RowPart | None, list[RowPart]]:
    """All rows as one part when they are fewer than ``EXACT_ROWS``; else None, and the parts read so far."""
    read: list[RowPart] = []
    rows = 0
    for part in parts:
        read.append(part)
        rows += part.labels.size
        if rows >= EXACT_ROWS:
            return None, read
    return _joined(read), []


def _joined(parts: Sequence[RowPart]) -> RowPart:
    first = parts[0]
    return RowPart(
        start=0,
        labels=np.concatenate([part.labels for part in parts]),
        predictions=np.concatenate([part.predictions for part in parts]),
        champion=_optional([part.champion for part in parts]),
        groups={name: pa.chunked_array([part.groups[name] for part in parts]) for name in first.groups},
        clusters=_optional([part.clusters for part in parts]),
    )


def _optional(arrays: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    present = [array for array in arrays if array is not None]
    return np.concatenate(present) if present else None
