"""Drift of 28 columns: ours from a stored profile, Evidently's preset, alibi-detect's tabular detector.

``python -m benchmarks.drift [--rows N] [--json]``. Every side has the current data in memory when the clock starts,
the peers the reference too. The peers live in environments of their own (README.md); one that is not there is named
with the reason, never left out.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import CATEGORICAL, NUMERIC, table_file
from benchmarks.measure import Run, run

__all__ = ["alibi_detect", "evidently", "files", "main", "ours"]

COLUMNS = (*NUMERIC, *CATEGORICAL, "sex", "age_band")
PEERS = Path(os.environ.get("GATEWRIGHT_PEERS", "/tmp/gatewright-peers"))
SHIFT = 0.1
# What is timed at least, against each peer.
GOALS = {"evidently": 50, "alibi_detect": 5}


def ours(reference: str, current: str) -> dict[str, float]:
    """From decoded batches to all distances with intervals; the profile was stored before."""
    from gatewright.core.checks.drift import measure_drift_sums
    from gatewright.core.checks.profile import Profile
    from gatewright.core.checks.profile_sums import current_sums, no_sums
    from gatewright.services.batches import DataFile
    from gatewright.services.file_drift import reference_profile

    stored = reference_profile(Path(reference), COLUMNS).to_bytes()
    batches = [batch.rows for batch in DataFile(Path(current)).batches(COLUMNS)]

    def compare() -> int:
        profile = Profile.from_bytes(stored, where="profile")
        sums = sum((current_sums(batch, profile) for batch in batches), no_sums(profile))
        return len(measure_drift_sums(profile, sums, confidence=0.9))

    return _timed(compare)


def files(reference: str, current: str) -> dict[str, float]:
    """From two files to verdicts: both read, the reference twice."""
    from gatewright.core.checks.drift_verdict import DriftLimits
    from gatewright.services.file_drift import compare_with_file, reference_profile

    def compare() -> int:
        profile = reference_profile(Path(reference), COLUMNS)
        return len(compare_with_file(profile, Path(current), COLUMNS, DriftLimits(), confidence=0.9).columns)

    return _timed(compare)


def evidently(reference: str, current: str) -> dict[str, float]:
    """DataDriftPreset with its defaults: one distance a column, no intervals."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    then, now = (pd.read_parquet(path, columns=list(COLUMNS)) for path in (reference, current))
    categorical = [name for name in COLUMNS if name not in NUMERIC]
    definition = DataDefinition(numerical_columns=list(NUMERIC), categorical_columns=categorical)

    def compare() -> int:
        sides = [Dataset.from_pandas(frame, data_definition=definition) for frame in (now, then)]
        return len(Report([DataDriftPreset()]).run(*sides).dict()["metrics"])

    return _timed(compare)


def alibi_detect(reference: str, current: str) -> dict[str, float]:
    """TabularDrift: KS or chi-square and a p-value a column. It takes no nulls and no text: filled and coded before."""
    import numpy as np
    import pandas as pd
    from alibi_detect.cd import TabularDrift

    then, now = (pd.read_parquet(path, columns=list(COLUMNS)) for path in (reference, current))
    names = [name for name in COLUMNS if name not in NUMERIC]
    for name in names:
        known = sorted(set(then[name]) | set(now[name]))
        for frame in (then, now):
            frame[name] = pd.Categorical(frame[name], known).codes
    first, second = (frame.fillna(0.0).to_numpy(dtype=np.float32) for frame in (then, now))
    categories = {COLUMNS.index(name): None for name in names}

    def compare() -> int:
        detector = TabularDrift(first, p_val=0.05, categories_per_feature=categories)
        return len(detector.predict(second)["data"]["distance"])

    return _timed(compare)


def _timed(compare: Callable[[], int]) -> dict[str, float]:
    clock, cpu = time.perf_counter(), time.process_time()
    found = compare()
    return {
        "seconds": time.perf_counter() - clock,
        "cpu_seconds": time.process_time() - cpu,
        "measured": found,
    }


def _side(name: str, python: Path, arguments: dict[str, str]) -> dict[str, Any]:
    if not python.exists():
        return {"side": name, "missing": f"{python} does not exist; benchmarks/README.md says how to build it"}
    try:
        done: Run = run(f"benchmarks.drift:{name}", python=str(python), **arguments)
    except RuntimeError as error:
        return {"side": name, "missing": str(error).splitlines()[-1]}
    return {"side": name, **done.result, "peak_mb": done.peak_mb}


def main(rows: int = 100_000) -> list[dict[str, Any]]:
    """One result a side, with the ratio of its CPU seconds to ours."""
    arguments = {"reference": str(table_file(rows)), "current": str(table_file(rows, seed=1, shift=SHIFT))}
    own = Path(sys.executable)
    sides = [_side(name, own, arguments) for name in ("ours", "files")]
    for name in GOALS:
        python = PEERS / name.replace("_", "-") / "bin" / "python"
        found = _side(name, python, arguments)
        if "seconds" in found:
            found |= {"ratio": found["cpu_seconds"] / sides[0]["cpu_seconds"], "goal": GOALS[name]}
            found["ratio_seconds"] = found["seconds"] / sides[0]["seconds"]
        sides.append(found)
    return [{"rows": rows, **side} for side in sides]


def _line(side: dict[str, Any]) -> str:
    if "missing" in side:
        return f"{side['side']:<14}NOT MEASURED: {side['missing']}"
    spent = f"{side['seconds']:9.3f} s {side['cpu_seconds']:9.3f} CPU s {side['peak_mb']:8.0f} MB"
    if "ratio" not in side:
        return f"{side['side']:<14}{spent}"
    ratio = f"{side['ratio']:8.1f}x (wall {side['ratio_seconds']:.1f}x, goal {side['goal']}x)"
    return f"{side['side']:<14}{spent}{ratio}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = main(given.rows)
    if given.json:
        print(json.dumps(results, indent=2))
    else:
        print(f"drift of {len(COLUMNS)} columns, {given.rows:,} rows on either side")
        print("\n".join(_line(side) for side in results))
