"""Rows as 64-bit hashes: which evaluation rows, features or entities stand in the training data.

Equal values hash equally whatever their type in the file (1, 1.0 and True; text and its categories). Two of
10 million rows against 10 million share a hash by chance with probability 5e-6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gatewright.core.checks.numbers import numbers
from gatewright.core.normal import critical_value
from gatewright.core.results import Interval

__all__ = [
    "Hashes",
    "RowIndex",
    "content_order",
    "coverage",
    "coverage_interval",
    "excess_interval",
    "kind_of",
    "row_hashes",
]

Hashes = NDArray[np.uint64]
Kind = Literal["times", "numbers", "text"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# Whole numbers up to here have one float of the same value.
EXACT_FLOATS = 2.0**53


def row_hashes(frame: pd.DataFrame, columns: Sequence[str]) -> Hashes:
    """One hash of the ``columns`` of each row, shape (rows,); a missing value equals a missing value.

    Text is hashed once per distinct value. Needs 24 bytes a row, whatever the number of columns.
    """
    hashes = np.zeros(len(frame), dtype=np.uint64)
    for name in columns:
        hashes = _mixed((hashes + GOLDEN) ^ _cells(frame[name]))
    return hashes


def content_order(frame: pd.DataFrame, *, seed: int) -> NDArray[np.int64]:
    """Positions of the rows in a random order that depends on their content and ``seed``, not on their order.

    Only rows that are equal in every column keep the order they come in.
    """
    hashes = row_hashes(frame, sorted(map(str, frame.columns)))
    return np.argsort(_mixed(hashes + np.array([seed], dtype=np.uint64) * GOLDEN), kind="stable")


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): each bit of the input moves half of the output's."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def kind_of(column: "pd.Series[Any]") -> Kind | None:
    """As what the values are hashed: no value of one kind equals one of another. None where all are missing."""
    dtype = column.cat.categories.dtype if isinstance(column.dtype, pd.CategoricalDtype) else column.dtype
    if column.isna().all():
        return None
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "times"
    return "numbers" if pd.api.types.is_numeric_dtype(dtype) else "text"


def _cells(column: "pd.Series[Any]") -> Hashes:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dt.as_unit("ns").astype("int64")
    if not pd.api.types.is_numeric_dtype(column):
        return _texts(column)
    bits = _mixed(_bits(column) + np.uint64(1))
    return np.where(column.isna().to_numpy(), GOLDEN, bits)


def _bits(column: "pd.Series[Any]") -> Hashes:
    """Whole numbers as integers, so that a column with nulls equals the same column without."""
    if not pd.api.types.is_float_dtype(column):
        return column.fillna(0).to_numpy(dtype=np.int64).view(np.uint64)
    values = numbers(column)
    whole = (np.abs(values) < EXACT_FLOATS) & (np.trunc(values) == values)
    integers = np.where(whole, values, 0.0).astype(np.int64)
    return np.where(whole, integers, values.view(np.int64)).view(np.uint64)


def _texts(column: "pd.Series[Any]") -> Hashes:
    codes, values = pd.factorize(column)
    texts = np.array([str(value) for value in values], dtype=object)
    # A missing value has the code -1: the last hash.
    return np.append(pd.util.hash_array(texts), GOLDEN)[codes]


@dataclass(frozen=True)
class RowIndex:
    """The distinct pairs of a row's hash and the unit (cluster, or key) it belongs to, in order: 16 bytes a row.

    Indices of parts of the data add up, in any order and to the same bytes.
    """

    hashes: Hashes
    units: Hashes

    @classmethod
    def of(cls, hashes: Hashes, units: Hashes) -> Self:
        """Both of shape (rows,)."""
        order = np.lexsort((units, hashes))
        hashes, units = hashes[order], units[order]
        new = np.ones(hashes.size, dtype=bool)
        new[1:] = (hashes[1:] != hashes[:-1]) | (units[1:] != units[:-1])
        return cls(hashes[new], units[new])

    def __add__(self, other: Self) -> Self:
        return type(self).of(np.concatenate([self.hashes, other.hashes]), np.concatenate([self.units, other.units]))

    def holds(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Whether each of ``hashes`` is among the rows, shape (rows,)."""
        if not self.hashes.size:
            return np.zeros(hashes.size, dtype=bool)
        place = np.minimum(np.searchsorted(self.hashes, hashes), self.hashes.size - 1)
        return np.asarray(self.hashes[place] == hashes)


def coverage(index: RowIndex) -> float:
    """The chance that a further row of the same population equals a row of ``index``; NaN without rows.

    One minus the share of rows seen in one unit only: the estimate of Good and Turing (Good 1953, Biometrika
    40, 237-264).
    """
    return 1 - _share_seen(index, 1)


def coverage_interval(index: RowIndex, *, confidence: float) -> Interval:
    """Normal interval of `coverage`. Esty (1983), Annals of Statistics 11, 905-912."""
    once, twice = _share_seen(index, 1), _share_seen(index, 2)
    deviation = ((once * (1 - once) + 2 * twice) / index.hashes.size) ** 0.5
    margin = critical_value(confidence) * deviation
    low, high = max(0.0, 1 - once - margin), min(1.0, 1 - once + margin)
    return Interval(low=low, high=high, confidence=confidence, method="Good-Turing, Esty")


def _share_seen(index: RowIndex, times: int) -> float:
    """The number of hashes that occur in exactly ``times`` units, over the number of pairs."""
    counts = np.unique(index.hashes, return_counts=True)[1]
    return float((counts == times).sum()) / index.hashes.size if index.hashes.size else float("nan")


def excess_interval(share: float, own: Interval, expected: float, expectation: Interval) -> Interval:
    """Interval of ``share`` minus ``expected``, two independent estimates, by squaring and adding (Newcombe 1998)."""
    low = share - expected - float(np.hypot(share - own.low, expectation.high - expected))
    high = share - expected + float(np.hypot(own.high - share, expected - expectation.low))
    return Interval(
        low=max(-1.0, low),
        high=min(1.0, high),
        confidence=own.confidence,
        method=f"square-and-add of {own.method} and {expectation.method}",
    )
