"""How adding up shards grows: rows, shards, and the engines that map them.

Each row of the table is one process of its own. It adds up evaluation with champion, fairness of three columns and
drift of 29 columns. ``plain`` reads shard after shard without Prefect; all others go through Prefect's task runners,
whose server is started before the clock. More rows than one file holds are the same file again, at later positions.
``start s`` is the engine's own start, ``first s`` its first task, which imports; ``seconds`` comes after both. Below
the table stands what travels once a shard and once a merge.
"""

import argparse
import json
import os
import pickle
import resource
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import pyarrow.parquet as pq

from benchmarks.data import CATEGORICAL, FEATURES, SENSITIVE, table_file
from benchmarks.measure import run
from gatewright.core.checks.profile import Profile
from gatewright.core.checks.profile_build import build_profile
from gatewright.core.checks.profile_sums import ProfileSums, current_sums
from gatewright.core.sharding import Shard
from gatewright.services.batches import Batch
from gatewright.services.file_binary import FileSums, file_sums
from gatewright.services.file_columns import FileColumns
from gatewright.services.shards import plan_files, sum_shard

__all__ = ["add_up", "main"]

COLUMNS = FileColumns(label="label", score="score", champion_score="champion_score", sensitive=tuple(SENSITIVE))
READ = [*COLUMNS.all(), *FEATURES]
WORKERS = os.cpu_count() or 1


@dataclass(frozen=True)
class GateSums:
    """Evaluation and fairness, and drift."""

    checked: FileSums
    drift: ProfileSums

    def __add__(self, other: Self) -> Self:
        return type(self)(self.checked + other.checked, self.drift + other.drift)


def gate_sums(batch: Batch, profile: Profile) -> GateSums:
    """All sums of one batch."""
    return GateSums(file_sums(batch, COLUMNS, "benchmark"), current_sums(batch.rows, profile))


def add_up(rows: int, times: int, shards: int, engine: str) -> dict[str, Any]:
    """Seconds of each step, megabytes of the largest process, and bytes of the sums."""
    path = table_file(rows)
    reference = pq.ParquetFile(path).read_row_group(0, columns=list(FEATURES)).to_pandas()
    profile = build_profile(reference, FEATURES, (*CATEGORICAL, *SENSITIVE))
    build = partial(gate_sums, profile=profile)
    started = time.perf_counter()
    with _adding(engine) as add:
        first = time.perf_counter()
        # The first task of a process pays for imports.
        add(plan_files([path], shards)[:1], build)
        clock, cpu = time.perf_counter(), time.process_time()
        total = add(plan_files([path] * times, shards), build)
        seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    assert total.checked.evaluation.n == rows * times
    own, below = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    merging = time.perf_counter()
    sum([total] * 100, total)
    return {
        "start_seconds": first - started,
        "first_seconds": clock - first,
        "seconds": seconds,
        # Of this process; the workers of Dask and Ray are others.
        "cpu_seconds": cpu_seconds,
        "peak_mb": max(own, below) if engine in ("dask", "ray") else own,
        "merge_ms": (time.perf_counter() - merging) * 10,
        "bytes": _travels(total),
    }


def _travels(total: GateSums) -> dict[str, int]:
    """Bytes as workers send them."""
    parts = {"evaluation": total.checked.evaluation, "fairness": total.checked.fairness, "drift": total.drift}
    sent = {name: pickle.dumps(part, protocol=5) for name, part in parts.items()}
    compressed = zlib.compress(sent["evaluation"], 1)
    return {name: len(part) for name, part in sent.items()} | {"evaluation, compressed": len(compressed)}


@contextmanager
def _adding(engine: str) -> Iterator[Any]:
    if engine == "plain":
        yield _plainly
        return
    from prefect.testing.utilities import prefect_test_harness

    from tasks.shards import sum_shards, task_runner

    with ExitStack() as stack:
        stack.enter_context(prefect_test_harness(server_startup_timeout=120))
        runner = stack.enter_context(task_runner(engine, workers=WORKERS))  # type: ignore[arg-type]
        yield lambda plan, build: sum_shards(plan, READ, build, runner=runner)


def _plainly(plan: tuple[Shard, ...], build: Any) -> GateSums:
    total: GateSums = sum_shard(plan[0], READ, build)
    for shard in plan[1:]:
        total += sum_shard(shard, READ, build)
    return total


def main() -> None:
    """Print the table: seconds, rows a second, the ratio to ``plain``, memory, and what is merged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the file")
    parser.add_argument("--times", type=int, default=1, help="how often the file is read")
    parser.add_argument("--shards", type=int, nargs="+", default=[8])
    parser.add_argument("--engines", nargs="+", default=["plain", "local", "dask", "ray"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    table_file(given.rows)
    cases = [(engine, shards) for shards in given.shards for engine in given.engines]
    table = [_case(given.rows, given.times, shards, engine) for engine, shards in cases]
    if given.json:
        print(json.dumps(table))
        return
    print(f"{given.rows * given.times:,} rows, {WORKERS} processors")
    print("engine  shards  start s  first s  seconds  CPU seconds  million rows/s  against plain  peak MB  merge ms")
    for one in table:
        speed, ratio = given.rows * given.times / one["seconds"] / 1e6, table[0]["seconds"] / one["seconds"]
        head = f"{one['engine']:6}  {one['shards']:6}  {one['start_seconds']:7.1f}  {one['first_seconds']:7.1f}"
        middle = f"{one['seconds']:7.1f}  {one['cpu_seconds']:11.1f}  {speed:14.2f}  {ratio:12.2f}x"
        print(f"{head}  {middle}  {one['peak_mb']:7.0f}  {one['merge_ms']:8.2f}")
    print(", ".join(f"{name} {size / 1e6:.3f} MB" for name, size in table[0]["bytes"].items()))


def _case(rows: int, times: int, shards: int, engine: str) -> dict[str, Any]:
    done = run("benchmarks.shards:add_up", rows=rows, times=times, shards=shards, engine=engine)
    return {"engine": engine, "shards": shards, **done.result}


if __name__ == "__main__":
    main()
