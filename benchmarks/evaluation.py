"""Evaluation with intervals, against the bootstrap that everybody writes: scikit-learn's metrics on resampled rows.

``.venv/bin/python -m benchmarks.evaluation [--rows N ...] [--resamples B] [--json]``. Both sides start from the
label and two models' scores in memory. The naive side runs ``--resamples`` of its 1,000 resamples and is scaled up,
because all of them take hours; ours runs whole, with 21 metrics and 20 changes where the naive side has 7 and 7.
"""

import argparse
import json
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.data import table_file
from benchmarks.measure import run

__all__ = ["block_statistics", "compare", "from_file", "main", "naive_bootstrap"]

COLUMNS = ["label", "score", "champion_score"]
REPLICATES = 1000
NAIVE_UP_TO = 1_000_000
THRESHOLD = 0.3


def _columns(rows: int) -> list[np.ndarray]:
    table = pq.read_table(table_file(rows), columns=COLUMNS)
    return [table[name].to_numpy() for name in COLUMNS]


def naive_bootstrap(rows: int, resamples: int) -> dict[str, Any]:
    """Seven metrics of two models on ``resamples`` resamples; ``seconds`` without reading and imports."""
    from time import perf_counter, process_time

    from sklearn import metrics as sk

    labels, *models = _columns(rows)
    rng, changes = np.random.default_rng(0), []
    clock, cpu = perf_counter(), process_time()
    for _ in range(resamples):
        picked = rng.integers(0, rows, rows)
        truth, found = labels[picked], []
        for scores in models:
            drawn = scores[picked]
            decided = drawn >= THRESHOLD
            found.append(
                [
                    sk.roc_auc_score(truth, drawn),
                    sk.average_precision_score(truth, drawn),
                    sk.log_loss(truth, drawn),
                    sk.brier_score_loss(truth, drawn),
                    sk.precision_score(truth, decided),
                    sk.recall_score(truth, decided),
                    sk.f1_score(truth, decided),
                ]
            )
        changes.append(np.subtract(*found))
    return {"seconds": perf_counter() - clock, "cpu_seconds": process_time() - cpu, "resamples": resamples}


def block_statistics(rows: int) -> dict[str, Any]:
    """All metrics and changes with intervals; ``seconds`` without reading and imports."""
    from time import perf_counter, process_time

    from gatewright.core.checks.evaluation import measure_evaluation

    labels, scores, champion = _columns(rows)
    clock, cpu = perf_counter(), process_time()
    found = measure_evaluation(labels, scores, champion_scores=champion, threshold=THRESHOLD, confidence=0.95)
    return {"seconds": perf_counter() - clock, "cpu_seconds": process_time() - cpu, "measurements": len(found)}


def from_file(rows: int) -> dict[str, Any]:
    """The same from the Parquet file in batches, as the command does: time with reading, in constant memory."""
    from gatewright.core.checks.evaluation import evaluation_sums, measure_evaluation_sums
    from gatewright.services.batches import DataFile

    sums = None
    for batch in DataFile(table_file(rows)).batches(COLUMNS):
        labels, scores, champion = (batch.rows.column(name).to_numpy() for name in COLUMNS)
        part = evaluation_sums(labels, scores, champion_scores=champion, threshold=THRESHOLD, start=batch.start)
        sums = part if sums is None else sums + part
    assert sums is not None
    return {"measurements": len(measure_evaluation_sums(sums, confidence=0.95))}


def compare(rows: int, resamples: int) -> dict[str, Any]:
    """Both sides on ``rows`` rows; without the naive one above ``NAIVE_UP_TO``, where it takes hours."""
    table_file(rows)
    ours, streamed = (
        run("benchmarks.evaluation:block_statistics", rows=rows),
        run("benchmarks.evaluation:from_file", rows=rows),
    )
    found: dict[str, Any] = {
        "rows": rows,
        "seconds": ours.result["seconds"],
        "cpu_seconds": ours.result["cpu_seconds"],
        "from_file_seconds": streamed.seconds,
        "from_file_peak_mb": streamed.peak_mb,
    }
    if rows <= NAIVE_UP_TO:
        side = run("benchmarks.evaluation:naive_bootstrap", rows=rows, resamples=resamples)
        naive = side.result
        scale = REPLICATES / resamples
        found["naive_peak_mb"] = side.peak_mb
        found["naive_seconds_scaled"] = naive["seconds"] * scale
        found["ratio"] = naive["seconds"] * scale / ours.result["seconds"]
        found["cpu_ratio"] = naive["cpu_seconds"] * scale / ours.result["cpu_seconds"]
    return found


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--resamples", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = [compare(rows, given.resamples) for rows in given.rows]
    if given.json:
        print(json.dumps(found))
        return
    print(f"Naive bootstrap: {given.resamples} of {REPLICATES} resamples run, its time scaled to {REPLICATES}.")
    print(f"{'rows':>11} {'naive s':>10} {'ours s':>8} {'ratio':>7} {'CPU ratio':>9} {'file s':>8} {'peak MB':>8}")
    for row in found:
        naive, ratio, cpu = (row.get(key, float("nan")) for key in ("naive_seconds_scaled", "ratio", "cpu_ratio"))
        print(
            f"{row['rows']:>11,} {naive:>10.0f} {row['seconds']:>8.2f} {ratio:>7.0f} {cpu:>9.0f}"
            f" {row['from_file_seconds']:>8.2f} {row['from_file_peak_mb']:>8.0f}"
        )


if __name__ == "__main__":
    main()
