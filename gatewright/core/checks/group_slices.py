"""The slices a fairness audit of numbers or of several classes looks at, and how their groups come together."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from gatewright.core.checks.group_codes import GroupCodes, group_codes, joined
from gatewright.core.checks.inputs import unmeasured
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import BLOCKS, IntArray

__all__ = ["UNSUPPORTED", "block_places", "coded_slices", "too_many_groups", "united"]

# How many groups of a slice have too few rows for a verdict.
UNSUPPORTED = "unsupported_groups"


def too_many_groups(metrics: Iterable[str], rows: int, *, champion: bool, slice: str) -> list[Measurement]:
    """``metrics``, their changes with a champion, and ``UNSUPPORTED``, all without a value."""
    names = [name for metric in metrics for name in ((metric, f"{metric}_change") if champion else (metric,))]
    return [unmeasured(name, rows, "too many groups to audit", slice=slice) for name in (*names, UNSUPPORTED)]


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
