"""The table every benchmark reads: 30 columns, a label, the scores of two models; the same bytes on every machine.

Columns: ``n0``..``n13`` floats (``n12`` heavy-tailed, ``n13`` with 5 % nulls), ``i0``..``i5`` integers (``i5`` a flag),
``c0``..``c5`` text of 2 to 200 categories, ``day`` a date, ``sex``, ``age_band``, ``region`` (sensitive), then
``label``, ``score``, ``champion_score``, ``cluster``.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["CATEGORICAL", "FEATURES", "NUMERIC", "SENSITIVE", "table_file"]

CHUNK = 1 << 17
NUMERIC = tuple([f"n{k}" for k in range(14)] + [f"i{k}" for k in range(6)])
CATEGORIES = {"c0": 2, "c1": 5, "c2": 12, "c3": 50, "c4": 100, "c5": 200}
CATEGORICAL = tuple(CATEGORIES)
SENSITIVE = {"sex": ["female", "male"], "age_band": ["16-24", "25-64", "65+"], "region": ["N", "E", "S", "W"]}
FEATURES = (*NUMERIC, *CATEGORICAL, *SENSITIVE)


def table_file(rows: int, *, seed: int = 0, shift: float = 0.0) -> Path:
    """Write the table once (under ``$GATEWRIGHT_BENCH_DIR`` or ``/tmp/gatewright-bench``) and give its path.

    ``shift`` moves the numbers by that many standard deviations: current data for drift.
    """
    folder = Path(os.environ.get("GATEWRIGHT_BENCH_DIR", "/tmp/gatewright-bench"))
    path = folder / f"table-{rows}-{seed}-{shift:g}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        chunks = _chunks(rows, seed, shift)
        first = next(chunks)
        with pq.ParquetWriter(unfinished, first.schema) as writer:
            writer.write_table(first)
            for chunk in chunks:
                writer.write_table(chunk)
        unfinished.rename(path)
    return path


def _chunks(rows: int, seed: int, shift: float) -> Iterator[pa.Table]:
    for number, start in enumerate(range(0, rows, CHUNK)):
        yield _chunk(np.random.default_rng([seed, number]), start, min(CHUNK, rows - start), shift)


def _chunk(rng: np.random.Generator, start: int, rows: int, shift: float) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    normal = rng.normal(shift, 1, (13, rows))
    for k in range(12):
        columns[f"n{k}"] = pa.array(normal[k])
    columns["n12"] = pa.array(np.exp(normal[12]))
    columns["n13"] = pa.array(rng.normal(shift, 1, rows), mask=rng.random(rows) < 0.05)
    for k in range(5):
        columns[f"i{k}"] = pa.array(rng.integers(0, 10 ** (k + 1), rows))
    columns["i5"] = pa.array(rng.integers(0, 2, rows))
    for name, size in CATEGORIES.items():
        columns[name] = _category(rng, [f"{name}-{k:03}" for k in range(size)], rows)
    columns["day"] = pa.array(np.datetime64("2026-01-01") + rng.integers(0, 365, rows))
    for name, values in SENSITIVE.items():
        columns[name] = _category(rng, values, rows)
    return pa.table(columns | _outcome(rng, normal, start, rows))


def _category(rng: np.random.Generator, names: list[str], rows: int) -> pa.Array:
    weights = 1.0 / np.arange(1, len(names) + 1)
    codes = rng.choice(len(names), rows, p=weights / weights.sum())
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(names)).cast(pa.string())


def _outcome(rng: np.random.Generator, normal: np.ndarray, start: int, rows: int) -> dict[str, pa.Array]:
    """A calibrated candidate that sees three of the causes, a champion that sees two."""
    logit = -2.0 + normal[0] + 0.7 * normal[1] + 0.4 * normal[2]
    label = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    champion = 1 / (1 + np.exp(-(logit - 0.4 * normal[2])))
    return {
        "label": pa.array(label),
        "score": pa.array(1 / (1 + np.exp(-logit))),
        "champion_score": pa.array(champion),
        "cluster": pa.array((start + np.arange(rows)) // 3),
    }
