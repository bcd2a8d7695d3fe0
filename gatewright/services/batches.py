"""Read a local Parquet or CSV file in batches of bounded size: memory does not grow with its rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from gatewright.core.errors import DataError
from gatewright.services.ahead import ahead
from gatewright.services.freed_memory import give_back_freed_memory

__all__ = ["BATCH_ROWS", "Batch", "DataFile"]

BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class Batch:
    """``start``: the position of the first row in the file. ``rows`` has at most ``BATCH_ROWS`` rows."""

    start: int
    rows: pa.RecordBatch


class DataFile:
    """A Parquet file, or with the suffix ``.csv`` a comma-separated one with a header.

    ``progress`` is told after each batch how many rows have been read.
    """

    progress: Callable[[int], None] | None = None

    def __init__(self, path: Path) -> None:
        """Raises DataError for a file that is missing, empty, or not what its suffix says."""
        give_back_freed_memory()
        self.path = path
        try:
            if not path.stat().st_size:
                raise self._error("the file is empty (0 bytes).", "deliver the data again.")
            self.schema: pa.Schema = self._schema()
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    @property
    def rows(self) -> int | None:
        """The number of rows; None where only reading them would tell."""
        return None if self.is_csv else pq.read_metadata(self.path).num_rows

    @property
    def is_csv(self) -> bool:
        return self.path.suffix.lower() == ".csv"

    def require(self, columns: Sequence[str]) -> None:
        """Raises DataError naming the first of ``columns`` that the file lacks, or has more than once."""
        for name in columns:
            if self.schema.names.count(name) > 1:
                raise self._error(f"two columns have the name `{name}`.", "give every column a name of its own.")
            if name not in self.schema.names:
                raise self._error(f"the column `{name}` is missing.", f"the file has: {', '.join(self.schema.names)}.")

    def group_rows(self) -> tuple[int, ...]:
        """The rows of each row group, as the footer states them. Raises DataError for CSV, which has none."""
        if self.is_csv:
            raise self._error("a CSV file has no row groups.", "write it as Parquet.")
        try:
            metadata = pq.read_metadata(self.path)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        return tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))

    def batches(
        self, columns: Sequence[str], *, groups: Sequence[int] | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """The rows in the file's order, with ``columns`` (each once). Raises DataError as it meets bad bytes.

        ``groups``: only these row groups of a Parquet file; ``start``: the position of the first row.
        """
        wanted = list(dict.fromkeys(columns))
        self.require(wanted)
        try:
            for rows in ahead(self._rows(wanted, groups)):
                yield Batch(start, rows)
                start += rows.num_rows
                if self.progress is not None:
                    self.progress(start)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    def _schema(self) -> pa.Schema:
        if not self.is_csv:
            return pq.read_schema(self.path)
        with pc.open_csv(self.path) as reader:
            return reader.schema

    def _rows(self, columns: list[str], groups: Sequence[int] | None) -> Iterator[pa.RecordBatch]:
        if not self.is_csv:
            # With `pre_buffer` all row groups stay in memory until the last is read.
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                yield from file.iter_batches(BATCH_ROWS, columns=columns, row_groups=groups)
            return
        options = pc.ConvertOptions(include_columns=columns)
        with pc.open_csv(self.path, convert_options=options) as reader:
            for batch in reader:
                for offset in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.slice(offset, BATCH_ROWS)

    def _unreadable(self, error: Exception) -> DataError:
        kind = "CSV" if self.is_csv else "Parquet"
        return self._error(
            f"cannot be read as {kind}: {error}.", "name a readable Parquet file, or a .csv with a header."
        )

    def _error(self, problem: str, remedy: str) -> DataError:
        return DataError(problem, where=str(self.path), remedy=remedy)
