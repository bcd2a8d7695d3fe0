"""Slices of a table: rows that share the values of one or several columns, summed from cells.

The rows of a part are summed once by the combination of all their values (and by half and block where these are
asked for); every slice of every depth is a sum of such cells, so that looking at hundreds of slices costs little more
than looking at one. Tables of parts add up. Numbers are cut at their quantiles.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.frames import MISSING, OTHER
from gatewright.core.statistics.blocks import BLOCKS, FloatArray, IntArray, Sums

__all__ = ["BlockSums", "Cells", "CodedColumn", "Ratio", "Slice", "SliceTable", "cells_of", "code_column"]

# A number with more values than this is cut into as many bins of equal mass as `QUANTILE_BINS`.
FEW_VALUES = 10
QUANTILE_BINS = 4
# Rarer categories than these are one slice: too many slices find nothing.
MAXIMUM_CATEGORIES = 20
# Up to this many cells are counted in an array that holds all of them, more are sorted.
DENSE = 1 << 22


@dataclass(frozen=True)
class CodedColumn:
    """``codes``: index of each row's value in ``values``, shape (rows,)."""

    name: str
    codes: NDArray[np.int16]
    values: tuple[str, ...]

    def __getitem__(self, rows: Any) -> "CodedColumn":
        """The same column of some rows: a slice, or indices."""
        return CodedColumn(self.name, self.codes[rows], self.values)


def code_column(name: str, column: Any) -> CodedColumn:
    """Values as text; numbers with many values as bins ``[low, high)`` of equal mass; none as ``(missing)``.

    Each distinct value is put into words once. Of more than ``MAXIMUM_CATEGORIES`` categories the most frequent
    keep their name, the others share ``(other)``.
    """
    values = pd.Series(np.asarray(column))
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    own, distinct = pd.factorize(values)
    if numeric and len(distinct) > FEW_VALUES:
        own, names = _binned(values.to_numpy(dtype=float))
    else:
        names = [f"{value:g}" if numeric else str(value) for value in distinct]
        names = _frequent(names, np.bincount(own[own >= 0], minlength=len(names)))
    named, kept = pd.factorize(np.array([*names, MISSING], dtype=object), sort=True)
    codes = named.astype(np.int16)[own]  # the code of nothing is -1: the last name
    present = np.bincount(codes, minlength=len(kept)) > 0
    final = (np.cumsum(present) - 1).astype(np.int16)
    return CodedColumn(name, final[codes], tuple(str(value) for value in kept[present]))


def _binned(numbers: FloatArray) -> tuple[IntArray, list[str]]:
    """The bin of each number, -1 for none, and the names of the bins."""
    known = ~np.isnan(numbers)
    finite = numbers[np.isfinite(numbers)]
    edges = np.unique(np.quantile(finite, np.arange(1, QUANTILE_BINS) / QUANTILE_BINS, method="higher"))
    texts = ["-inf", *(f"{edge:.6g}" for edge in edges), "inf"]
    bins = np.where(known, np.searchsorted(edges, numbers, side="right"), -1)
    return bins.astype(np.int64), [f"[{low}, {high})" for low, high in pairwise(texts)]


def _frequent(names: list[str], counts: IntArray) -> list[str]:
    if len(names) <= MAXIMUM_CATEGORIES:
        return names
    first = sorted(range(len(names)), key=lambda k: (-counts[k], names[k]))[:MAXIMUM_CATEGORIES]
    return [name if k in set(first) else OTHER for k, name in enumerate(names)]


@dataclass(frozen=True)
class Slice:
    """The rows where each named column has the value. Names come from data and are text, nothing more."""

    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return " & ".join(f"{column}={value}" for column, value in self.parts)

    def within(self, other: "Slice") -> bool:
        """Whether every row of this slice is one of ``other`` by definition."""
        return set(other.parts) <= set(self.parts)


