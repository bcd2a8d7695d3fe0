"""Sum, mean and standard deviation, merged over blocks (Chan, Golub and LeVeque 1979)."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gatewright.services.onepass.accumulator import Accumulator, NotInThePassError
from gatewright.services.onepass.block import Block

__all__ = ["Moments"]

# Sums of a block of such integers are exact, and so are their sums over as many blocks as one can read.
EXACT_INTEGER = 1 << 44
# Great Expectations' functions, without their search for decimals, of which a column of numbers has none.
OF_SERIES: dict[str, Callable[[pd.Series], Any]] = {
    "column.sum": pd.Series.sum,
    "column.mean": pd.Series.mean,
    "column.standard_deviation": pd.Series.std,
}


class Moments(Accumulator):
    """``column.sum``, ``column.mean`` and ``column.standard_deviation`` of a column of numbers.

    A table of one block is left to Great Expectations' functions, to the last bit; over several blocks the sums
    are at least as exact as pandas' own.
    """

    def __init__(self, *arguments: Any, single: bool) -> None:
        """``single``: the whole domain lies within one block."""
        super().__init__(*arguments)
        self._single = single
        self._whole: pd.Series | None = None
        self._parts: list[tuple[int, float, float]] = []
        self._total = 0
        self._sums: list[float] = []

    def update(self, block: Block) -> None:
        """Add count, sum and squared deviations of the block."""
        name = self.names[0]
        if self._single:
            self._whole = block.series(name)
            return
        values, extremes = block.present(name), block.extremes(name)
        if extremes is None:
            return
        if not np.isfinite(extremes).all() or (
            values.dtype.kind != "f" and max(map(abs, map(int, extremes))) > EXACT_INTEGER
        ):
            raise NotInThePassError
        total = values.sum()
        mean = float(total) / len(values)
        centred = values - mean
        self._parts.append((len(values), mean, float(np.square(centred, out=centred).sum())))
        if values.dtype.kind == "f":
            self._sums.append(float(total))
        else:
            self._total += int(total)

    def value(self, metric: Any) -> Any:
        """The moment, with pandas' type."""
        if self._whole is not None:
            return OF_SERIES[metric.metric_name](self._whole)
        if not self._parts:
            raise NotInThePassError
        if metric.metric_name == "column.standard_deviation":
            return self._standard_deviation()
        total = math.fsum(self._sums) + self._total
        if metric.metric_name == "column.mean":
            return np.float64(total / sum(part[0] for part in self._parts))
        return np.float64(total) if self._sums else np.int64(self._total)

    def _standard_deviation(self) -> np.float64:
        count, mean, squares = self._parts[0]
        for n, other, more in self._parts[1:]:
            delta = other - mean
            squares += more + delta * delta * count * n / (count + n)
            mean += delta * n / (count + n)
            count += n
        return np.float64(math.sqrt(squares / (count - 1)) if count > 1 else math.nan)
