"""The slices a fairness audit of numbers or of several classes looks at, and how their groups come together."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from gatewright.core.checks.group_codes import GroupCodes, group_codes, joined
from gatewright.core.statistics.blocks import BLOCKS, IntArray

__all__ = ["block_places", "coded_slices", "united"]


def coded_slices(groups: Mapping[str, Any], rows: int) -> dict[str, GroupCodes]:
    """The groups of each row by sensitive column, then by each pair of columns (``a & b``, in sorted order).

    Raises DataError as `group_codes`.
    """
    columns = {name: group_codes(groups[name], rows, where=f"groups of `{name}`") for name in sorted(groups)}
    pairs = {joined(pair): _paired(columns[pair[0]], columns[pair[1]]) for pair in combinations(columns, 2)}
    return columns | pairs


def _paired(first: GroupCodes, second: GroupCodes) -> GroupCodes:
    both, codes = np.unique(first.codes * len(second.names) + second.codes, return_inverse=True)
    names = [joined((first.names[code // len(second.names)], second.names[code % len(second.names)])) for code in both]
    order = np.argsort(names, kind="stable")
    places = np.empty(order.size, dtype=np.int64)
    places[order] = np.arange(order.size)
    return GroupCodes(places[codes], tuple(names[k] for k in order))


def united(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """The groups of two parts of the data, sorted."""
    return tuple(sorted({*first, *second}))


def block_places(own: tuple[str, ...], groups: tuple[str, ...]) -> IntArray:
    """Where cells of (block, own group) are among those of (block, group): shape (BLOCKS * own groups,)."""
    places = np.array([groups.index(name) for name in own], dtype=np.int64)
    return (np.arange(BLOCKS)[:, None] * len(groups) + places).reshape(-1)
