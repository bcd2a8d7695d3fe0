"""Everything that has a peer, one benchmark after the other, in one table.

``.venv/bin/python -m benchmarks [--rows N ...] [--json]``. Validation, evaluation, fairness, drift and the whole gate;
each side in a process of its own. A peer that is not installed is named with the reason, never left out.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import drift, evaluation, fairness, gate, validation

__all__ = ["Line", "lines", "main"]

# Of the 1,000 resamples of the naive bootstrap; its time is scaled up.
RESAMPLES = 3
NOT_INSTALLED = "ModuleNotFoundError"


@dataclass(frozen=True)
class Line:
    """One peer beside ours. Seconds are processor seconds; ``missing`` says why the peer was not measured.

    ``wall`` is the ratio of seconds on the clock, where the benchmark takes them; ``mb`` peak memory of the process.
    """

    benchmark: str
    rows: int
    peer: str
    ours: float | None = None
    theirs: float | None = None
    wall: float | None = None
    mb: float | None = None
    peer_mb: float | None = None
    missing: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times our processor seconds the peer takes."""
        return self.theirs / self.ours if self.ours and self.theirs is not None else None


def lines(rows: int) -> Iterator[Line]:
    """One line a peer, as it is measured."""
    for benchmark, (peer, measure) in BENCHMARKS.items():
        try:
            yield from measure(rows)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1]
            if NOT_INSTALLED not in reason:
                raise
            yield Line(benchmark, rows, peer, missing=reason)


def _validation(rows: int) -> Iterator[Line]:
    found = validation.compare(rows)
    ours, theirs = found["one_pass"], found["stock"]
    wall, memory = found["stock / one pass"], (ours["peak_mb"], theirs["peak_mb"])
    yield Line("validation", rows, "Great Expectations", ours["cpu"], theirs["cpu"], wall, *memory)


def _evaluation(rows: int) -> Iterator[Line]:
    found = evaluation.compare(rows, RESAMPLES)
    ours, memory, peer = found["cpu_seconds"], found["from_file_peak_mb"], "1,000 resamples of rows"
    if "cpu_ratio" not in found:
        reason = f"it is not run above {evaluation.NAIVE_UP_TO:,} rows, where it takes hours"
        yield Line("evaluation", rows, peer, ours, mb=memory, missing=reason)
        return
    theirs = found["cpu_ratio"] * ours
    yield Line("evaluation", rows, peer, ours, theirs, found["ratio"], memory, found["naive_peak_mb"])


def _fairness(rows: int) -> Iterator[Line]:
    found = fairness.measure(rows)
    memory = {"mb": found["peak_mb"], "peer_mb": found["fairlearn_peak_mb"]}
    yield Line("fairness", rows, "fairlearn", found["gatewright"], found["fairlearn"], **memory)
    yield Line("fairness and changes", rows, "fairlearn, no changes", found["with_changes"], found["fairlearn"])


def _drift(rows: int) -> Iterator[Line]:
    ours, _, *peers = drift.main(rows)
    spent, memory = ours["cpu_seconds"], ours["peak_mb"]
    for peer in peers:
        name = peer["side"].replace("_", "-")
        if "missing" in peer:
            yield Line("drift", rows, name, spent, mb=memory, missing=peer["missing"])
        else:
            yield Line("drift", rows, name, spent, peer["cpu_seconds"], peer["ratio_seconds"], memory, peer["peak_mb"])


def _gate(rows: int) -> Iterator[Line]:
    found = gate.compare(rows)
    ours, theirs = found["ours"], found["plain"]
    seconds = ours["cpu_seconds"], theirs["cpu_seconds"], found["plain / ours, seconds"]
    yield Line("the whole gate", rows, "plain script", *seconds, ours["peak_mb"], theirs["peak_mb"])


BENCHMARKS: dict[str, tuple[str, Callable[[int], Iterator[Line]]]] = {
    "validation": ("Great Expectations", _validation),
    "evaluation": ("1,000 resamples of rows", _evaluation),
    "fairness": ("fairlearn", _fairness),
    "drift": ("Evidently, alibi-detect", _drift),
    "the whole gate": ("plain script", _gate),
}
HEADER = (
    f"{'benchmark':<21}{'rows':>11}  {'peer':<24}{'ours CPU s':>10}{'peer CPU s':>11}{'ratio':>8}{'wall':>8}"
    f"{'ours MB':>9}{'peer MB':>9}"
)


def _text(line: Line) -> str:
    start = f"{line.benchmark:<21}{line.rows:>11,}  {line.peer:<24}"
    if line.missing:
        return f"{start}NOT MEASURED: {line.missing}"
    seconds = f"{_number(line.ours, 3):>10}{_number(line.theirs, 2):>11}"
    ratios = f"{_number(line.ratio, 1):>8}{_number(line.wall, 1):>8}"
    return f"{start}{seconds}{ratios}{_number(line.mb, 0):>9}{_number(line.peer_mb, 0):>9}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def main(arguments: list[str] | None = None) -> None:
    """Print the table line by line, or JSON at the end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found: list[dict[str, Any]] = []
    if not given.json:
        print(HEADER, flush=True)
    for rows in given.rows:
        for line in lines(rows):
            found.append({**asdict(line), "ratio": line.ratio})
            if not given.json:
                print(_text(line), flush=True)
    if given.json:
        json.dump(found, sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    main()
