"""Read one shard of a Parquet dataset in batches, and add it up."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self, TypeVar

from gatewright.core.errors import DataError
from gatewright.core.sharding import FileGroups, Shard, plan_shards
from gatewright.services.batches import Batch, DataFile

__all__ = ["Mergeable", "plan_files", "read_shard", "sum_shard"]


class Mergeable(Protocol):
    """Sums of rows; adding is associative and commutative to the byte."""

    def __add__(self, other: Self, /) -> Self: ...


S = TypeVar("S", bound=Mergeable)


def plan_files(paths: Sequence[Path], shards: int) -> tuple[Shard, ...]:
    """A plan over the row groups of ``paths``, one dataset in their order; only footers are read.

    Raises DataError for a file that is no Parquet, and when there are no rows at all.
    """
    plan = plan_shards([FileGroups(str(path), DataFile(path).group_rows()) for path in paths], shards)
    if not sum(shard.rows for shard in plan):
        where = ", ".join(str(path) for path in paths)
        raise DataError("there are no rows.", where=where or "no files", remedy="deliver the data again.")
    return plan


def read_shard(shard: Shard, columns: Sequence[str]) -> Iterator[Batch]:
    """The rows of ``shard`` with ``columns`` (each once), each batch with its position in the whole dataset.

    Raises DataError for bytes that are no Parquet, for a missing column, and for rows that are not those of the
    plan: a file that was replaced after planning must not be added up.
    """
    file, groups = DataFile(Path(shard.file)), range(shard.first_group, shard.last_group + 1)
    _as_planned(sum(file.group_rows()[shard.first_group : shard.last_group + 1]), shard)
    rows = 0
    for batch in file.batches(columns, groups=groups, start=shard.start_row):
        yield batch
        rows += batch.rows.num_rows
    _as_planned(rows, shard)


def sum_shard(shard: Shard, columns: Sequence[str], build: Callable[[Batch], S]) -> S:
    """The sum of what ``build`` makes of each batch; memory does not grow with the rows.

    Raises DataError as `read_shard` does, and for a shard without rows.
    """
    total: S | None = None
    for batch in read_shard(shard, columns):
        part = build(batch)
        total = part if total is None else total + part
    if total is None:
        raise DataError("the shard has no rows.", where=shard.file, remedy="plan again over the files as they are.")
    return total


def _as_planned(rows: int, shard: Shard) -> None:
    if rows != shard.rows:
        raise DataError(
            f"row groups {shard.first_group} to {shard.last_group} have {rows} rows, the plan says {shard.rows}.",
            where=shard.file,
            remedy="the file changed after it was planned; plan again over pinned files.",
        )
