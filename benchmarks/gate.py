"""The whole gate with scores given: ours, with intervals everywhere, against a plain script without any.

``python -m benchmarks.gate [--rows N ...] [--json]``. Validation of 45 expectations over 30 columns, evaluation of two
models, fairness of three sensitive columns, drift on 28 columns. From files to results; each side in a process of its
own, whose peak memory is that of the whole process, libraries included. Imports are not timed on either side.
"""

import argparse
import importlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.data import CATEGORICAL, NUMERIC, SENSITIVE, table_file
from benchmarks.measure import Run, run

__all__ = ["gate", "main", "plain"]

DRIFT_COLUMNS = (*NUMERIC, *CATEGORICAL, *list(SENSITIVE)[:2])
SHIFT = 0.1


def gate(current: str, profile: str) -> dict[str, Any]:
    """Validate, evaluate, audit and compare with the stored profile; intervals, paired where there is a champion."""
    _import("great_expectations")
    from benchmarks.suite import COLUMNS, suite_document
    from gatewright.core.checks.drift_verdict import DriftLimits
    from gatewright.core.policy import default_rules
    from gatewright.services.batches import DataFile
    from gatewright.services.expectations import run_suite_on_files
    from gatewright.services.file_check import check_file
    from gatewright.services.file_columns import FileColumns
    from gatewright.services.file_drift import compare_with_file, reference_profile

    path = Path(current)
    suite = Path(tempfile.gettempdir()) / "gatewright-gate-suite.json"
    suite.write_text(json.dumps(suite_document()), encoding="utf-8")
    columns = FileColumns("label", score="score", champion_score="champion_score", sensitive=tuple(SENSITIVE))
    clock = _Clock()
    answered = len(run_suite_on_files([path], suite, {}, columns=COLUMNS).outcome.results)
    clock.lap("validation")
    verdict = check_file(DataFile(path), columns, default_rules())
    clock.lap("evaluation and fairness")
    drift = compare_with_file(reference_profile(Path(profile)), path, DRIFT_COLUMNS, DriftLimits(), confidence=0.9)
    clock.lap("drift")
    assert answered == 45
    assert verdict.changes()
    assert len(drift.columns) == len(DRIFT_COLUMNS)
    return clock.read()


def plain(current: str, reference: str) -> dict[str, Any]:
    """The same questions without intervals."""
    _import("great_expectations", "fairlearn.metrics", "sklearn.metrics")
    from benchmarks.plain import plain_gate

    clock = _Clock()
    plain_gate(current, reference)
    clock.lap("all")
    return clock.read()


def store_profile(reference: str, profile: str) -> None:
    """The reference profile, written once at an earlier release."""
    from gatewright.services.file_drift import reference_profile

    Path(profile).write_bytes(reference_profile(Path(reference), DRIFT_COLUMNS).to_bytes())


def compare(rows: int, *, peer: bool = True) -> dict[str, Any]:
    """Both sides on ``rows`` rows, one after the other."""
    current, reference = table_file(rows, shift=SHIFT), table_file(rows, seed=1)
    profile = str(reference.with_suffix(".profile.json"))
    run("benchmarks.gate:store_profile", reference=str(reference), profile=profile)
    ours = run("benchmarks.gate:gate", current=str(current), profile=profile)
    found = {"rows": rows, "ours": _side(ours)}
    if peer:
        theirs = run("benchmarks.gate:plain", current=str(current), reference=str(reference))
        found |= {"plain": _side(theirs)}
        for unit in ("seconds", "cpu_seconds"):
            found[f"plain / ours, {unit}"] = found["plain"][unit] / found["ours"][unit]
    return found


def main(arguments: list[str] | None = None) -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-peer", action="store_true", help="only ours: the peer takes minutes at 10 million rows")
    given = parser.parse_args(arguments)
    found = [compare(rows, peer=not given.no_peer) for rows in given.rows]
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for one in found:
        print(f"{one['rows']:,} rows")
        for side in ("ours", "plain"):
            if side in one:
                laps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in one[side]["laps"].items())
                seconds, cpu, peak = (one[side][key] for key in ("seconds", "cpu_seconds", "peak_mb"))
                print(f"  {side:<6} {seconds:8.2f} s {cpu:8.2f} CPU s {peak:8.0f} MB   {laps}")
        for key in (key for key in one if key.startswith("plain /")):
            print(f"  {key}: {one[key]:.1f}")


def _import(*modules: str) -> None:
    """Before the clock starts."""
    for module in modules:
        importlib.import_module(module)


class _Clock:
    """Seconds of each part, and CPU seconds of all, which a busy machine does not stretch."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last, self._cpu = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now

    def read(self) -> dict[str, Any]:
        return {"laps": self.laps, "cpu_seconds": time.process_time() - self._cpu}


def _side(side: Run) -> dict[str, Any]:
    return {"seconds": sum(side.result["laps"].values()), "peak_mb": side.peak_mb, **side.result}


if __name__ == "__main__":
    main()
