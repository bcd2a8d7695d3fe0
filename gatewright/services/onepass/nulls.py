"""Missing values: how many there are, and where."""

from typing import Any

import numpy as np

from gatewright.services.onepass.accumulator import Accumulator
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.conditions import Condition

__all__ = ["NonNullCount", "NullCondition"]


class NullCondition(Condition):
    """``column_values.nonnull`` and ``column_values.null``, from Arrow's count of missing values."""

    def update(self, block: Block) -> None:
        """Look for the rows only where there are some to be shown."""
        name, wants_null = self.names[0], self.metric.metric_name == "column_values.null.condition"
        unexpected = len(block) - block.missing(name) if wants_null else block.missing(name)
        self.considered += len(block)
        self.unexpected += unexpected
        if unexpected and self.sample.open:
            missing = block.series(name).isna().to_numpy()
            self.sample.add(block, np.flatnonzero(~missing if wants_null else missing))


class NonNullCount(Accumulator):
    """``column.non_null_count``."""

    total = 0

    def update(self, block: Block) -> None:
        """Count what is there."""
        self.total += len(block) - block.missing(self.names[0])

    def value(self, metric: Any) -> Any:
        """The count, as numpy's integer, which pandas gives."""
        return np.int64(self.total)
