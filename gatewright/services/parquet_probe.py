"""Decode a Parquet file nobody vouches for, in a process of its own with a memory limit.

A footer may lie: two megabytes can decode to twenty gigabytes. So the rows and bytes that count are those
of a full decode, and that decode runs where it can only hurt itself.
"""

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gatewright.core.errors import DataError

__all__ = ["Caps", "Probe", "probe_parquet"]

BATCH_ROWS = 4096
# pyarrow maps several hundred megabytes before it has read anything.
PROCESS_BYTES = 1 << 30


@dataclass(frozen=True)
class Caps:
    """Largest accepted file: ``file_bytes`` as stored, ``decoded_bytes`` in memory, ``rows``, ``seconds`` to decode."""

    file_bytes: int = 1 << 30
    decoded_bytes: int = 2 << 30
    rows: int = 10_000_000
    seconds: float = 300


@dataclass(frozen=True)
class Probe:
    """What a full decode found."""

    rows: int
    decoded_bytes: int


def probe_parquet(body: bytes, caps: Caps, *, where: str) -> Probe:
    """Decode all of ``body`` in a child process and count.

    Raises DataError when it is not readable Parquet or exceeds ``caps``; ``where`` names the file.
    """
    command = [sys.executable, "-m", "gatewright.services.parquet_probe", str(caps.rows), str(caps.decoded_bytes)]
    try:
        child = subprocess.run(command, input=body, capture_output=True, timeout=caps.seconds, check=False)
    except subprocess.TimeoutExpired:
        raise _refused(f"decoding took longer than {caps.seconds:g} s", where) from None
    if child.returncode:
        # A decoder that aborts for want of memory leaves no message, only a signal.
        raise _refused(f"decoding ended with exit code {child.returncode} (memory limit or damaged pages)", where)
    answer = json.loads(child.stdout)
    if "problem" in answer:
        raise _refused(answer["problem"], where)
    return Probe(rows=answer["rows"], decoded_bytes=answer["decoded_bytes"])


def _refused(problem: str, where: str) -> DataError:
    return DataError(
        f"not a usable Parquet file: {problem}.",
        where=where,
        remedy="deliver the file again, whole, as Parquet, within the limits of rows and bytes.",
    )


def _decode(body: bytes, caps: Caps) -> dict[str, Any]:
    rows = decoded = 0
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
        for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
            batch.validate(full=True)
            rows, decoded = rows + batch.num_rows, decoded + batch.nbytes
            if rows > caps.rows:
                return {"problem": f"it has more than {caps.rows} rows"}
            if decoded > caps.decoded_bytes:
                return {"problem": f"it decodes to more than {caps.decoded_bytes} bytes"}
    except MemoryError:
        return {"problem": f"a part of it decodes to more than {caps.decoded_bytes} bytes"}
    except (pa.ArrowException, OSError) as error:
        return {"problem": " ".join(str(error).split()).rstrip(".")}
    return {"rows": rows, "decoded_bytes": decoded}


def _main() -> None:
    caps = Caps(rows=int(sys.argv[1]), decoded_bytes=int(sys.argv[2]))
    body = sys.stdin.buffer.read()
    pa.set_memory_pool(pa.system_memory_pool())
    limit = len(body) + caps.decoded_bytes + PROCESS_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    print(json.dumps(_decode(body, caps)))


if __name__ == "__main__":
    _main()
