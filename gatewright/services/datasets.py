"""Read a model's data files, check them before anything trusts them, and pin their bytes by digest."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gatewright.core.errors import DataError, IntegrityError, SpecError
from gatewright.core.refs import DatasetFile, DatasetRef
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore
from gatewright.services.dataset_schema import Kinds, check_schema
from gatewright.services.local_files import read_at_most, within
from gatewright.services.parquet_probe import Caps, probe_parquet

__all__ = ["PARQUET", "Datasets"]

PARQUET = "application/vnd.apache.parquet"


class Datasets:
    """The data files of models. ``root`` is the directory of the model's spec.

    Files are read from below ``root`` and the folders ``more``, and from nowhere else.
    """

    def __init__(self, blobs: BlobStore, root: Path, caps: Caps | None = None, *, more: Sequence[Path] = ()) -> None:
        self._blobs = blobs
        self._root = root
        self._folders = (root, *more)
        self._caps = caps or Caps()

    def pin(self, spec: ModelSpec, periods: Sequence[str], *, name: str) -> DatasetRef:
        """Check the file of each period, store its bytes, and name them by digest; files in order of ``periods``.

        Raises SpecError for an unknown period or an address that may not be read, DataError for a file that
        is missing, empty, unreadable, too large, without rows, or without the columns and types of ``spec``.
        """
        _check_periods(spec, periods)
        files: list[DatasetFile] = []
        kinds: Kinds = {}
        for period in periods:
            uri = spec.data.path.replace("{period}", period)
            path = within(self._local(uri), self._folders)
            body = self._read(path)
            probe = probe_parquet(body, self._caps, where=str(path))
            if probe.rows == 0:
                raise DataError("the file has no rows.", where=str(path), remedy="deliver the data again.")
            kinds = check_schema(pq.read_schema(pa.BufferReader(body)), spec, kinds, where=str(path))
            artifact = self._blobs.put(body, PARQUET)
            files.append(DatasetFile(uri=uri, period=period, rows=probe.rows, artifact=artifact))
        return DatasetRef(name=name, files=tuple(files))

    def load(self, ref: DatasetRef, columns: Sequence[str]) -> pd.DataFrame:
        """All rows of the pinned files in their order, with ``columns`` in theirs, read from the blob store.

        Raises DataError for a column that is not there, IntegrityError for bytes that are not the pinned ones.
        """
        whole: pd.DataFrame = pd.concat(list(self.parts(ref, columns)), ignore_index=True)
        return whole

    def parts(
        self, ref: DatasetRef, columns: Sequence[str], *, held: Sequence[tuple[DatasetRef, pd.DataFrame]] = ()
    ) -> Iterator[pd.DataFrame]:
        """As `load`, one file after the other, each read when it is asked for.

        Files that one of ``held`` has, by their digest, are not read again: datasets that were loaded with at least
        ``columns``.
        """
        if not ref.files:
            raise DataError("the dataset has no files.", where=ref.name, remedy="pin at least one period.")
        known = _by_digest(held)
        for file in ref.files:
            frame = known.get(file.artifact.sha256)
            yield self._table(file, columns).to_pandas() if frame is None else frame[list(columns)]

    def _local(self, uri: str) -> Path:
        if "://" not in uri:
            return self._root / uri
        address = urlsplit(uri)
        if address.scheme != "file" or address.netloc not in ("", "localhost"):
            raise SpecError(
                f"cannot read data from `{address.scheme}://{address.netloc}`.",
                where=uri,
                remedy="use a path relative to the spec, an absolute path, or file:///path.",
            )
        return Path(url2pathname(address.path))

    def _read(self, path: Path) -> bytes:
        body = read_at_most(path, self._caps.file_bytes)
        if not body:
            raise DataError("the file is empty (0 bytes).", where=str(path), remedy="deliver the data again.")
        if len(body) > self._caps.file_bytes:
            raise DataError(
                f"the file is larger than {self._caps.file_bytes} bytes.",
                where=str(path),
                remedy="split it into several periods.",
            )
        return body

    def _table(self, file: DatasetFile, columns: Sequence[str]) -> pa.Table:
        body = self._blobs.get(file.artifact)
        try:
            schema = pq.read_schema(pa.BufferReader(body))
            _check_columns(columns, schema.names, file.uri)
            table = pq.read_table(pa.BufferReader(body), columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"the pinned bytes are not readable Parquet: {error}.", where=file.uri, remedy="pin it again."
            ) from error
        if table.num_rows != file.rows:
            raise IntegrityError(
                f"the file has {table.num_rows} rows, its reference says {file.rows}.",
                where=f"{file.uri} ({file.artifact.sha256})",
                remedy="do not use this reference; pin the dataset again and compare.",
            )
        return pa.table({name: _plain(table[name]) for name in columns})


def _by_digest(held: Sequence[tuple[DatasetRef, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """The rows of each file, as it stands in its loaded dataset."""
    found: dict[str, pd.DataFrame] = {}
    for ref, frame in held:
        ends = accumulate(file.rows for file in ref.files)
        found |= {
            file.artifact.sha256: frame.iloc[end - file.rows : end] for file, end in zip(ref.files, ends, strict=True)
        }
    return found


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # Files of one dataset may have different dictionaries; plain values concatenate without surprise.
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _check_periods(spec: ModelSpec, periods: Sequence[str]) -> None:
    for period in periods:
        if period not in spec.data.periods:
            nearest = difflib.get_close_matches(period, spec.data.periods, n=1, cutoff=0.5)
            hint = f"did you mean `{nearest[0]}`? " if nearest else ""
            raise SpecError(
                f"the period `{period}` is not known.",
                where=f"model {spec.name}, data.periods",
                remedy=f"{hint}There are: {', '.join(spec.data.periods)}.",
            )
    if not periods or len(set(periods)) != len(periods):
        raise SpecError(
            "a dataset needs at least one period, and each only once.",
            where=f"model {spec.name}: {', '.join(periods) or 'no period'}",
            remedy="the first period has none before it to train on; start with the second.",
        )


def _check_columns(wanted: Sequence[str], present: Sequence[str], where: str) -> None:
    for name in wanted:
        if name not in present:
            raise DataError(
                f"the column `{name}` is missing.",
                where=where,
                remedy=f"the file has: {', '.join(present)}.",
            )
