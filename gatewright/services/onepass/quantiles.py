"""Exact quantiles in bounded memory: a histogram finds the bins that matter, a second reading their values."""

from typing import Any

import numpy as np
import pandas as pd

from gatewright.services.onepass.accumulator import Accumulator, NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.functions import evaluate

__all__ = ["Quantiles"]

# Up to so many values are simply kept.
KEPT = 1 << 18
BINS = 1 << 16
# The bins in the order of their numbers: the further a negative one is from zero, the higher are its bits.
ORDER = np.concatenate([np.arange(BINS - 1, BINS // 2 - 1, -1), np.arange(BINS // 2)])


class Quantiles(Accumulator):
    """``column.quantile_values``, ``column.median`` and the quartiles of ``column.outlier_statistics``.

    Bins are the leading 16 bits of the numbers as 32-bit floats, so that no range must be known.
    The values of the bins that hold the wanted ranks are read again, sorted, and interpolated as numpy does.
    """

    def __init__(self, *arguments: Any, metrics: list[Any]) -> None:
        """``metrics``: those that will be asked for."""
        super().__init__(*arguments)
        self._metrics = metrics
        self._kept: list[pd.Series] | None = []
        self._rows = 0
        self._bins = np.zeros(BINS, dtype=np.int64)
        self._wanted: np.ndarray | None = None
        self._values: dict[int, list[np.ndarray]] = {}

    def update(self, block: Block) -> None:
        """First count values by bins; on the second reading collect those of the wanted bins."""
        name = self.names[0]
        values = block.present(name)
        if self._wanted is not None:
            self._collect(values, self._wanted)
            return
        self._rows += len(values)
        self._bins += np.bincount(_bin(values), minlength=BINS)
        if self._kept is not None:
            self._kept.append(block.series(name))
            if self._rows > KEPT:
                self._kept = None

    def again(self) -> bool:
        """Once, where there were too many values to keep."""
        if self._kept is not None or self._wanted is not None:
            return False
        ranks = {rank for metric in self._metrics for rank in _ranks(metric, self._rows)}
        self._bins = self._bins[ORDER]
        edges = np.cumsum(self._bins)
        self._wanted = np.zeros(BINS, dtype=bool)
        for rank in ranks:
            number = int(np.searchsorted(edges, rank, side="right"))
            self._wanted[ORDER[number]] = True
            self._values[number] = []
        return True

    def value(self, metric: Any) -> Any:
        """The quantiles, with pandas' types."""
        name = self.names[0]
        if self._kept is not None:
            if not self._rows:
                raise NotInThePassError
            frame = pd.concat(self._kept).to_frame(name)
            return evaluate(metric, frame, {"table.columns": list(self.columns)})
        if metric.metric_name == "column.median":
            middle = [self._at(rank) for rank in _ranks(metric, self._rows)]
            return pd.Series(middle, dtype=self._dtype).median()
        if metric.metric_name == "column.quantile_values":
            how = metric.metric_value_kwargs.get("allow_relative_error") or "nearest"
            return [self._quantile(q, how) for q in metric.metric_value_kwargs["quantiles"]]
        return self._quartiles()

    @property
    def _dtype(self) -> Any:
        return self.columns[self.names[0]].dtype

    def _quartiles(self) -> Any:
        from great_expectations.expectations.metrics.column_aggregate_metrics.column_outlier_statistics import (
            OutlierStatistics,
        )

        first, third = self._quantile(0.25, "linear"), self._quantile(0.75, "linear")
        return OutlierStatistics(lower_reference=first, upper_reference=third, spread=third - first)

    def _quantile(self, q: float, how: str) -> Any:
        position = _position(q, self._rows)
        if how == "nearest":
            return self._at(int(np.around(position))).item()
        low, high = int(np.floor(position)), int(np.ceil(position))
        if how in ("lower", "higher"):
            return self._at(low if how == "lower" else high).item()
        share = 0.5 if how == "midpoint" else position - low
        return float(np.quantile(np.array([self._at(low), self._at(high)]), share if high > low else 0.0))

    def _at(self, rank: int) -> Any:
        """The value with ``rank`` values before it."""
        edges = np.cumsum(self._bins)
        number = int(np.searchsorted(edges, rank, side="right"))
        parts = self._values[number]
        if len(parts) > 1:
            parts[:] = [np.sort(np.concatenate(parts))]
        return parts[0][rank - (edges[number] - self._bins[number])]

    def _collect(self, values: np.ndarray, wanted: np.ndarray) -> None:
        bins = _bin(values)
        chosen = wanted[bins]
        values, bins = values[chosen], bins[chosen]
        for number, parts in self._values.items():
            parts.append(np.sort(values[bins == ORDER[number]]))


def _bin(values: np.ndarray) -> np.ndarray:
    """The leading bits of each number as a 32-bit float; rounding to it keeps the order."""
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    # Adding zero makes one zero of the two.
    rounded += np.float32(0)
    bits: np.ndarray = rounded.view(np.uint32) >> np.uint32(16)
    return bits.astype(np.uint16)


def _position(q: float, rows: int) -> float:
    # Pandas asks numpy for percentiles, and the way there and back rounds.
    return float((rows - 1) * np.true_divide(np.asarray(q) * 100.0, 100.0))


def _ranks(metric: Any, rows: int) -> list[int]:
    if metric.metric_name == "column.median":
        return [(rows - 1) // 2, rows // 2]
    quantiles = [0.25, 0.75]
    if metric.metric_name == "column.quantile_values":
        quantiles = list(metric.metric_value_kwargs["quantiles"])
    positions = [_position(q, rows) for q in quantiles]
    return [rank for at in positions for rank in (int(np.floor(at)), int(np.ceil(at)), int(np.around(at)))]
