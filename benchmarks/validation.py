"""Validation of one Parquet file: the one pass against stock Great Expectations on pandas, reading included.

``python -m benchmarks.validation [--rows N] [--json]``. Each side runs in a process of its own. Imports are not
timed. ``decode`` is the limit: all columns, by row group, with the threads that the pass has.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.data import table_file
from benchmarks.measure import Run, run
from benchmarks.suite import COLUMNS, suite_document

__all__ = ["compare", "decode", "main", "one_pass", "stock"]

BATCH_ROWS = 1 << 17
# Great Expectations imports much when it first runs; a run on so few rows does that before the clock starts.
WARM_ROWS = 1000


def decode(rows: int) -> int:
    """Decode every column of the suite and look at nothing."""
    with pq.ParquetFile(table_file(rows)) as file:
        return sum(batch.num_rows for batch in file.iter_batches(BATCH_ROWS, columns=list(COLUMNS)))


def one_pass(rows: int) -> dict[str, Any]:
    """The suite through the streaming engine, from the file to the JSON result."""
    from gatewright.services.expectations import run_suite_on_files

    path, suite = table_file(rows), _suite()
    run_suite_on_files([table_file(WARM_ROWS)], suite, {}, columns=COLUMNS)
    start, cpu = time.perf_counter(), time.process_time()
    found = run_suite_on_files([path], suite, {}, columns=COLUMNS)
    return _verdict(found.outcome, start, cpu) | {"outside": found.outside, "read_again": found.read_again}


def stock(rows: int) -> dict[str, Any]:
    """The suite through Great Expectations on a frame."""
    import pandas as pd

    from gatewright.services.expectations import run_suite_on_frame

    path, suite = table_file(rows), _suite()
    run_suite_on_frame(pd.read_parquet(table_file(WARM_ROWS), columns=list(COLUMNS)), suite, {})
    start, cpu = time.perf_counter(), time.process_time()
    outcome = run_suite_on_frame(pd.read_parquet(path, columns=list(COLUMNS)), suite, {})
    return _verdict(outcome, start, cpu)


def compare(rows: int) -> dict[str, Any]:
    """Both sides and the decoding limit, one after the other; the data are written first."""
    table_file(rows)
    table_file(WARM_ROWS)
    sides = {name: run(f"benchmarks.validation:{name}", rows=rows) for name in ("decode", "one_pass", "stock")}
    ours, theirs = sides["one_pass"].result, sides["stock"].result
    if ours["success"] != theirs["success"] or ours["failed"] != theirs["failed"]:
        raise RuntimeError(f"the two disagree: {ours} and {theirs}")
    return {
        "rows": rows,
        "decode": _times(sides["decode"]),
        "one_pass": _times(sides["one_pass"], ours),
        "stock": _times(sides["stock"], theirs),
        "stock / one pass": theirs["seconds"] / ours["seconds"],
        "stock / one pass, CPU": theirs["cpu_seconds"] / ours["cpu_seconds"],
        "one pass / decode": ours["seconds"] / sides["decode"].seconds,
        "one pass / decode, CPU": ours["cpu_seconds"] / sides["decode"].cpu_seconds,
        "outside": ours["outside"],
        "read_again": ours["read_again"],
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the comparison as a table, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found = compare(given.rows)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['rows']:,} rows, {len(COLUMNS)} columns, 45 expectations")
    for side in ("decode", "one_pass", "stock"):
        times = found[side]
        print(f"  {side:<9} {times['seconds']:8.2f} s {times['cpu']:8.2f} CPU s {times['peak_mb']:8.0f} MB")
    for ratio in ("stock / one pass", "one pass / decode"):
        print(f"  {ratio}: {found[ratio]:.1f} ({found[f'{ratio}, CPU']:.1f} of CPU time)")
    print("  the one pass decodes in a second thread; pandas reads with all threads and computes in one")
    print(f"  computed outside the pass: {', '.join(found['outside']) or 'nothing'}")
    print(f"  columns read again: {', '.join(found['read_again']) or 'none'}")


def _suite() -> Path:
    path = Path(tempfile.gettempdir()) / "gatewright-benchmark-suite.json"
    path.write_text(json.dumps(suite_document()), encoding="utf-8")
    return path


def _verdict(outcome: Any, start: float, cpu: float) -> dict[str, Any]:
    document = outcome.to_json_dict()
    failed = sorted(one["expectation_config"]["type"] for one in document["results"] if not one["success"])
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    return {"success": document["success"], "failed": failed, "seconds": seconds, "cpu_seconds": used}


def _times(side: Run, inner: dict[str, Any] | None = None) -> dict[str, float]:
    seconds, cpu = (inner["seconds"], inner["cpu_seconds"]) if inner else (side.seconds, side.cpu_seconds)
    return {"seconds": seconds, "cpu": cpu, "peak_mb": side.peak_mb}


if __name__ == "__main__":
    main()
