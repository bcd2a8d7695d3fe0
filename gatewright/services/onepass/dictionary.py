"""One numbering of a column's distinct values for all blocks, so that a value is judged once."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gatewright.services.onepass.kinds import Column

__all__ = ["Dictionary", "Encoded"]

# Of columns with more distinct values each block has a numbering of its own.
LIMIT = 1 << 16
# Integers that lie no further apart than this are numbered by counting from the lowest.
RANGE = 1 << 13
FEW = 8


@dataclass(frozen=True)
class Encoded:
    """``values[codes]`` is the column. Where values may be missing, the missing one has the code 0.

    ``array`` are the same values as Arrow's. ``shared`` says that later blocks number these values alike, as long
    as there are no more of them. ``numbers`` are the codes, or with ``lookup`` the block's own ones.
    """

    numbers: np.ndarray
    values: pd.Series
    array: pa.Array
    shared: bool
    lookup: np.ndarray | None = None

    @cached_property
    def codes(self) -> np.ndarray:
        """The number of each row's value."""
        return self.numbers if self.lookup is None else self.lookup[self.numbers]

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each value occurs."""
        if self.lookup is None:
            return _counts(self.numbers, len(self.values))
        counts = np.zeros(len(self.values), dtype=np.int64)
        np.add.at(counts, self.lookup, _counts(self.numbers, len(self.lookup)))
        return counts


@dataclass
class Dictionary:
    """The distinct values of ``column`` in the order in which blocks brought them; it only grows."""

    column: Column
    _array: pa.Array | None = None
    _values: pd.Series = field(default_factory=lambda: pd.Series(dtype=object))
    _ends: tuple[int, ...] = ()
    _lookups: list[tuple[pa.Array, np.ndarray]] = field(default_factory=list)

    def encode(self, array: pa.Array) -> Encoded:
        """``array`` is a part of the column, as a dictionary or plain."""
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        lookup = self._lookup(array.dictionary)
        if lookup is None:
            return self._alone(array)
        codes = _codes(array)
        if self.column.nullable:
            lookup = np.concatenate([lookup, [0]])
        return Encoded(codes, self._values, self._array, shared=True, lookup=lookup)

    def enumerate(self, integers: np.ndarray, low: int, high: int) -> Encoded | None:
        """``integers`` from ``low`` to ``high``, numbered from the lowest of all blocks; None when too far apart."""
        low, high = min([low, *self._ends]), max([high, *self._ends])
        if high - low >= RANGE:
            return None
        if (low, high) != self._ends:
            self._ends = (low, high)
            self._grow(pa.array(np.arange(low, high + 1)))
        return Encoded(integers - low, self._values, self._array, shared=True)

    def _lookup(self, values: pa.Array) -> np.ndarray | None:
        """The shared number of each of ``values``; None when there would be too many."""
        for known, lookup in self._lookups:
            if known.equals(values):
                return lookup
        if self._array is None:
            self._grow(pa.nulls(1 if self.column.nullable else 0, values.type))
        assert self._array is not None
        fresh = values.filter(pc.is_null(pc.index_in(values, self._array)))
        if len(self._array) + len(fresh) > LIMIT:
            return None
        if len(fresh):
            self._grow(pa.concat_arrays([self._array, fresh]))
        found: np.ndarray = pc.index_in(values, self._array).to_numpy(zero_copy_only=False)
        # Blocks of one row group bring the same values, one after the other.
        self._lookups = [(values, found), *self._lookups[:1]]
        return found

    def _grow(self, array: pa.Array) -> None:
        self._array = array
        self._values = self.column.series(array)

    def _alone(self, array: pa.Array) -> Encoded:
        values = array.dictionary
        codes = _codes(array)
        if self.column.nullable:
            values = pa.concat_arrays([pa.nulls(1, values.type), values])
            codes = np.where(codes == len(array.dictionary), 0, codes + 1)
        return Encoded(codes, self.column.series(values), values, shared=False)


def _counts(numbers: np.ndarray, size: int) -> np.ndarray:
    if size > FEW:
        return np.bincount(numbers, minlength=size)
    # Counting one after the other is faster than waiting for the same few counters.
    return np.array([np.count_nonzero(numbers == number) for number in range(size)], dtype=np.int64)


def _codes(array: pa.Array) -> np.ndarray:
    """The numbers of the values; of a missing one the number after the last."""
    indices = array.indices
    if indices.null_count:
        indices = indices.fill_null(len(array.dictionary))
    codes: np.ndarray = indices.to_numpy(zero_copy_only=False)
    return codes
