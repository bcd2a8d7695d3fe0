"""Cut Parquet files into ranges of row groups of nearly equal size, each known by the position of its first row.

The sums of shards add up to the same bytes whatever the plan, because every row keeps its position in the whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

__all__ = ["FileGroups", "Shard", "plan_shards"]


@dataclass(frozen=True)
class FileGroups:
    """A file and the rows of each of its row groups, as its footer states them."""

    file: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Shard:
    """Row groups ``first_group`` to ``last_group`` (both included) of ``file``.

    ``start_row`` is the position of its first row in the whole dataset, ``rows`` their number.
    """

    file: str
    first_group: int
    last_group: int
    start_row: int
    rows: int


def plan_shards(files: Sequence[FileGroups], shards: int) -> tuple[Shard, ...]:
    """About ``shards`` shards that hold every row group once, in order.

    A row group is never cut and a shard never leaves its file, so there can be fewer (few row groups) or more (one
    a file at least). None is larger than its even share and one row group. Raises ValueError when ``shards`` is
    not positive.
    """
    if shards < 1:
        raise ValueError("at least one shard is needed")
    total = sum(sum(file.rows) for file in files)
    placed = _placed(files, shards, max(total, 1))
    return tuple(_shard(list(groups)) for _, groups in groupby(placed, key=lambda group: group[0]))


_Placed = tuple[tuple[int, int], str, int, int, int]


def _placed(files: Sequence[FileGroups], shards: int, total: int) -> Iterator[_Placed]:
    """Each row group with its file and shard, by where its first row lies; then file, number, position, rows."""
    start = 0
    for index, file in enumerate(files):
        for number, rows in enumerate(file.rows):
            # Groups without rows at the very end stay in the last shard.
            shard = min(start * shards // total, shards - 1)
            yield (index, shard), file.file, number, start, rows
            start += rows


def _shard(groups: list[_Placed]) -> Shard:
    _, file, first, start, _ = groups[0]
    return Shard(file, first, groups[-1][2], start, sum(group[4] for group in groups))
