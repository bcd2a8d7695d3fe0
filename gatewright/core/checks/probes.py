"""A model that can be asked again about changed rows: what perturbations, invariances and searches share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.duplicates import content_order
from gatewright.core.checks.inputs import accept_clusters, accept_columns, accept_scores
from gatewright.core.checks.numbers import numbers
from gatewright.core.statistics.blocks import FloatArray, IntArray

__all__ = ["Probe", "Scorer"]


@dataclass
class Scorer:
    """The loaded model: a frame to scores of shape (rows,). Counts what it is asked, for inference is what costs."""

    function: Callable[[pd.DataFrame], Any]
    calls: int = 0
    rows: int = 0

    def __call__(self, frame: pd.DataFrame, *, where: str) -> FloatArray:
        """Raises ModelError for scores that are NaN, outside [0, 1] or not one a row."""
        self.calls, self.rows = self.calls + 1, self.rows + len(frame)
        return accept_scores(self.function(frame), len(frame), where=where)


@dataclass(frozen=True)
class Probe:
    """Rows with their scores, and the model. ``scores`` and ``clusters``: shape (rows,).

    Which rows are sampled and how they are changed depends on their content and ``seed``, not on their order.
    """

    frame: pd.DataFrame
    scores: FloatArray
    score: Scorer
    features: Sequence[str]
    categorical: Sequence[str]
    threshold: float
    confidence: float
    clusters: NDArray[Any] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        accept_scores(self.scores, len(self.frame), where="candidate scores")
        accept_clusters(self.clusters, len(self.frame))
        accept_columns(self.frame, self.features, where="evaluation data")

    @cached_property
    def order(self) -> IntArray:
        """The rows' positions in the order of a hash of their content."""
        return content_order(self.frame, seed=self.seed)

    def sample(self, at_most: int) -> "Probe":
        """Up to ``at_most`` of the rows, in the order of their content."""
        return self.take(self.order[:at_most])

    def take(self, rows: IntArray) -> "Probe":
        """These rows in this order."""
        return replace(
            self,
            frame=self.frame.iloc[rows].reset_index(drop=True),
            scores=self.scores[rows],
            clusters=None if self.clusters is None else np.asarray(self.clusters)[rows],
        )

    def ask(self, changes: Sequence[Mapping[str, Any]], *, where: str) -> FloatArray:
        """Scores of all rows under each of ``changes`` (column -> value, or one value a row) in one call.

        Shape (changes, rows).
        """
        rows, copies = len(self.frame), len(changes)
        if not rows or not copies:
            return np.empty((copies, rows))
        tiled = self.frame.iloc[np.tile(np.arange(rows), copies)].reset_index(drop=True)
        columns = dict.fromkeys(name for change in changes for name in change)
        pieces = {name: _pieces(self.frame[name], [change.get(name) for change in changes]) for name in columns}
        return self.score(tiled.assign(**pieces), where=where).reshape(copies, rows)


def _pieces(column: "pd.Series[Any]", values: Sequence[Any]) -> "pd.Series[Any]":
    """The column once for each of ``values``, which replace it (None: they do not), one below the other."""
    number = pd.api.types.is_numeric_dtype(column)
    tiled = np.tile(numbers(column) if number else column.to_numpy(dtype=object), (len(values), 1))
    for place, value in enumerate(values):
        if value is not None:
            tiled[place] = value
    whole = number and pd.api.types.is_integer_dtype(column) and bool((tiled == np.trunc(tiled)).all())
    # A whole number that takes a step of a half is no longer one.
    kept = column.dtype if whole or not number else np.dtype(np.float64)
    return pd.Series(tiled.ravel()).astype(kept)
