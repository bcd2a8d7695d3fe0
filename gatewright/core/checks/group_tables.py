"""Tables of counts by group: which are kept, how they are counted, and how they grow when new groups appear.

One table over all sensitive columns holds everything; a column, and a pair of columns, are its marginals. Where
it would be too large there is one for each pair, and a pair with too many groups has none. The choice depends on
the groups alone and only ever becomes coarser as groups are added, so that it does not matter how the rows were
divided into batches.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np

from gatewright.core.errors import DataError
from gatewright.core.statistics.blocks import BLOCKS, FloatArray, IntArray

__all__ = [
    "BINS",
    "MAXIMUM_GROUPS",
    "SCORE_UNIT",
    "Arrays",
    "Features",
    "Groups",
    "Rows",
    "count",
    "kept_tables",
    "marginal",
    "shapes",
    "spread",
]

# Scores are compared with outcomes in this many bins of equal width.
BINS = 10
# Score sums are integers in this unit: exact in any order, with room for 3e10 rows.
SCORE_UNIT = 2.0**-28
# Groups of one slice; a column with more holds identifiers.
MAXIMUM_GROUPS = 500
# Entries of the joint table (32 MB), and of all tables of pairs together (256 MB).
JOINT_ENTRIES = 1 << 22
PAIR_ENTRIES = 1 << 25
# Rows counted at once: few enough for the cache, and for score sums below 2**53, where floats are exact.
CHUNK = 1 << 17

Features = tuple[str, ...]
# Column -> its groups, both sorted.
Groups = Mapping[str, tuple[str, ...]]
# "cells": (blocks, *groups, label, candidate's decision, champion's decision or 1 entry without champion);
# "outcomes": (blocks, *groups, BINS, label); "scores": (blocks, *groups, BINS), sums in SCORE_UNIT.
Arrays = Mapping[str, IntArray]


@dataclass(frozen=True)
class Rows:
    """Rows to count: ``codes`` by column, ``cells`` = (label, decision, champion's decision) as one number.

    ``models`` is 2 with a champion, else 1. Without ``blocks`` all rows are in one.
    """

    codes: Mapping[str, IntArray]
    labels: IntArray
    cells: IntArray
    models: int
    blocks: IntArray | None
    scores: FloatArray | None

    def chunks(self) -> "Iterator[Rows]":
        """The rows in parts of ``CHUNK``; at least one, which may be empty."""
        for start in range(0, max(self.labels.size, 1), CHUNK):
            part = slice(start, start + CHUNK)
            yield Rows(
                codes={name: codes[part] for name, codes in self.codes.items()},
                labels=self.labels[part],
                cells=self.cells[part],
                models=self.models,
                blocks=None if self.blocks is None else self.blocks[part],
                scores=None if self.scores is None else self.scores[part],
            )


def kept_tables(groups: Groups, *, blocks: int, scored: bool) -> tuple[Features, ...]:
    """The columns of each table that is kept. Raises DataError for a column with more than ``MAXIMUM_GROUPS``."""
    sizes = {name: len(names) for name, names in groups.items()}
    for name, size in sizes.items():
        _refuse_identifiers(name, size)
    entries = blocks * (8 + 3 * BINS * scored)
    if entries * prod(sizes.values()) <= JOINT_ENTRIES:
        return (tuple(groups),)
    pairs = list(combinations(groups, 2))
    largest = min(MAXIMUM_GROUPS, PAIR_ENTRIES // (entries * max(len(pairs), 1)))
    kept = [(first, second) for first, second in pairs if sizes[first] * sizes[second] <= largest]
    paired = {name for pair in kept for name in pair}
    return (*kept, *((name,) for name in groups if name not in paired))


def _refuse_identifiers(name: str, size: int) -> None:
    if size > MAXIMUM_GROUPS:
        raise DataError(
            f"{size} different values are too many groups; at most {MAXIMUM_GROUPS} are audited.",
            where=f"groups of `{name}`",
            remedy="cut the column into bands, or audit a coarser one.",
        )


def shapes(groups: Groups, features: Features, *, blocks: int, models: int, scored: bool) -> dict[str, tuple[int, ...]]:
    """The shape of each array of the table by ``features``."""
    outer = (blocks, *(len(groups[name]) for name in features))
    arrays = {"cells": (*outer, 2, 2, models)}
    return arrays | {"outcomes": (*outer, BINS, 2), "scores": (*outer, BINS)} if scored else arrays


def count(rows: Rows, groups: Groups, features: Features) -> Arrays:
    """The arrays of all ``rows`` by ``features``."""
    sizes = tuple(len(groups[name]) for name in features)
    chunks = rows.chunks()
    total = _count_chunk(next(chunks), features, sizes)
    for chunk in chunks:
        for key, array in _count_chunk(chunk, features, sizes).items():
            total[key] += array
    return total


def _count_chunk(rows: Rows, features: Features, sizes: tuple[int, ...]) -> dict[str, IntArray]:
    group = np.zeros(rows.labels.size, dtype=np.int64) if rows.blocks is None else rows.blocks
    for name, size in zip(features, sizes, strict=True):
        group = group * size + rows.codes[name]
    groups = (1 if rows.blocks is None else BLOCKS, *sizes)
    arrays = {"cells": _bincount(group, groups, rows.cells, (2, 2, rows.models))}
    if rows.scores is not None:
        bins = np.minimum((rows.scores * BINS).astype(np.int64), BINS - 1)
        arrays["outcomes"] = _bincount(group, groups, 2 * bins + rows.labels, (BINS, 2))
        arrays["scores"] = _bincount(group, groups, bins, (BINS,), np.rint(rows.scores / SCORE_UNIT))
    return arrays


def _bincount(
    group: IntArray,
    groups: tuple[int, ...],
    entry: IntArray,
    entries: tuple[int, ...],
    weights: FloatArray | None = None,
) -> IntArray:
    """Rows, or sums of whole ``weights``, by group and entry: shape (*groups, *entries)."""
    shape = (*groups, *entries)
    flat = np.bincount(group * prod(entries) + entry, weights=weights, minlength=prod(shape))
    return flat.astype(np.int64, copy=False).reshape(shape)


def marginal(arrays: Arrays, kept: Features, features: Features) -> Arrays:
    """The counts by ``features``, a part of the columns ``kept`` in the same order."""
    others = tuple(1 + k for k, name in enumerate(kept) if name not in features)
    return {key: array.sum(axis=others) for key, array in arrays.items()}


def spread(arrays: Arrays, features: Features, own: Groups, groups: Groups) -> Arrays:
    """The counts by the groups ``own`` in arrays of all ``groups``."""
    places = [_places(own[name], groups[name]) for name in features]
    wider = {}
    for key, array in arrays.items():
        outer, inner = array.shape[:1], array.shape[1 + len(features) :]
        wider[key] = np.zeros((*outer, *(len(groups[name]) for name in features), *inner), dtype=np.int64)
        wider[key][np.ix_(np.arange(*outer), *places, *(np.arange(size) for size in inner))] = array
    return wider


def _places(own: tuple[str, ...], names: tuple[str, ...]) -> IntArray:
    place = {name: k for k, name in enumerate(names)}
    return np.array([place[name] for name in own], dtype=np.int64)
