"""Parquet files of one dataset as one table, read in blocks of rows that do not depend on how they were written."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gatewright.core.errors import DataError
from gatewright.services.ahead import ahead
from gatewright.services.freed_memory import give_back_freed_memory
from gatewright.services.onepass.block import Block
from gatewright.services.onepass.dictionary import Dictionary
from gatewright.services.onepass.kinds import Column, Kind, column_of

__all__ = ["ParquetTable"]

TAKE_ROWS = 1 << 14

# Great Expectations' own functions cost the same for a block of any size.
BLOCK_ROWS = 1 << 17


class ParquetTable:
    """The rows of ``paths`` in their order, in blocks of ``block_rows``, whatever the row groups are."""

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        columns: Sequence[str] | None = None,
        plain: bool = False,
        block_rows: int = BLOCK_ROWS,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """``plain`` shows categories as their values and forgets what pandas wrote about its own types.

        ``progress`` is told after each block how many rows have been read.

        Raises DataError for a file that is no Parquet, for files that do not fit together, for a table without
        rows, and for one of ``columns`` that is not there.
        """
        give_back_freed_memory()
        self.paths = tuple(paths)
        self.block_rows = block_rows
        self._progress = progress or (lambda rows: None)
        self.where = ", ".join(str(path) for path in self.paths)
        try:
            self._metadata = [pq.read_metadata(path) for path in self.paths]
            schemas = [metadata.schema.to_arrow_schema() for metadata in self._metadata]
            self.schema = self._one_schema(schemas, plain or len(schemas) > 1, columns)
            self.rows = sum(metadata.num_rows for metadata in self._metadata)
            self.columns = self._columns()
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        if not self.rows:
            raise self._error("there are no rows to validate.", "deliver the data again.")

    @property
    def names(self) -> list[str]:
        """The columns in the files' order, or in the order that was asked for."""
        return list(self.schema.names)

    @property
    def blocks_needed(self) -> int:
        """How many blocks the table has."""
        return -(-int(self.rows) // self.block_rows)

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """All rows with the columns ``names``; the next block is decoded while this one is looked at."""
        start = 0
        dictionaries = {name: Dictionary(self.columns[name]) for name in names}
        for rows in ahead(self._aligned(list(names))):
            for name in names:
                self._hold_to_promise(name, rows[name])
            yield Block(rows, self.columns, range(start, start + rows.num_rows), dictionaries)
            start += rows.num_rows
            self._progress(start)
        if start != self.rows:
            raise self._error(f"the files hold {start} rows, their footers say {self.rows}.", "deliver the data again.")

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """All rows of the columns ``names`` in memory."""
        index = pd.RangeIndex(self.rows)
        return pd.DataFrame({name: self._whole(name).set_axis(index) for name in names}, index=index)

    def take(self, positions: Sequence[int]) -> pd.DataFrame:
        """The rows at ``positions`` with all columns, in the order of ``positions``, indexed by them."""
        wanted = np.unique(np.asarray(positions, dtype=np.int64))
        found = [part for part in self._parts_with(wanted) if len(part)]
        if not found:
            return pd.DataFrame(columns=self.names)
        whole = pa.concat_tables([pa.Table.from_batches([self._cast(part)]) for part in found]).combine_chunks()
        row = {position: n for n, position in enumerate(wanted.tolist())}
        batch = whole.take(pa.array([row[position] for position in positions])).combine_chunks()
        index = pd.Index(list(positions))
        return pd.DataFrame(
            {name: self._to_series(name, batch[name]).set_axis(index) for name in self.names}, index=index
        )

    def _parts_with(self, wanted: np.ndarray) -> Iterator[pa.RecordBatch]:
        start = 0
        for path, metadata in zip(self.paths, self._metadata, strict=True):
            with pq.ParquetFile(path, pre_buffer=False) as file:
                for group in range(metadata.num_row_groups):
                    rows = metadata.row_group(group).num_rows
                    inside = wanted[(wanted >= start) & (wanted < start + rows)] - start
                    yield from _taken(file, group, self.names, inside)
                    start += rows

    def _one_schema(self, schemas: list[pa.Schema], plain: bool, columns: Sequence[str] | None) -> pa.Schema:
        for path, schema in zip(self.paths, schemas, strict=True):
            if len(set(schema.names)) != len(schema.names):
                raise self._error("two columns have the same name.", "rename one of them.", path)
            for name in columns or schemas[0].names:
                if name not in schema.names:
                    raise self._error(
                        f"the column `{name}` is missing.", f"the file has: {', '.join(schema.names)}.", path
                    )
        if plain or _has_index_column(schemas[0]):
            schemas = [pa.schema([_plain(field) if plain else field for field in schema]) for schema in schemas]
        whole = pa.unify_schemas(schemas, promote_options="permissive") if len(schemas) > 1 else schemas[0]
        wanted = columns or schemas[0].names
        return pa.schema([whole.field(name) for name in wanted], metadata=whole.metadata)

    def _columns(self) -> dict[str, Column]:
        dtypes = self.schema.empty_table().to_pandas().dtypes
        return {
            field.name: column_of(field, dtypes[field.name], nullable=self._nullable(field)) for field in self.schema
        }

    def _nullable(self, field: pa.Field) -> bool:
        """Whether a value may be missing: by the footers; where they do not say, and it decides a type, by a look."""
        counts = [_footer_nulls(metadata, field.name) for metadata in self._metadata]
        if None not in counts:
            return any(counts)
        if not (pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)):
            return True
        return any(batch[field.name].null_count for batch in self._batches([field.name]))

    def _hold_to_promise(self, name: str, array: pa.Array) -> None:
        if array.null_count and not self.columns[name].nullable:
            raise self._error(
                f"values of `{name}` are missing, and the footer says that none is.", "write the file again."
            )

    def _aligned(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for batch in self._batches(names):
            waiting.append(batch)
            rows += batch.num_rows
            while rows >= self.block_rows:
                whole = _joined(waiting)
                yield whole.slice(0, self.block_rows)
                rows -= self.block_rows
                waiting = [whole.slice(self.block_rows)] if rows else []
        if rows:
            yield _joined(waiting)

    def _batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        try:
            for path in self.paths:
                encoded = [name for name in names if _is_text(self.schema.field(name).type)]
                with pq.ParquetFile(path, read_dictionary=encoded, pre_buffer=False) as file:
                    for batch in file.iter_batches(self.block_rows, columns=names):
                        yield self._cast(batch)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    def _cast(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """With the types of the whole dataset; text and categories may stay dictionaries."""
        names = [name for name in self.names if name in batch.schema.names]
        return pa.RecordBatch.from_arrays([self._cast_array(name, batch[name]) for name in names], names=names)

    def _cast_array(self, name: str, array: pa.Array) -> pa.Array:
        wanted = self.schema.field(name).type
        if array.type == wanted or (pa.types.is_dictionary(array.type) and array.type.value_type == wanted):
            return array
        return array.cast(wanted)

    def _whole(self, name: str) -> pd.Series:
        try:
            parts = [pq.read_table(path, columns=[name])[name] for path in self.paths]
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        arrays = [self._cast_array(name, chunk) for part in parts for chunk in part.chunks]
        return self._to_series(name, pa.chunked_array(arrays, type=arrays[0].type if arrays else None))

    def _to_series(self, name: str, column: pa.ChunkedArray) -> pd.Series:
        known = self.columns[name]
        if known.kind is not Kind.OPAQUE:
            return known.series(_one_array(column))
        field = self.schema.field(name)
        if pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(field.type):
            column = column.cast(field.type)
        # What pandas wrote about its own types decides about these.
        schema = pa.schema([field.with_type(column.type)], metadata=self.schema.metadata)
        shown: pd.Series = pa.table([column], schema=schema).to_pandas()[name]
        return shown

    def _unreadable(self, error: Exception) -> DataError:
        return self._error(f"cannot be read as Parquet: {error}.", "name readable Parquet files of one schema.")

    def _error(self, problem: str, remedy: str, path: Path | None = None) -> DataError:
        return DataError(problem, where=str(path or self.where), remedy=remedy)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    return pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()[0]


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    whole = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _taken(file: Any, group: int, names: list[str], wanted: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The ``wanted`` rows of a row group, decoding in small steps and none beyond the last of them."""
    if not len(wanted):
        return
    start = 0
    for batch in file.iter_batches(TAKE_ROWS, row_groups=[group], columns=names):
        inside = wanted[(wanted >= start) & (wanted < start + batch.num_rows)] - start
        if len(inside):
            yield batch.take(pa.array(inside))
        start += batch.num_rows
        if start > wanted[-1]:
            return


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _plain(field: pa.Field) -> pa.Field:
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def _has_index_column(schema: pa.Schema) -> bool:
    stated = (schema.pandas_metadata or {}).get("index_columns", [])
    return any(isinstance(one, str) for one in stated)


def _footer_nulls(metadata: Any, name: str) -> int | None:
    """Missing values of a column by the footer; None when it does not say."""
    total = 0
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        found = [
            row_group.column(n) for n in range(row_group.num_columns) if row_group.column(n).path_in_schema == name
        ]
        statistics = found[0].statistics if found else None
        if statistics is None or not statistics.has_null_count:
            return None
        total += statistics.null_count
    return total
