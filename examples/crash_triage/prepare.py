"""Write one Parquet file a year from the table ``nassCDS`` of R's package DAAG.

    Rscript -e 'write.csv(DAAG::nassCDS, "nassCDS.csv", row.names = FALSE)'
    python -m examples.crash_triage.prepare nassCDS.csv examples/crash_triage/data

The same CSV always gives the same bytes: digests of data can be compared between machines.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from gatewright.core.errors import DataError

__all__ = ["SCHEMA", "main", "prepare"]

SCHEMA = pa.schema(
    {
        "dvcat": pa.string(),
        "weight": pa.float64(),
        "dead": pa.string(),
        "airbag": pa.string(),
        "seatbelt": pa.string(),
        "frontal": pa.int64(),
        "sex": pa.string(),
        "ageOFocc": pa.int64(),
        "yearacc": pa.int64(),
        "yearVeh": pa.float64(),
        "abcat": pa.string(),
        "occRole": pa.string(),
        "deploy": pa.int64(),
        "injSeverity": pa.float64(),
        "caseid": pa.string(),
    }
)
MISSING = ["", "NA"]


def prepare(source: Path, target: Path) -> tuple[Path, ...]:
    """Write ``target``/<year>.parquet for each year of ``source`` (CSV, gzip allowed), rows in their order.

    Raises DataError when a column is missing or holds a value of another type.
    """
    table = _read(source)
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for year in sorted(pc.unique(table["yearacc"]).to_pylist()):
        path = target / f"{year}.parquet"
        pq.write_table(table.filter(pc.equal(table["yearacc"], year)), path, compression="zstd")
        written.append(path)
    return tuple(written)


def _read(source: Path) -> pa.Table:
    options = pa_csv.ConvertOptions(
        column_types=SCHEMA, include_columns=SCHEMA.names, null_values=MISSING, strings_can_be_null=True
    )
    try:
        # include_columns also drops the row names R writes by default.
        return pa_csv.read_csv(source, convert_options=options).combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise DataError(
            f"not the table nassCDS: {error}.",
            where=str(source),
            remedy=f"export DAAG::nassCDS as CSV with the columns {', '.join(SCHEMA.names)}.",
        ) from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: ``prepare CSV DIR``."""
    parser = argparse.ArgumentParser(prog="python -m examples.crash_triage.prepare", description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    for path in prepare(options.csv, options.directory):
        print(path)


if __name__ == "__main__":
    main()
