"""The fairness audit beside fairlearn's MetricFrame: the same rates over three sensitive columns and their pairs.

``python -m benchmarks.fairness [--rows N ...] [--json]``. fairlearn gives gaps without intervals; ours come with
intervals, with the table of groups, and in the last line also with the changes to a champion. Imports and reading
the file are not counted on either side.
"""

import argparse
import json
import time
from itertools import combinations
from typing import Any

import pyarrow.parquet as pq

from benchmarks.data import SENSITIVE, table_file
from benchmarks.measure import Run, run

THRESHOLD, CONFIDENCE, SUPPORT = 0.3, 0.95, 30
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "false_negative_rate", "precision", "accuracy")


def with_fairlearn(rows: int) -> dict[str, Any]:
    """Differences and ratios of six rates for each column and pair, from the rows."""
    from fairlearn import metrics as fairlearn
    from sklearn.metrics import accuracy_score, precision_score

    frame = pq.read_table(table_file(rows), columns=["label", "score", *SENSITIVE]).to_pandas()
    decided = (frame.score >= THRESHOLD).astype(int)
    own = {"precision": precision_score, "accuracy": accuracy_score}
    metrics = {name: own.get(name) or getattr(fairlearn, name) for name in RATES}
    started, gaps = time.process_time(), {}
    for slice in slices():
        found = fairlearn.MetricFrame(
            metrics=metrics, y_true=frame.label, y_pred=decided, sensitive_features=frame[list(slice)]
        )
        gaps[" & ".join(slice)] = [*found.difference().to_dict().values(), *found.ratio().to_dict().values()]
    return {"seconds": time.process_time() - started, "gaps": gaps}


def with_gatewright(rows: int, champion: bool = False) -> dict[str, Any]:
    """The whole audit, from the same rows."""
    from gatewright.core.checks.fairness import fairness_sums, group_table, measure_fairness_sums

    table = pq.read_table(table_file(rows), columns=["label", "score", "champion_score", *SENSITIVE])
    labels, ours, theirs = (table[name].to_numpy() for name in ("label", "score", "champion_score"))
    started = time.process_time()
    sums = fairness_sums(
        labels,
        ours >= THRESHOLD,
        {name: table[name] for name in SENSITIVE},
        champion_decisions=theirs >= THRESHOLD if champion else None,
        scores=ours,
    )
    found = measure_fairness_sums(sums, confidence=CONFIDENCE, minimum_support=SUPPORT)
    group_table(sums, confidence=CONFIDENCE)
    seconds = time.process_time() - started
    parity = {m.slice: m.value for m in found if m.metric == "demographic_parity_difference"}
    return {"seconds": seconds, "gaps": parity}


def slices() -> list[tuple[str, ...]]:
    return [columns for size in (1, 2) for columns in combinations(sorted(SENSITIVE), size)]


def measure(rows: int) -> dict[str, Any]:
    """One line of the table; raises ValueError when the two sides do not agree."""
    peer = run("benchmarks.fairness:with_fairlearn", rows=rows)
    ours = run("benchmarks.fairness:with_gatewright", rows=rows)
    changes = run("benchmarks.fairness:with_gatewright", rows=rows, champion=True)
    for slice, value in ours.result["gaps"].items():
        if not abs(value - peer.result["gaps"][slice][0]) < 1e-12:
            raise ValueError(f"{slice}: {value} is not fairlearn's {peer.result['gaps'][slice][0]}")
    seconds = {"fairlearn": peer, "gatewright": ours, "with_changes": changes}
    return {
        "rows": rows,
        **{name: one.result["seconds"] for name, one in seconds.items()},
        "ratio": _ratio(peer, ours),
        "ratio_with_changes": _ratio(peer, changes),
        "peak_mb": ours.peak_mb,
        "fairlearn_peak_mb": peer.peak_mb,
    }


def _ratio(peer: Run, ours: Run) -> float:
    return float(peer.result["seconds"] / ours.result["seconds"])


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description="The fairness audit beside fairlearn's MetricFrame.")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    lines = [measure(rows) for rows in given.rows]
    if given.json:
        print(json.dumps(lines))
        return
    print(f"{'rows':>10} {'fairlearn s':>12} {'ours s':>8} {'ratio':>7} {'with changes s':>15} {'ratio':>7} {'MB':>6}")
    for line in lines:
        print(
            f"{line['rows']:>10,} {line['fairlearn']:>12.2f} {line['gatewright']:>8.3f} {line['ratio']:>6.0f}x"
            f" {line['with_changes']:>15.3f} {line['ratio_with_changes']:>6.0f}x {line['peak_mb']:>6.0f}"
        )


if __name__ == "__main__":
    main()
