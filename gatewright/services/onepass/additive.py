"""Counts of a block that Great Expectations computes and that simply add up."""

from typing import Any

import numpy as np

from gatewright.services.onepass.accumulator import Accumulator, NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.functions import evaluate

__all__ = ["Additive", "RowCount"]


class Additive(Accumulator):
    """``column.histogram`` with given bins, and ``column_values.between.count``."""

    def __init__(self, *arguments: Any, metric: Any) -> None:
        super().__init__(*arguments)
        self._metric = metric
        self._total: Any = None

    def update(self, block: Block) -> None:
        """Add the block's counts."""
        value = evaluate(self._metric, block.frame(self.names), {"table.columns": list(self.columns)})
        if isinstance(value, list):
            value = np.asarray(value)
        self._total = value if self._total is None else self._total + value

    def value(self, metric: Any) -> Any:
        """The sum with Great Expectations' type: a list of counts, or a count."""
        if self._total is None:
            raise NotInThePassError
        return list(self._total) if isinstance(self._total, np.ndarray) else self._total


class RowCount(Accumulator):
    """``table.row_count`` of the rows that a row condition keeps."""

    _total = 0

    def update(self, block: Block) -> None:
        """Count."""
        self._total += len(block)

    def value(self, metric: Any) -> Any:
        """The count."""
        return self._total
