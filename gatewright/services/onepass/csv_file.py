"""A CSV file as Parquet, in one streaming conversion, with the types that pandas would find."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from gatewright.core.errors import DataError

__all__ = ["to_parquet"]

FIRST_LOOK = 1 << 24


def to_parquet(source: Path, target: Path) -> Path:
    """Write ``source`` to ``target`` and give ``target``.

    Empty cells are missing values, in text too; dates stay text, as pandas and Great Expectations read them.
    Types are found in the first 16 MB. A later value of another type widens its column, integers to floats and
    all else to text, and the file is read again. Raises DataError for what is no CSV with a header.
    """
    types: dict[str, pa.DataType] = {}
    try:
        if not source.stat().st_size:
            raise _wrong("the file is empty (0 bytes)", source)
        for _ in range(2 + 2 * len(names := _names(source))):
            wider = _write(source, target, names, types)
            if wider is None:
                return target
            types |= wider
    except (pa.ArrowException, OSError) as error:
        raise _wrong(f"cannot be read as CSV: {error}", source) from error
    raise _wrong("no types fit all rows", source)


def _names(source: Path) -> list[str]:
    with _open(source, {}) as reader:
        return list(reader.schema.names)


def _write(
    source: Path, target: Path, names: list[str], types: dict[str, pa.DataType]
) -> dict[str, pa.DataType] | None:
    """None when all was written, else the wider type of the column that did not fit."""
    with _open(source, types) as reader:
        found = {field.name: field.type for field in reader.schema}
        other = {name: pa.string() for name, type_ in found.items() if pa.types.is_temporal(type_)}
        other |= {name: pa.float64() for name, type_ in found.items() if pa.types.is_null(type_)}
        if other:
            return other
        try:
            with pq.ParquetWriter(target, reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)
        except pa.ArrowInvalid as error:
            wider = _wider(str(error), names, found)
            if wider is None:
                raise
            return wider
    return None


def _open(source: Path, types: dict[str, pa.DataType]) -> pc.CSVStreamingReader:
    return pc.open_csv(
        source,
        read_options=pc.ReadOptions(block_size=FIRST_LOOK),
        convert_options=pc.ConvertOptions(column_types=types, strings_can_be_null=True),
    )


def _wider(message: str, names: list[str], found: dict[str, pa.DataType]) -> dict[str, pa.DataType] | None:
    """For ``In CSV column #3: ...`` the type to read column 3 with."""
    _, marker, rest = message.partition("CSV column #")
    number = rest.partition(":")[0]
    if not marker or not number.isdecimal() or int(number) >= len(names):
        return None
    name = names[int(number)]
    if pa.types.is_string(found[name]):
        return None
    return {name: pa.float64() if pa.types.is_integer(found[name]) else pa.string()}


def _wrong(problem: str, source: Path) -> DataError:
    return DataError(f"{problem}.", where=str(source), remedy="name a readable CSV file with a header.")
