"""Every fault at every store call, and a thousand pairs of faults: ``python -m tests.faults``."""

import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.fault_store import Fault
from tests.faults.figures import FIGURES
from tests.faults.sweep import SCENARIOS, Outcome, Sweep, faults_of

PAIRS = 1000


def main() -> int:
    """Print the table; 1 when an invariant was violated."""
    # The target says each time that it follows the channel.
    logging.disable(logging.ERROR)
    started = time.perf_counter()
    bad: list[Outcome] = []
    with tempfile.TemporaryDirectory() as cache:
        for scenario in SCENARIOS.values():
            sweep = Sweep(scenario, Path(cache))
            every = list(faults_of(sweep.calls()))
            bad += _tried(sweep, [(fault,) for fault in every], "every call")
            bad += _tried(sweep, _pairs(every), "two faults")
    for outcome in bad[:20]:
        print(outcome)
    print(FIGURES.table())
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if bad else 0


def _tried(sweep: Sweep, cases: list[tuple[Fault, ...]], name: str) -> list[Outcome]:
    outcomes = [sweep.run(*faults) for faults in cases]
    FIGURES.add(outcomes, f"{sweep.scenario.name}, {name}")
    return [outcome for outcome in outcomes if set(outcome.violations) - {"a fault was never reached"}]


def _pairs(every: list[Fault]) -> list[tuple[Fault, ...]]:
    draw = random.Random(1)
    return [(first, _second(draw, first)) for first in draw.choices(every, k=PAIRS)]


def _second(draw: random.Random, first: Fault) -> Fault:
    return Fault(
        first.call + draw.randint(1, 40), draw.choice(("kill before", "kill after", "503 before", "503 after"))
    )


if __name__ == "__main__":
    sys.exit(main())
