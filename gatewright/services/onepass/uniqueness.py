"""Whether values, or combinations of values, occur once only."""

from typing import Any

import numpy as np
import pandas as pd

from gatewright.services.onepass.accumulator import NotInThePassError
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.conditions import Condition
from gatewright.services.onepass.kinds import Column, Kind

__all__ = ["UniqueCondition"]

MIX = np.uint64(0x9E3779B97F4A7C15)


class UniqueCondition(Condition):
    """Keeps 64 bits of each row. Different bits are different values: then all are unique, for certain.

    Where two rows agree, in their values or by chance, Great Expectations looks at the columns themselves and
    says which rows they are.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._kept: list[np.ndarray] = []

    def update(self, block: Block) -> None:
        """Keep the hashes of the rows that the condition considers."""
        bits = np.zeros(len(block), dtype=np.uint64)
        for name in self.names:
            bits = _mixed(bits * MIX + _bits(block, self.columns[name]))
        kept = bits[~self._ignored(block)]
        self.considered += len(kept)
        self._kept.append(kept)

    def value(self, metric: Any) -> Any:
        """As of any condition, for rows that are all unique."""
        if self._kept:
            bits = np.concatenate(self._kept)
            self._kept = []
            bits.sort()
            self._unique = not (bits[1:] == bits[:-1]).any()
        if not self._unique:
            raise NotInThePassError
        return super().value(metric)

    _unique = True

    def _ignored(self, block: Block) -> np.ndarray:
        """Rows with missing values that do not count: by default those where all are missing."""
        rule = self.metric.metric_domain_kwargs.get("ignore_row_if", "all_values_are_missing")
        if rule == "never":
            return np.zeros(len(block), dtype=bool)
        if rule not in ("all_values_are_missing", "any_value_is_missing"):
            raise NotInThePassError
        missing = [block.series(name).isna().to_numpy() for name in self.names if block.missing(name)]
        if rule == "all_values_are_missing" and len(missing) < len(self.names):
            missing = []
        if not missing:
            return np.zeros(len(block), dtype=bool)
        combine = np.logical_and if rule == "all_values_are_missing" else np.logical_or
        return np.asarray(combine.reduce(missing))


def _bits(block: Block, column: Column) -> np.ndarray:
    if column.kind is Kind.ENCODED:
        encoded = block.codes(column.name)
        return np.asarray(_hashes(encoded.values)[encoded.codes])
    if column.kind is not Kind.NUMBER:
        return _hashes(block.series(column.name))
    values = block.numbers(column.name)
    if values.dtype.kind != "f":
        return values.astype(np.int64).view(np.uint64)
    # Adding zero makes one zero of the two; of all NaN one is made.
    numbers = values.astype(np.float64) + 0.0
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)


def _hashes(values: pd.Series) -> np.ndarray:
    plain = values.to_numpy(dtype=object) if values.dtype.kind == "O" else values.to_numpy()
    hashed: np.ndarray = pd.util.hash_array(plain)
    return hashed


def _mixed(bits: np.ndarray) -> np.ndarray:
    """A bijection of 64 bits that spreads them (splitmix64's finalizer)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = bits ^ (bits >> np.uint64(31))
    return mixed
