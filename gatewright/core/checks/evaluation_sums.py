"""What a binary evaluation keeps of its rows: sums that add up over batches, shards and machines.

Few rows are kept as they are, so that areas under curves are exact and the order of rows does not matter; more
than ``KEPT_ROWS`` are folded into integer tables. The result is the same bytes for any partition of the rows into
batches: a part is folded only when the whole is, and integers add up exactly.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.evaluation_rows import KeptRows, accept_rows
from gatewright.core.checks.evaluation_table import CELLS, EvaluationTable, fold
from gatewright.core.errors import DataError

__all__ = ["KEPT_ROWS", "EvaluationSums", "evaluation_sums"]

# Above 100,000 rows the bins give the area under the curve to 1e-8 only where scores spread; rows up to here are cheap.
KEPT_ROWS = 1 << 18
PART_ROWS = 1 << 17


@dataclass(frozen=True, eq=False)
class EvaluationSums:
    """Either the rows or their table; made by `evaluation_sums`, merged by ``+``.

    Adding is associative and commutative to the byte (`to_bytes`). Sums of other columns or of another threshold
    are refused with ValueError.
    """

    threshold: float
    rows: KeptRows | None
    table: EvaluationTable | None

    def __add__(self, other: Self) -> Self:
        if (self.threshold, self.columns) != (other.threshold, other.columns):
            raise ValueError("evaluation sums of other columns or another threshold cannot be merged")
        if self.rows is not None and other.rows is not None:
            return self.of(self.threshold, self.rows + other.rows)
        return type(self)(self.threshold, None, self.folded() + other.folded())

    @classmethod
    def of(cls, threshold: float, rows: KeptRows) -> Self:
        """Few rows as they are, many folded."""
        return cls(threshold, rows, None) if rows.n <= KEPT_ROWS else cls(threshold, None, fold(rows))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EvaluationSums) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what was given beside labels: scores and decisions of the two models, clusters."""
        return self._material.columns

    @property
    def n(self) -> int:
        """The number of rows."""
        return self._material.n

    @property
    def positives(self) -> int:
        """The number of rows with the label 1."""
        if self.rows is not None:
            return int(self.rows.values["labels"].sum())
        return int(self.folded().sums["cells"][:, CELLS // 2 :].sum())

    @property
    def _material(self) -> KeptRows | EvaluationTable:
        return cast("KeptRows | EvaluationTable", self.table if self.rows is None else self.rows)

    def folded(self) -> EvaluationTable:
        """The table of all rows."""
        return fold(self.rows) if self.rows is not None else cast(EvaluationTable, self.table)

    def to_bytes(self) -> bytes:
        """NumPy's own format without pickles; equal sums give equal bytes."""
        head = {"threshold": self.threshold, "columns": self.columns, "kept": self.rows is not None}
        file = io.BytesIO()
        # numpy's stub takes keywords for its own options.
        arrays: Any = {"head": np.array(json.dumps(head)), **self._material.arrays()}
        np.savez(file, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The reverse of `to_bytes`. Raises DataError for other bytes."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                return cls._read(dict(file))
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"no evaluation sums: {error}.", where="evaluation sums", remedy="compute the shard again."
            ) from error

    @classmethod
    def _read(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        head = json.loads(str(arrays["head"]))
        columns, threshold = tuple(head["columns"]), float(head["threshold"])
        if head["kept"]:
            return cls(threshold, KeptRows.from_arrays(columns, arrays), None)
        return cls(threshold, None, EvaluationTable.from_arrays(columns, arrays))


def evaluation_sums(
    labels: Any,
    scores: Any = None,
    *,
    predictions: Any = None,
    champion_scores: Any = None,
    champion_predictions: Any = None,
    threshold: float,
    clusters: Any = None,
    start: int = 0,
) -> EvaluationSums:
    """The sums of one batch of rows.

    ``labels`` and predictions 0/1, scores within [0, 1], ``clusters`` any ids, each of shape (rows,). Decisions
    are the predictions where given, else ``score >= threshold``. ``start``: the position of the first row in the
    file; rows without clusters go to blocks by it. Raises DataError for wrong labels or clusters, ModelError for
    wrong scores or predictions, or where the candidate has neither.
    """
    given = {
        "labels": labels,
        "candidate_scores": scores,
        "candidate_selected": predictions,
        "champion_scores": champion_scores,
        "champion_selected": champion_predictions,
        "clusters": clusters,
    }
    columns = {name: np.asarray(values) for name, values in given.items() if values is not None}
    n = columns["labels"].size
    # Columns of unequal lengths are refused whole; else parts that fit into the processor's cache are faster.
    step = PART_ROWS if all(values.shape == (n,) for values in columns.values()) else max(n, 1)
    parts = (
        EvaluationSums.of(threshold, accept_rows(_part(columns, first, step), threshold=threshold, start=start + first))
        for first in range(0, max(n, 1), step)
    )
    return reduce(add, parts)


def _part(columns: Mapping[str, NDArray[Any]], first: int, step: int) -> dict[str, NDArray[Any]]:
    return {name: values[first : first + step] if values.ndim else values for name, values in columns.items()}
