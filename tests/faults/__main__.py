"""Every fault at every store call, and pairs of faults: ``python -m tests.faults``."""

import logging
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.fault_store import Fault
from tests.faults.figures import FIGURES
from tests.faults.interleave import explore
from tests.faults.races import RACES, Race, Raced
from tests.faults.sweep import SCENARIOS, Outcome, Sweep, faults_of

PAIRS = 250


def main() -> int:
    """Print the table; 1 when an invariant was violated."""
    # The target says each time that it follows the channel.
    logging.disable(logging.ERROR)
    started = time.perf_counter()
    bad: list[object] = []
    with tempfile.TemporaryDirectory() as cache:
        for scenario in SCENARIOS.values():
            sweep = Sweep(scenario, Path(cache))
            calls = sweep.calls()
            every = list(faults_of(calls))
            bad += _tried(sweep, [(fault,) for fault in every], "every call")
            bad += _tried(sweep, _pairs(every), "two faults")
            bad += _tried(sweep, list(_away(calls)), "the store is away")
        bad += [found for race in RACES.values() for found in _raced(race, Path(cache))]
    for outcome in bad[:20]:
        print(outcome)
    print(FIGURES.table())
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if bad else 0


def _tried(sweep: Sweep, cases: list[tuple[Fault, ...]], name: str) -> list[Outcome]:
    outcomes = [sweep.run(*faults) for faults in cases]
    FIGURES.add(outcomes, f"{sweep.scenario.name}, {name}")
    _say(f"{sweep.scenario.name}, {name}: {len(outcomes)}")
    return [outcome for outcome in outcomes if outcome.violations or (len(cases[0]) == 1 and outcome.abandoned)]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _pairs(every: list[Fault]) -> list[tuple[Fault, ...]]:
    draw = random.Random(1)
    return [(first, _second(draw, first)) for first in draw.choices(every, k=PAIRS)]


def _away(calls: list[str]) -> Iterator[tuple[Fault, ...]]:
    """From every third call on, the next ones fail too: two, ten, forty."""
    for first in range(1, len(calls) + 1, 3):
        for length in (2, 10, 40):
            yield tuple(Fault(first + n, "503 before") for n in range(length))


def _raced(race: Race, cache: Path) -> list[str]:
    raced = Raced(race, cache)
    # Three processes have too many orders with two switches each.
    switches = 2 if len(race.acts) == 2 else 1
    runs = sum(1 for _ in explore(raced.run, preemptions=switches))
    FIGURES.count(f"{race.name}, {switches} switches", points=runs, violations=len(raced.found))
    _say(f"{race.name}: {runs}")
    return raced.found


def _second(draw: random.Random, first: Fault) -> Fault:
    return Fault(
        first.call + draw.randint(1, 40), draw.choice(("kill before", "kill after", "503 before", "503 after"))
    )


if __name__ == "__main__":
    sys.exit(main())
