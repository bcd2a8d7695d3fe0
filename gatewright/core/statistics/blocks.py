"""Block bootstrap: intervals for any function of sums, in space that does not grow with the rows.

Rows are assigned to at most ``BLOCKS`` blocks by a hash of their cluster; statistics are summed per block;
the blocks are resampled with multinomial weights, which is one matrix product. Rows of one cluster always
share a block, so that the interval respects their dependence. Tables of two parts of a dataset, made with
the same clusters (or with continued positions), merge by addition. Blocks by position depend on the order of
rows; fewer than ``EXACT_ROWS`` rows are first put into `canonical_order`, so that a permuted table gives the same
numbers. Above, another order only means other Monte-Carlo error.

Percentiles are expanded for few blocks after Hesterberg (2015), "What Teachers Should Know About the
Bootstrap", The American Statistician 69(4), section 5.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from statistics import NormalDist
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from gatewright.core.results import Interval

__all__ = [
    "BLOCKS",
    "EXACT_ROWS",
    "MINIMUM_BLOCKS",
    "REPLICATES",
    "BlockTable",
    "Bootstrap",
    "FloatArray",
    "IntArray",
    "Statistic",
    "Sums",
    "assign_blocks",
    "block_histogram",
    "block_sums",
    "bootstrap",
    "canonical_order",
    "expanded_tail",
    "hull",
    "paired_interval",
    "percentile_interval",
]

BLOCKS = 1000
REPLICATES = 1000
# Below, rows are kept and ordered by content; above, only their sums are.
EXACT_ROWS = 100_000
# With fewer independent blocks no resampling interval can be trusted: there is none.
MINIMUM_BLOCKS = 10
# Resamples in which a statistic is undefined (an empty denominator) may be left out up to this share.
MAXIMUM_UNDEFINED = 0.01

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Sums = Mapping[str, FloatArray]
Statistic = Callable[[Sums], FloatArray]


def canonical_order(*columns: NDArray[Any]) -> IntArray:
    """Indices, shape (rows,), that put rows into an order given by their content alone.

    ``columns``: arrays of shape (rows,). Rows are ordered by a hash of their values, so that their block, given
    by position, has nothing to do with their score. Rows that are equal in all columns are interchangeable.
    Raises ValueError without columns.
    """
    if not columns:
        raise ValueError("no columns to order rows by")
    keys = _hashes(columns[0])
    for column in columns[1:]:
        keys = keys * _MIX + _hashes(column)
    return np.argsort(keys, kind="stable").astype(np.int64)


# An odd multiplier near 2**64 over the golden ratio (Knuth, TAOCP 3, section 6.4).
_MIX = np.uint64(0x9E3779B97F4A7C15)


def _hashes(column: NDArray[Any]) -> NDArray[np.uint64]:
    values = np.asarray(column)
    if values.dtype.kind in "US":
        values = values.astype(object)
    if values.dtype.kind == "f":
        values = values + 0.0  # zero and minus zero are one content
    return pd.util.hash_array(values)


def assign_blocks(rows: int, clusters: NDArray[Any] | None = None, *, start: int = 0) -> IntArray:
    """The block of each row, shape (rows,): by cluster, or by position counted from ``start``."""
    own = np.arange(start, start + rows) if clusters is None else clusters
    blocks: IntArray = (_hashes(own) % np.uint64(BLOCKS)).astype(np.int64)
    return blocks


def block_sums(blocks: IntArray, values: NDArray[Any] | None = None) -> FloatArray:
    """Sum of ``values`` (of ones when None) per block, shape (BLOCKS,)."""
    return np.bincount(blocks, weights=values, minlength=BLOCKS).astype(np.float64)


def block_histogram(blocks: IntArray, bins: IntArray, width: int, values: NDArray[Any] | None = None) -> FloatArray:
    """Sum of ``values`` (of ones when None) per block and bin, shape (BLOCKS, width)."""
    flat = np.bincount(blocks * width + bins, weights=values, minlength=BLOCKS * width)
    return flat.astype(np.float64).reshape(BLOCKS, width)


@dataclass(frozen=True)
class BlockTable:
    """Sums per block: each of shape (BLOCKS,) or (BLOCKS, k). ``rows`` must be among them."""

    sums: Sums

    def __add__(self, other: Self) -> Self:
        if set(self.sums) != set(other.sums):
            raise ValueError("tables of different statistics cannot be merged")
        return type(self)({name: values + other.sums[name] for name, values in self.sums.items()})


@dataclass(frozen=True)
class Bootstrap:
    """``total``: the sums with a leading axis of length 1; ``replicates``: with one of ``REPLICATES``."""

    total: Sums
    replicates: Sums
    blocks: int

    def value(self, statistic: Statistic) -> float:
        """The statistic of all rows; NaN where it is undefined."""
        return float(statistic(self.total)[0])

    def interval(self, statistic: Statistic, confidence: float) -> Interval | None:
        """Percentile interval of ``statistic``; None as in `percentile_interval`."""
        return percentile_interval(
            self.value(statistic), statistic(self.replicates), blocks=self.blocks, confidence=confidence
        )


def bootstrap(table: BlockTable, *, seed: int) -> Bootstrap:
    """Resample the non-empty blocks of ``table``. Equal seeds give equal weights, which makes pairs.

    Sums given as float32 are resampled in float32: half the time for histograms, whose counts it holds exactly.
    """
    filled = table.sums["rows"].reshape(BLOCKS, -1).sum(axis=1) > 0
    blocks = int(filled.sum())
    single = [name for name, values in table.sums.items() if values.dtype == np.float32]
    double = [name for name in table.sums if name not in single]
    return Bootstrap(
        total={name: values.sum(axis=0, keepdims=True) for name, values in table.sums.items()},
        replicates={
            **_resampled(_weights(seed, blocks), {name: table.sums[name][filled] for name in double}),
            **_resampled(_single_weights(seed, blocks), {name: table.sums[name][filled] for name in single}),
        },
        blocks=blocks,
    )


def _resampled(weights: NDArray[Any], sums: Sums) -> dict[str, FloatArray]:
    """One matrix product for all sums: a product for each would read the weights as often."""
    if not sums:
        return {}
    flat = [values.reshape(values.shape[0], prod(values.shape[1:])) for values in sums.values()]
    product = weights @ np.concatenate(flat, axis=1)
    parts = np.split(product, np.cumsum([values.shape[1] for values in flat])[:-1], axis=1)
    return {
        name: part.reshape(REPLICATES, *values.shape[1:])
        for (name, values), part in zip(sums.items(), parts, strict=True)
    }


@lru_cache(maxsize=4)
def _weights(seed: int, blocks: int) -> FloatArray:
    if not blocks:
        return np.zeros((REPLICATES, 0))
    # A multinomial count of which blocks were drawn, four times as fast as drawing the counts themselves.
    drawn = np.random.default_rng(seed).integers(0, blocks, (REPLICATES, blocks))
    flat = (drawn + np.arange(REPLICATES)[:, None] * blocks).ravel()
    weights = np.bincount(flat, minlength=REPLICATES * blocks).reshape(REPLICATES, blocks).astype(np.float64)
    weights.flags.writeable = False
    return weights


@lru_cache(maxsize=4)
def _single_weights(seed: int, blocks: int) -> NDArray[np.float32]:
    return _weights(seed, blocks).astype(np.float32)


def paired_interval(
    candidate: Bootstrap, champion: Bootstrap, statistic: Statistic, confidence: float
) -> Interval | None:
    """Interval of candidate minus champion; both tables must hold the same rows in the same blocks."""
    return percentile_interval(
        candidate.value(statistic) - champion.value(statistic),
        statistic(candidate.replicates) - statistic(champion.replicates),
        blocks=candidate.blocks,
        confidence=confidence,
    )


def percentile_interval(
    value: float,
    replicates: FloatArray,
    *,
    blocks: int,
    confidence: float,
    method: str = "block bootstrap",
) -> Interval | None:
    """Expanded percentile interval, widened where needed so that it holds ``value``.

    Statistics such as maxima of gaps grow under resampling; without the widening their estimate could lie
    outside. None when the estimate is undefined, when there are fewer than ``MINIMUM_BLOCKS`` blocks, or
    when more than ``MAXIMUM_UNDEFINED`` of the resamples are undefined.
    """
    defined = replicates[np.isfinite(replicates)]
    if not (np.isfinite(value) and blocks >= MINIMUM_BLOCKS):
        return None
    if not defined.size >= (1 - MAXIMUM_UNDEFINED) * replicates.size:
        return None
    tail = expanded_tail(blocks, confidence)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(low=min(float(low), value), high=max(float(high), value), confidence=confidence, method=method)


def expanded_tail(blocks: int, confidence: float) -> float:
    """The share of resamples to leave out on each side: less than (1 - confidence) / 2 for few blocks."""
    student = float(stdtrit(blocks - 1, (1 + confidence) / 2))
    return NormalDist().cdf(-student * (blocks / (blocks - 1)) ** 0.5)


def hull(first: Interval | None, second: Interval | None) -> Interval | None:
    """The smallest interval that holds both; None when either is missing."""
    if first is None or second is None:
        return None
    return Interval(
        low=min(first.low, second.low),
        high=max(first.high, second.high),
        confidence=first.confidence,
        method=f"{first.method}, at least {second.method}",
    )
