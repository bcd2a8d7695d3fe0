"""Increasing and decreasing values: each row is compared with the last one that is not missing."""

import pandas as pd

from gatewright.services.onepass.block import Block
from gatewright.services.onepass.conditions import Condition

__all__ = ["OrderCondition"]


class OrderCondition(Condition):
    """A condition on a row and the one before it, which may lie in the block before."""

    _last: pd.Series | None = None

    def update(self, block: Block) -> None:
        """Judge the block behind the last value of the blocks before."""
        series = block.series(self.names[0]).dropna()
        if series.empty:
            return
        before = [] if self._last is None else [self._last]
        unexpected = self.judged(pd.concat([*before, series]).to_frame(self.names[0]))
        self.count_judged(block, unexpected.iloc[len(before) :])
        self._last = series.iloc[-1:]
