"""Counts of integer keys in space that does not grow with the rows, cheap to add up in small batches."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import IntArray

__all__ = ["KeyCounts"]

# So many keys wait before they are counted: a batch of rows is smaller than the table it is added to.
WAITING = 1 << 20

Keys = NDArray[np.int32]
Counted = NDArray[np.uint32] | IntArray


@dataclass(frozen=True, eq=False)
class KeyCounts:
    """How often each integer below ``size`` was seen. Adding is associative and commutative."""

    size: int
    waiting: tuple[Keys, ...] = ()
    counted: Counted | None = field(default=None, repr=False)

    @classmethod
    def of(cls, keys: NDArray[Any], size: int) -> Self:
        """Count ``keys``, integers below ``size``, shape (rows,)."""
        return cls(size, (keys.astype(np.int32, copy=False),))

    @classmethod
    def from_nonzero(cls, keys: NDArray[Any], counts: IntArray, size: int) -> Self:
        """The reverse of `nonzero`."""
        counted = np.zeros(size, dtype=np.int64)
        counted[keys] = counts
        return cls(size, (), _narrow(counted))

    def __add__(self, other: Self) -> Self:
        if self.size != other.size:
            raise ValueError(f"counts of {self.size} and of {other.size} keys cannot be merged")
        merged = type(self)(self.size, self.waiting + other.waiting, _added(self.counted, other.counted))
        if sum(keys.size for keys in merged.waiting) < WAITING:
            return merged
        return type(self)(self.size, (), merged.narrow())

    def narrow(self) -> Counted:
        """`counts` in half the space where they fit."""
        return _narrow(self.counts()) if self.waiting or self.counted is None else self.counted

    def counts(self) -> IntArray:
        """Shape (size,)."""
        if not self.waiting:
            return np.zeros(self.size, dtype=np.int64) if self.counted is None else self.counted.astype(np.int64)
        fresh = np.bincount(np.concatenate(self.waiting), minlength=self.size)
        if self.counted is not None:
            np.add(fresh, self.counted, out=fresh)
        return fresh

    def nonzero(self) -> tuple[IntArray, IntArray]:
        """The keys that were seen, in rising order, and their counts."""
        counts = self.counts()
        keys = np.flatnonzero(counts)
        return keys, counts[keys]


def _added(first: Counted | None, second: Counted | None) -> Counted | None:
    if first is None or second is None:
        return second if first is None else first
    return _narrow(first.astype(np.int64) + second)


def _narrow(counts: IntArray) -> Counted:
    """In half the space where no count can exceed it."""
    return counts.astype(np.uint32) if counts.sum() < 1 << 32 else counts
