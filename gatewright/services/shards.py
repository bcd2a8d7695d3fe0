"""Read one shard of a Parquet dataset in batches, and add it up."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from gatewright.core.errors import DataError
from gatewright.core.sharding import FileGroups, Shard, plan_shards
from gatewright.services.batches import BATCH_ROWS, Batch

__all__ = ["Mergeable", "plan_files", "read_shard", "sum_shard"]


class Mergeable(Protocol):
    """Sums of rows; adding is associative and commutative to the byte."""

    def __add__(self, other: Self, /) -> Self: ...


S = TypeVar("S", bound=Mergeable)


def plan_files(paths: Sequence[Path], shards: int) -> tuple[Shard, ...]:
    """A plan over the row groups of ``paths``, one dataset in their order; only footers are read.

    Raises DataError for a file that is no Parquet, and when there are no rows at all.
    """
    plan = plan_shards([FileGroups(str(path), _group_rows(path)) for path in paths], shards)
    if not sum(shard.rows for shard in plan):
        where = ", ".join(str(path) for path in paths)
        raise DataError("there are no rows.", where=where or "no files", remedy="deliver the data again.")
    return plan


def read_shard(shard: Shard, columns: Sequence[str]) -> Iterator[Batch]:
    """The rows of ``shard`` with ``columns`` (each once), each batch with its position in the whole dataset.

    Raises DataError for bytes that are no Parquet, for a missing column, and for rows that are not those of the
    plan: a file that was replaced after planning must not be added up.
    """
    wanted = list(dict.fromkeys(columns))
    start = shard.start_row
    try:
        with pq.ParquetFile(shard.file, pre_buffer=False) as file:
            _require(file.schema_arrow, wanted, shard)
            groups = list(range(shard.first_group, shard.last_group + 1))
            _as_planned(sum(_rows_of(file.metadata, groups)), shard)
            for rows in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=wanted):
                yield Batch(start, rows)
                start += rows.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(shard.file, error) from error
    _as_planned(start - shard.start_row, shard)


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


def _group_rows(path: Path) -> tuple[int, ...]:
    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(str(path), error) from error
    return tuple(_rows_of(metadata, range(metadata.num_row_groups)))


def _rows_of(metadata: pq.FileMetaData, groups: Sequence[int]) -> list[int]:
    return [metadata.row_group(group).num_rows for group in groups if group < metadata.num_row_groups]


def _require(schema: pa.Schema, columns: Sequence[str], shard: Shard) -> None:
    for name in columns:
        if name not in schema.names:
            has = ", ".join(schema.names)
            raise DataError(f"the column `{name}` is missing.", where=shard.file, remedy=f"the file has: {has}.")


def _as_planned(rows: int, shard: Shard) -> None:
    if rows != shard.rows:
        raise DataError(
            f"row groups {shard.first_group} to {shard.last_group} have {rows} rows, the plan says {shard.rows}.",
            where=shard.file,
            remedy="the file changed after it was planned; plan again over pinned files.",
        )


def _unreadable(file: str, error: Exception) -> DataError:
    return DataError(f"cannot be read as Parquet: {error}.", where=file, remedy="name a readable Parquet file.")
