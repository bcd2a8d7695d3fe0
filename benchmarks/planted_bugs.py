"""Take each defence away, and see whether the tests notice: ``python -m benchmarks.planted_bugs [AREA ...]``."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from benchmarks.planted import BUGS, Bug

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
PARTS = ("gatewright", "tests", "tasks", "flows", "deployments", "benchmarks", "examples", "policies", "expectations")
FILES = ("pyproject.toml", "requirements.lock")
TOGETHER = 2
SECONDS = 300
Result = Literal["caught", "MISSED", "STALE", "BROKEN"]


def main(areas: Sequence[str]) -> int:
    """Print the table; 1 unless every bug was caught."""
    bugs = [bug for bug in BUGS if not areas or bug.area in areas]
    results = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(TOGETHER) as pool:
        tree = _copied(ROOT, Path(folder) / "tree")
        for bug, result in zip(bugs, pool.map(lambda bug: _tried(tree, bug), bugs), strict=True):
            print(f"{result:<7} {bug.area:<11} {bug.name}", flush=True)
            results.append(result)
    print(f"{results.count('caught')} of {len(results)} planted bugs were caught")
    return 0 if results.count("caught") == len(results) else 1


def _tried(tree: Path, bug: Bug) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        copy = _copied(tree, Path(folder) / "tree")
        file = copy / bug.file
        text = file.read_text(encoding="utf-8")
        if text.count(bug.old) != 1:
            return "STALE"
        file.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
        return _tested(copy, bug.tests)


def _copied(tree: Path, copy: Path) -> Path:
    for part in PARTS:
        shutil.copytree(tree / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(tree / name, copy)
    return copy


def _tested(copy: Path, tests: Sequence[str]) -> Result:
    """Pytest ends with 1 when a test failed; with anything else but 0 it could not even begin."""
    # The copy comes before the installed package on the path, as `-m` puts the working directory first.
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--timeout", str(SECONDS), *tests]
    done = subprocess.run(command, cwd=copy, capture_output=True, check=False)
    return {0: "MISSED", 1: "caught"}.get(done.returncode, "BROKEN")  # type: ignore[return-value]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
