"""Conditions on one row: ranges, sets, patterns, lengths, types, pairs and records."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gatewright.services.onepass.accumulator import Accumulator, NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.functions import evaluate
from gatewright.services.onepass.kinds import Column, Kind
from gatewright.services.onepass.sample import Sample

__all__ = ["Condition", "RowCondition"]

# So many combinations of distinct values are still fewer than rows in a block.
COMBINATIONS = 1 << 14


class Condition(Accumulator):
    """Counts the rows that do not meet a map metric's condition, and keeps the first of them."""

    def __init__(self, metric: Any, names: tuple[str, ...], columns: Mapping[str, Column], limit: int) -> None:
        super().__init__(names, columns)
        self.metric = metric
        self.known: dict[str, Any] = {"table.columns": list(columns)}
        self.considered = 0
        self.unexpected = 0
        self.sample = Sample(names, limit)
        self._domains: tuple[Any, Any] = ({}, _accessor(metric))

    def value(self, metric: Any) -> Any:
        """Of ``unexpected_count``, ``filtered_row_count``, ``unexpected_values`` and ``unexpected_index_list``."""
        if not self.considered:
            # On no rows at all Great Expectations' functions depend on types in ways of their own.
            raise NotInThePassError
        if metric.metric_name.endswith(".unexpected_count"):
            return self.unexpected
        if metric.metric_name.endswith(".filtered_row_count"):
            return self.considered
        if metric.metric_name.endswith(".unexpected_index_query"):
            return None
        return self.sample.show(metric, self.metric.metric_name, self._domains, self.known)

    def count(self, block: Block, considered: int, unexpected: np.ndarray) -> None:
        """``unexpected``: numbers of rows within the block."""
        self.considered += considered
        self.unexpected += len(unexpected)
        self.sample.add(block, unexpected)

    def count_judged(self, block: Block, unexpected: pd.Series) -> None:
        """``unexpected``: of each considered row, indexed by its position in the table."""
        positions = unexpected.index.to_numpy()[unexpected.to_numpy()]
        self.count(block, len(unexpected), np.searchsorted(block.positions, positions))

    def judged(self, frame: pd.DataFrame) -> pd.Series:
        """Which rows of ``frame`` are unexpected, of those that the condition considers."""
        unexpected = evaluate(self.metric, frame, self.known)[0]
        if not isinstance(unexpected, pd.Series) or unexpected.dtype != bool:
            raise NotInThePassError
        return unexpected


class RowCondition(Condition):
    """A condition that looks at nothing but the values of one row."""

    def update(self, block: Block) -> None:
        """Judge distinct combinations of values where they are few, and rows where they are many."""
        if len(self.names) == 1 and block.missing(self.names[0]) == len(block):
            return
        if self._all_within(block):
            self.considered += len(block) - block.missing(self.names[0])
        elif self._combinations(block) <= COMBINATIONS:
            self._judge_combinations(block)
        else:
            self.count_judged(block, self.judged(block.frame(self.names)))

    def _all_within(self, block: Block) -> bool:
        """Whether the least and the greatest number of the block show that all are between the bounds."""
        if self.metric.metric_name != "column_values.between.condition":
            return False
        column = self.columns[self.names[0]]
        low, high = (self.metric.metric_value_kwargs.get(key) for key in ("min_value", "max_value"))
        if column.dtype not in (np.int64, np.float64) or not _comparable(low, high):
            return False
        extremes = block.extremes(self.names[0])
        # Strictly within is within, whichever bounds count.
        return extremes is not None and (low is None or low < extremes[0]) and (high is None or extremes[1] < high)

    def _combinations(self, block: Block) -> int:
        product = 1
        for name in self.names:
            if self.columns[name].kind is not Kind.ENCODED:
                return COMBINATIONS + 1
            product *= len(block.encoded(name).values)
        return product if product < len(block) else COMBINATIONS + 1

    def _judge_combinations(self, block: Block) -> None:
        keys, frame = _distinct(block, self.names)
        judged = self.judged(frame)
        size = int(frame.index[-1]) + 1
        considered, bad = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        considered[judged.index] = True
        bad[judged.index[judged.to_numpy()]] = True
        rows = len(block) if considered[frame.index].all() else int(np.count_nonzero(considered[keys]))
        self.count(block, rows, np.flatnonzero(bad[keys]) if bad.any() else np.empty(0, dtype=np.int64))


def _distinct(block: Block, names: tuple[str, ...]) -> tuple[np.ndarray, pd.DataFrame]:
    """A key for each row, and one row for each key that occurs, indexed by it."""
    keys, size = np.zeros(len(block), dtype=np.int64), 1
    for name in names:
        encoded = block.encoded(name)
        keys = keys * len(encoded.values) + encoded.codes
        size *= len(encoded.values)
    seen = np.zeros(size, dtype=bool)
    seen[keys] = True
    present = np.flatnonzero(seen)
    columns, rest = {}, present
    for name in reversed(names):
        values = block.encoded(name).values
        columns[name] = values.take(rest % len(values)).set_axis(present)
        rest = rest // len(values)
    return keys, pd.DataFrame({name: columns[name] for name in names}, index=present)


def _accessor(metric: Any) -> dict[str, Any]:
    keys = ("column", "column_A", "column_B", "column_list", "ignore_row_if")
    return {key: metric.metric_domain_kwargs[key] for key in keys if key in metric.metric_domain_kwargs}


def _comparable(low: Any, high: Any) -> bool:
    numbers = [bound for bound in (low, high) if bound is not None]
    return bool(numbers) and all(type(bound) in (int, float) for bound in numbers)