@dataclass(frozen=True)
class Cells:
    """Sums of the rows that share all values. ``codes``: shape (columns, cells); the others: (cells,).

    ``blocks`` is None when rows are independent, ``half`` is 0 or 1.
    """

    columns: tuple[CodedColumn, ...]
    codes: IntArray
    half: IntArray
    blocks: IntArray | None
    sums: Sums

    def of_half(self, half: int) -> "Cells":
        """The cells of one half of the data."""
        kept = self.half == half
        blocks = None if self.blocks is None else self.blocks[kept]
        sums = {name: values[kept] for name, values in self.sums.items()}
        return Cells(self.columns, self.codes[:, kept], self.half[kept], blocks, sums)

    def tables(self, depth: int) -> Iterator["SliceTable"]:
        """One table for each combination of up to ``depth`` columns."""
        for size in range(1, depth + 1):
            for chosen in combinations(range(len(self.columns)), size):
                yield self._table(chosen)

    def _table(self, chosen: Sequence[int]) -> "SliceTable":
        columns = tuple(self.columns[k] for k in chosen)
        shape = tuple(len(column.values) for column in columns)
        keys, width = _ravel([self.codes[k] for k in chosen], shape), int(np.prod(shape))
        if self.blocks is None:
            return SliceTable(columns, shape, _sums(keys, self.sums, width))
        kept, index = _compact(keys * BLOCKS + self.blocks, width * BLOCKS)
        by_block = BlockSums(kept // BLOCKS, kept % BLOCKS, _sums(index, self.sums, kept.size))
        return SliceTable(columns, shape, _sums(by_block.owners, by_block.sums, width), by_block)


@dataclass(frozen=True)
class BlockSums:
    """Sums of the rows of one slice in one block. ``owners``: the slice, ``blocks``: the block, each (pairs,)."""

    owners: IntArray
    blocks: IntArray
    sums: Sums

    def __add__(self, other: "BlockSums") -> "BlockSums":
        owners, blocks = (np.concatenate(pair) for pair in ((self.owners, other.owners), (self.blocks, other.blocks)))
        sums = {name: np.concatenate([values, other.sums[name]]) for name, values in self.sums.items()}
        kept, index = _compact(owners * BLOCKS + blocks, (int(owners.max(initial=0)) + 1) * BLOCKS)
        return BlockSums(kept // BLOCKS, kept % BLOCKS, _sums(index, sums, kept.size))


@dataclass(frozen=True)
class Ratio:
    """A mean over rows: ``plus`` (less ``minus``) over ``denominator``, each the name of a sum.

    ``squares``: the sum of the squared numerators; for counts these are the counts themselves.
    """

    denominator: str
    plus: str
    minus: str | None = None
    squares: str | None = None

    def numerator(self, sums: Sums) -> FloatArray:
        return sums[self.plus] if self.minus is None else sums[self.plus] - sums[self.minus]

    def squared(self, sums: Sums) -> FloatArray:
        if self.squares is not None:
            return sums[self.squares]
        return sums[self.plus] if self.minus is None else sums[self.plus] + sums[self.minus]


@dataclass(frozen=True)
class SliceTable:
    """Sums of all slices of one combination of columns, each of shape (slices,), empty slices included."""

    columns: tuple[CodedColumn, ...]
    shape: tuple[int, ...]
    sums: Sums
    by_block: BlockSums | None = None

    def __add__(self, other: "SliceTable") -> "SliceTable":
        """Of both parts of the data, whose columns must have one coding. Raises ValueError otherwise."""
        if [column.values for column in self.columns] != [column.values for column in other.columns]:
            raise ValueError("slices of different codings cannot be merged")
        sums = {name: values + other.sums[name] for name, values in self.sums.items()}
        by_block = None
        if self.by_block is not None and other.by_block is not None:
            by_block = self.by_block + other.by_block
        return SliceTable(self.columns, self.shape, sums, by_block)

    def slice(self, index: int) -> Slice:
        codes = np.unravel_index(index, self.shape)
        parts = zip(self.columns, codes, strict=True)
        return Slice(tuple((column.name, column.values[int(code)]) for column, code in parts))

    def value(self, ratio: Ratio) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean: FloatArray = ratio.numerator(self.sums) / self.sums[ratio.denominator]
        return mean

    def units(self, ratio: Ratio) -> FloatArray:
        """Independent units of each slice that count in the denominator: rows, or blocks of clusters."""
        if self.by_block is None:
            return self.sums[ratio.denominator]
        present = self.by_block.sums[ratio.denominator] > 0
        return _summed(self.by_block.owners, present, self.sums["rows"].size)

    def of_blocks(self, values: FloatArray, index: int) -> FloatArray:
        """Sums by block of the pairs of one slice, shape (BLOCKS,)."""
        assert self.by_block is not None
        kept = self.by_block.owners == index
        return _summed(self.by_block.blocks[kept], values[kept], BLOCKS)

    def simple_variance(self, ratio: Ratio) -> FloatArray:
        """Of the mean, as if rows were independent."""
        n, mean = self.sums[ratio.denominator], self.value(ratio)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread: FloatArray = np.maximum(ratio.squared(self.sums) - n * mean**2, 0) / (n * (n - 1))
        return spread

    def variance(self, ratio: Ratio) -> FloatArray:
        """Of the mean; with clusters that of a ratio of block sums (linearised: Cochran 1977, section 6.4)."""
        if self.by_block is None:
            return self.simple_variance(ratio)
        owners, sums, n = self.by_block.owners, self.by_block.sums, self.sums[ratio.denominator]
        residuals = ratio.numerator(sums) - self.value(ratio)[owners] * sums[ratio.denominator]
        units = self.units(ratio)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread: FloatArray = _summed(owners, residuals**2, n.size) * units / (units - 1) / n**2
        return spread

    def design_effect(self, ratio: Ratio) -> FloatArray:
        """By how much clusters widen (Kish 1965), at least 1; where nothing varies, rows per block."""
        if self.by_block is None:
            return np.ones_like(self.sums[ratio.denominator])
        simple, clustered = self.simple_variance(ratio), self.variance(ratio)
        with np.errstate(divide="ignore", invalid="ignore"):
            constant = self.sums[ratio.denominator] / self.units(ratio)
            effect: FloatArray = np.maximum(np.where(simple > 0, clustered / simple, constant), 1.0)
        return effect


def cells_of(
    columns: Sequence[CodedColumn], values: Mapping[str, FloatArray], *, half: IntArray, blocks: IntArray | None
) -> Cells:
    """Sum ``values``, each of shape (rows,), by the values of all columns, half and block."""
    shape = tuple(len(column.values) for column in columns)
    extra, sizes = ([half], (*shape, 2)) if blocks is None else ([half, blocks], (*shape, 2, BLOCKS))
    if np.prod([float(size) for size in sizes]) >= 2**62:
        raise ValueError(f"{len(columns)} columns have too many combinations of values")
    kept, index = _compact(_ravel([*(column.codes for column in columns), *extra], sizes), int(np.prod(sizes)))
    places = np.unravel_index(kept, sizes)
    own = None if blocks is None else places[-1]
    sums = _sums(index, values, kept.size)
    return Cells(tuple(columns), np.array(places[: len(shape)]), places[len(shape)], own, sums)


def _sums(keys: IntArray, sums: Mapping[str, NDArray[Any]], width: int) -> dict[str, FloatArray]:
    return {name: _summed(keys, values, width) for name, values in sums.items()}


def _summed(keys: IntArray, values: NDArray[Any], width: int) -> FloatArray:
    return np.bincount(keys, values, width).astype(np.float64)


def _ravel(codes: Sequence[NDArray[Any]], shape: Sequence[int]) -> IntArray:
    keys = np.zeros(codes[0].size, dtype=np.int64)
    for code, size in zip(codes, shape, strict=True):
        keys = keys * size + code
    return keys


def _compact(keys: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """The distinct keys, sorted, and the index of each key among them."""
    if size > DENSE:
        kept, index = np.unique(keys, return_inverse=True)
        return kept, index
    present = np.bincount(keys, minlength=size) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[keys]
