"""Conditions that are comparisons of 64-bit numbers: numpy makes them for pandas, and makes them here."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewright.services.onepass.block import Block
from gatewright.services.onepass.kinds import Column

__all__ = ["are_plain", "unexpected_of_between", "unexpected_of_greater", "unexpected_of_z_score"]


def are_plain(names: tuple[str, ...], columns: Mapping[str, Column]) -> bool:
    """Whether all are columns of 64-bit integers without missing values, or of 64-bit floats."""
    return all(columns[name].dtype in (np.int64, np.float64) for name in names)


def unexpected_of_between(given: Mapping[str, Any], block: Block, name: str) -> np.ndarray | None:
    """Numbers of the rows outside the bounds of ``column_values.between``; None where it takes pandas to say.

    A missing value is not outside.
    """
    low, high = given.get("min_value"), given.get("max_value")
    extremes = block.extremes(name)
    if extremes is None or not _comparable(low, high):
        return None
    if _above(extremes[0], low, given) and _below(extremes[1], high, given):
        return np.empty(0, dtype=np.int64)
    values = block.numbers(name)
    inside = np.logical_and(_above(values, low, given), _below(values, high, given))
    return _rows_without(inside, np.isnan(values) if block.missing(name) else None)


def unexpected_of_greater(given: Mapping[str, Any], block: Block, names: tuple[str, ...]) -> np.ndarray | None:
    """Numbers of the rows that do not meet ``column_pair_values.a_greater_than_b``; None where a value is missing."""
    if any(block.missing(name) for name in names):
        return None
    first, second = (block.numbers(name) for name in names)
    return _rows_without(first >= second if given.get("or_equal") else first > second)


def unexpected_of_z_score(
    given: Mapping[str, Any], known: Mapping[str, Any], block: Block, name: str
) -> np.ndarray | None:
    """Numbers of the rows that do not meet ``column_values.z_score.under_threshold``; None where it takes pandas.

    ``known``: ``column.mean`` and ``column.standard_deviation`` of the whole column.
    """
    deviation, threshold = known["column.standard_deviation"], given.get("threshold")
    if not deviation > 0 or not isinstance(threshold, int | float):
        return None
    scores = block.numbers(name) - known["column.mean"]
    scores /= deviation
    if given.get("double_sided"):
        threshold = abs(threshold)
        np.abs(scores, out=scores)
    return _rows_without(scores < threshold, np.isnan(scores) if block.missing(name) else None)


def _above(values: Any, low: Any, given: Mapping[str, Any]) -> Any:
    if low is None:
        return True
    return values > low if given.get("strict_min") else values >= low


def _below(values: Any, high: Any, given: Mapping[str, Any]) -> Any:
    if high is None:
        return True
    return values < high if given.get("strict_max") else values <= high


def _comparable(low: Any, high: Any) -> bool:
    numbers = [bound for bound in (low, high) if bound is not None]
    if not numbers or not all(type(bound) in (int, float) for bound in numbers):
        return False
    return len(numbers) == 1 or bool(low <= high)


def _rows_without(expected: np.ndarray, missing: np.ndarray | None = None) -> np.ndarray:
    if missing is not None:
        expected = expected | missing
    return np.flatnonzero(~expected)
