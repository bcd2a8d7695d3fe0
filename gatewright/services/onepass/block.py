"""A bounded run of rows: its columns as pandas shows them, made only when somebody asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from gatewright.services.onepass.dictionary import Dictionary, Encoded
from gatewright.services.onepass.kinds import Column, Kind

__all__ = ["Block"]

Made = TypeVar("Made")


@dataclass(frozen=True)
class Block:
    """``rows`` of a table whose ``columns`` are known; ``places`` are their numbers in the whole table."""

    rows: pa.RecordBatch
    columns: Mapping[str, Column]
    places: range | np.ndarray
    dictionaries: Mapping[str, Dictionary]
    _made: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @cached_property
    def positions(self) -> np.ndarray:
        """The rows' numbers in the whole table."""
        return np.asarray(self.places)

    @cached_property
    def index(self) -> "pd.Index[int]":
        """The same as pandas' index."""
        index: pd.Index[int] = pd.Index(self.places)
        return index

    def series(self, name: str) -> pd.Series:
        """The column, indexed by the rows' positions in the table."""
        return self._once(("series", name), lambda: self.columns[name].series(self.rows[name], self.index))

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """The columns ``names`` side by side."""
        return pd.DataFrame({name: self.series(name) for name in names}, index=self.index, copy=False)

    def numbers(self, name: str) -> np.ndarray:
        """The values of a column of numbers; missing ones are NaN."""
        return self._once(("numbers", name), lambda: self._numbers(name))

    def present(self, name: str) -> np.ndarray:
        """The numbers that are not missing."""

        def make() -> np.ndarray:
            values = self.numbers(name)
            return values[~np.isnan(values)] if self.missing(name) else values

        return self._once(("present", name), make)

    def missing(self, name: str) -> int:
        """How many values pandas would call missing: NaN is."""
        return self._once(("missing", name), lambda: self._missing(name))

    def extremes(self, name: str) -> tuple[Any, Any] | None:
        """Least and greatest number that is not missing; None when all are."""

        def make() -> tuple[Any, Any] | None:
            values = self.present(name)
            return (values.min(), values.max()) if len(values) else None

        return self._once(("extremes", name), make)

    def encoded(self, name: str) -> Encoded | None:
        """The column by its distinct values, where it is cheaply had: of text, dates, booleans, and narrow integers."""
        return self._once(("encoded", name), lambda: self._encoded(name))

    def codes(self, name: str) -> Encoded:
        """As ``encoded``, of a column that is."""
        encoded = self.encoded(name)
        assert encoded is not None
        return encoded

    def take(self, names: Sequence[str], rows: np.ndarray) -> pd.DataFrame:
        """Few ``rows`` of the block, by their numbers in it."""
        chosen = self.rows.select(list(names)).take(pa.array(rows))
        index = pd.Index(self.positions[rows])
        return pd.DataFrame({name: self.columns[name].series(chosen[name], index) for name in names}, index=index)

    def where(self, key: Any, choose: Callable[["Block"], np.ndarray]) -> "Block":
        """The rows that ``choose`` names by their numbers in the block; made once for each ``key``."""

        def make() -> Block:
            rows = choose(self)
            return Block(self.rows.take(pa.array(rows)), self.columns, self.positions[rows], self.dictionaries)

        return self._once(("where", key), make)

    def _numbers(self, name: str) -> np.ndarray:
        array, dtype = self.rows[name], self.columns[name].dtype
        if array.null_count or pa.types.is_boolean(array.type):
            return self.series(name).to_numpy()
        return np.asarray(array.to_numpy(zero_copy_only=False).astype(dtype, copy=False))

    def _encoded(self, name: str) -> Encoded | None:
        column = self.columns[name]
        if column.kind is Kind.ENCODED:
            return self.dictionaries[name].encode(self.rows[name])
        if column.dtype != np.int64 or (extremes := self.extremes(name)) is None:
            return None
        return self.dictionaries[name].enumerate(self.numbers(name), int(extremes[0]), int(extremes[1]))

    def _missing(self, name: str) -> int:
        array = self.rows[name]
        if not pa.types.is_floating(array.type):
            return int(array.null_count)
        values = self.numbers(name)
        # The least of numbers with a NaN is NaN, and finding it is several times faster than looking for NaN.
        return int(np.isnan(values).sum()) if len(values) and np.isnan(values.min()) else 0

    def _once(self, key: Any, make: Callable[[], Made]) -> Made:
        if key not in self._made:
            self._made[key] = make()
        found: Made = self._made[key]
        return found
