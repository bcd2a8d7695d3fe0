"""Conditions on one row: ranges, sets, patterns, lengths, types, pairs and records."""

import math
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
NEW, IGNORED, EXPECTED, UNEXPECTED = range(4)


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

    _judged_sizes: tuple[int, ...] = ()
    _verdicts = np.empty(0, dtype=np.int8)

    def update(self, block: Block) -> None:
        """Judge distinct combinations of values where they are few, and rows where they are many."""
        if len(self.names) == 1 and block.missing(self.names[0]) == len(block):
            return
        if self._all_within(block):
            self.considered += len(block) - block.missing(self.names[0])
        elif (sizes := self._sizes(block)) is not None:
            self._judge_combinations(block, sizes)
        else:
            self.count_judged(block, self.judged(block.frame(self.names)))

    def _all_within(self, block: Block) -> bool:
        """Whether the least and the greatest number of the block show that all are between the bounds."""
        if self.metric.metric_name != "column_values.between.condition":
            return False
        column, given = self.columns[self.names[0]], self.metric.metric_value_kwargs
        low, high = given.get("min_value"), given.get("max_value")
        extremes = block.extremes(self.names[0]) if column.dtype in (np.int64, np.float64) else None
        if extremes is None or not _comparable(low, high):
            return False
        above = low is None or low < extremes[0] or (low == extremes[0] and not given.get("strict_min"))
        below = high is None or extremes[1] < high or (high == extremes[1] and not given.get("strict_max"))
        return bool(above and below and (low is None or high is None or low <= high))

    def _sizes(self, block: Block) -> tuple[int, ...] | None:
        """How many distinct values each column has, when combinations of them are fewer than rows."""
        if any(self.columns[name].kind is not Kind.ENCODED for name in self.names):
            return None
        sizes = tuple(len(block.encoded(name).values) for name in self.names)
        return sizes if math.prod(sizes) <= min(COMBINATIONS, len(block)) else None

    def _judge_combinations(self, block: Block, sizes: tuple[int, ...]) -> None:
        if sizes != self._judged_sizes or not all(block.encoded(name).shared for name in self.names):
            self._judged_sizes = sizes
            self._verdicts = np.full(math.prod(sizes), NEW, dtype=np.int8)
        keys, counts = _keys(block, self.names, sizes)
        new = np.flatnonzero((counts > 0) & (self._verdicts == NEW))
        if len(new):
            judged = self.judged(_frame(block, self.names, new))
            self._verdicts[new] = IGNORED
            self._verdicts[judged.index] = np.where(judged.to_numpy(), UNEXPECTED, EXPECTED)
        unexpected = int(counts[self._verdicts == UNEXPECTED].sum())
        self.considered += len(block) - int(counts[self._verdicts == IGNORED].sum())
        self.unexpected += unexpected
        if unexpected and self.sample.open:
            self.sample.add(block, np.flatnonzero(self._verdicts[keys] == UNEXPECTED))


def _keys(block: Block, names: tuple[str, ...], sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A number for each row's combination of values, and how often each number occurs."""
    if len(names) == 1:
        return block.encoded(names[0]).codes, block.counts(names[0])
    keys = np.ravel_multi_index([block.encoded(name).codes for name in names], sizes)
    return keys, np.bincount(keys, minlength=math.prod(sizes))


def _frame(block: Block, names: tuple[str, ...], keys: np.ndarray) -> pd.DataFrame:
    """One row for each of ``keys``, indexed by it."""
    values = [block.encoded(name).values for name in names]
    codes = np.unravel_index(keys, [len(one) for one in values])
    columns = {name: one.take(at).set_axis(keys) for name, one, at in zip(names, values, codes, strict=True)}
    return pd.DataFrame(columns, index=keys)


def _accessor(metric: Any) -> dict[str, Any]:
    keys = ("column", "column_A", "column_B", "column_list", "ignore_row_if")
    return {key: metric.metric_domain_kwargs[key] for key in keys if key in metric.metric_domain_kwargs}


def _comparable(low: Any, high: Any) -> bool:
    numbers = [bound for bound in (low, high) if bound is not None]
    return bool(numbers) and all(type(bound) in (int, float) for bound in numbers)
