"""Run one function in a process of its own, and report its time and the peak memory of the whole process.

``python -m benchmarks.measure package.module:function '{"argument": 1}'`` prints one JSON line. A function may
return a JSON value; a peer in another environment is run with that environment's ``python``.
"""

import importlib
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Run", "run"]

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Run:
    """``seconds`` and ``cpu_seconds`` of the call without imports; ``peak_mb`` of the process with them."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    result: Any


def run(function: str, *, python: str = sys.executable, **arguments: Any) -> Run:
    """Call ``package.module:function`` with ``arguments`` in a new process. Raises RuntimeError with its output."""
    command = [python, "-m", "benchmarks.measure", function, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{function} failed:\n{done.stderr}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def _main(function: str, arguments: str) -> None:
    module, name = function.split(":")
    call, given = getattr(importlib.import_module(module), name), json.loads(arguments)
    clock, cpu = time.perf_counter(), time.process_time()
    result = call(**given)
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mb": peak_mb, "result": result}))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
