"""The least and the greatest value of a column."""

from typing import Any

import pandas as pd

from gatewright.services.onepass.accumulator import Accumulator, NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.functions import evaluate
from gatewright.services.onepass.kinds import Kind

__all__ = ["Extremes"]


class Extremes(Accumulator):
    """``column.min`` and ``column.max``: of each block both are kept, and Great Expectations compares those."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._kept: list[pd.Series] = []

    def update(self, block: Block) -> None:
        """Keep one or two values of the block."""
        found = self._extremes(block)
        if found is not None:
            self._kept.append(pd.Series(list(found), dtype=self.columns[self.names[0]].dtype))

    def value(self, metric: Any) -> Any:
        """The extreme, with pandas' type."""
        if not self._kept:
            raise NotInThePassError
        name = self.names[0]
        kept = pd.concat(self._kept, ignore_index=True).to_frame(name)
        return evaluate(metric, kept, {"table.columns": [name]})

    def _extremes(self, block: Block) -> tuple[Any, Any] | None:
        column = self.columns[self.names[0]]
        if column.kind is Kind.NUMBER:
            return block.extremes(column.name)
        values = self._encoded(block) if column.kind is Kind.ENCODED else block.series(column.name).dropna()
        return (values.min(), values.max()) if len(values) else None

    def _encoded(self, block: Block) -> pd.Series:
        name = self.names[0]
        if self.columns[name].dtype == object and block.missing(name):
            # Pandas cannot compare objects with what is missing, and says so.
            raise NotInThePassError
        encoded = block.codes(name)
        used: pd.Series = encoded.values[encoded.counts > 0].dropna()
        return used
