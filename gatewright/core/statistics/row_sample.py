"""A bounded sample of rows that any machines can take in parts: chosen by a hash of each row's position.

A row is in when the hash of its position begins with ``level`` zero bits; ``level`` rises until at most
``SAMPLE_ROWS`` rows are left. The choice depends on nothing else, so samples of parts add up to the same sample
whatever the parts. Up to ``SAMPLE_ROWS`` rows it holds them all and quantiles are exact; above, the share of rows
below a quantile is within sqrt(ln(2 / error) / (2 rows)) of the wanted one with probability 1 - error (Massart 1990,
Annals of Probability 18): 0.9 % for the smallest sample, 50,000 rows, with one error in a thousand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import EXACT_ROWS, FloatArray

__all__ = ["SAMPLE_ROWS", "RowSample", "row_sample"]

SAMPLE_ROWS = EXACT_ROWS


@dataclass(frozen=True)
class RowSample:
    """Values of the chosen rows by column, and the smallest and largest finite value of all rows seen."""

    level: int
    hashes: NDArray[np.uint64]
    columns: Mapping[str, FloatArray]
    ranges: Mapping[str, tuple[float, float]]

    def __add__(self, other: Self) -> Self:
        ranges = {
            name: (min(low, other.ranges[name][0]), max(high, other.ranges[name][1]))
            for name, (low, high) in self.ranges.items()
        }
        joined = type(self)(
            max(self.level, other.level),
            np.concatenate([self.hashes, other.hashes]),
            {name: np.concatenate([values, other.columns[name]]) for name, values in self.columns.items()},
            ranges,
        )
        return joined._thinned()

    def _thinned(self) -> Self:
        level = self.level
        while (kept := _chosen(self.hashes, level)).sum() > SAMPLE_ROWS:
            level += 1
        if kept.all():
            return type(self)(level, self.hashes, self.columns, self.ranges)
        columns = {name: values[kept] for name, values in self.columns.items()}
        return type(self)(level, self.hashes[kept], columns, self.ranges)


def row_sample(columns: Mapping[str, FloatArray], rows: int, *, start: int = 0, level: int = 0) -> RowSample:
    """The sample of ``rows`` rows that begin at position ``start``; each column of shape (rows,), NaN for a null.

    ``level`` may be that of the sample it will be added to, which saves copies and changes nothing.
    """
    hashes = _hashes(start, rows)
    kept = _chosen(hashes, level)
    chosen = {name: values[kept] for name, values in columns.items()}
    ranges = {name: _finite_range(values) for name, values in columns.items()}
    return RowSample(level, hashes[kept], chosen, ranges)._thinned()


def _chosen(hashes: NDArray[np.uint64], level: int) -> NDArray[np.bool_]:
    return hashes <= np.uint64(0xFFFFFFFFFFFFFFFF >> level)


def _hashes(start: int, rows: int) -> NDArray[np.uint64]:
    """SplitMix64 of each position. Steele, Lea & Flood (2014), OOPSLA."""
    z = np.arange(start + 1, start + rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _finite_range(values: FloatArray) -> tuple[float, float]:
    if not values.size:
        return np.inf, -np.inf
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.inf, -np.inf)
