"""Conditions on one row: ranges, sets, patterns, lengths, types, pairs and records."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gatewright.services.onepass.accumulator import Accumulator, NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.comparisons import are_plain, unexpected_of_between, unexpected_of_greater
from gatewright.services.onepass.dictionary import Encoded
from gatewright.services.onepass.functions import evaluate
from gatewright.services.onepass.kinds import Column
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
        if (unexpected := self._compared(block)) is not None:
            self.count(block, len(block) - block.missing(self.names[0]), unexpected)
        elif (sizes := self._sizes(block)) is not None:
            self._judge_combinations(block, sizes)
        else:
            self.count_judged(block, self.judged(block.frame(self.names)))

    def _compared(self, block: Block) -> np.ndarray | None:
        """Numbers of the unexpected rows where numpy's comparison tells them."""
        given, name = self.metric.metric_value_kwargs, self.metric.metric_name
        if not are_plain(self.names, self.columns):
            return None
        if name == "column_values.between.condition":
            return unexpected_of_between(given, block, self.names[0])
        if name == "column_pair_values.a_greater_than_b.condition" and len(self.names) == 2:
            return unexpected_of_greater(given, block, self.names)
        return None

    def _sizes(self, block: Block) -> tuple[int, ...] | None:
        """How many distinct values each column has, when combinations of them are fewer than rows."""
        encoded = [block.encoded(name) for name in self.names]
        sizes = tuple(len(one.values) for one in encoded if one is not None)
        if len(sizes) < len(encoded):
            return None
        return sizes if math.prod(sizes) <= min(COMBINATIONS, len(block)) else None

    def _judge_combinations(self, block: Block, sizes: tuple[int, ...]) -> None:
        encoded = [block.codes(name) for name in self.names]
        if sizes != self._judged_sizes or not all(one.shared for one in encoded):
            self._judged_sizes = sizes
            self._verdicts = np.full(math.prod(sizes), NEW, dtype=np.int8)
        counts = encoded[0].counts if len(encoded) == 1 else np.bincount(_keys(encoded), minlength=math.prod(sizes))
        new = np.flatnonzero((counts > 0) & (self._verdicts == NEW))
        if len(new):
            judged = self.judged(_frame(self.names, encoded, new))
            self._verdicts[new] = IGNORED
            self._verdicts[judged.index] = np.where(judged.to_numpy(), UNEXPECTED, EXPECTED)
        unexpected = int(counts[self._verdicts == UNEXPECTED].sum())
        self.considered += len(block) - int(counts[self._verdicts == IGNORED].sum())
        self.unexpected += unexpected
        if unexpected and self.sample.open:
            self.sample.add(block, np.flatnonzero(self._verdicts[_keys(encoded)] == UNEXPECTED))


def _keys(encoded: list[Encoded]) -> np.ndarray:
    """A number for each row's combination of values."""
    if len(encoded) == 1:
        return encoded[0].codes
    return np.ravel_multi_index([one.codes for one in encoded], [len(one.values) for one in encoded])


def _frame(names: tuple[str, ...], encoded: list[Encoded], keys: np.ndarray) -> pd.DataFrame:
    """One row for each of ``keys``, indexed by it."""
    codes = np.unravel_index(keys, [len(one.values) for one in encoded])
    columns = {name: one.values.take(at).set_axis(keys) for name, one, at in zip(names, encoded, codes, strict=True)}
    return pd.DataFrame(columns, index=keys)


def _accessor(metric: Any) -> dict[str, Any]:
    keys = ("column", "column_A", "column_B", "column_list", "ignore_row_if")
    return {key: metric.metric_domain_kwargs[key] for key in keys if key in metric.metric_domain_kwargs}
