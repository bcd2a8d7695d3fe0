"""The worst slices: looked for on one half of the data, tested on the other.

Without clusters the tests are exact: Fisher's for the gap to all other rows, the exact binomial (McNemar) for the
change to the champion. With clusters a test on block sums is made as well, and the larger p-value counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtrc, gammaln, stdtr

from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.multiplicity import holm
from gatewright.core.normal import critical_value
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import MINIMUM_BLOCKS, FloatArray, Sums
from gatewright.core.statistics.paired import tango
from gatewright.core.statistics.proportions import newcombe_difference
from gatewright.core.statistics.slicing import Ratio, Slice, SliceTable

__all__ = ["SEARCHES", "Search", "search"]

# So many slices are tested on the second half; each costs power by Holm's adjustment.
TESTED = 10


@dataclass(frozen=True)
class Search:
    """``outside``: against all other rows, ``champion``: against the champion on the same rows."""

    metric: str
    summary: str
    ratio: Ratio
    against: Literal["outside", "champion"]


SEARCHES = (
    Search("worst_slice_gap", "worst_slices_found", Ratio("rows", "errors"), "outside"),
    Search("worst_slice_change", "worst_changes_found", Ratio("rows", "more_errors", "fewer_errors"), "champion"),
)


@dataclass(frozen=True)
class _Candidate:
    """A slice chosen on the first half: ``bound`` is the lower bound of its gap there."""

    bound: float
    gap: float
    slice: Slice
    index: int
    tested: SliceTable


def search(
    halves: Sequence[Sequence[SliceTable]], kind: Search, *, confidence: float, minimum_support: int
) -> tuple[Measurement, ...]:
    """One measurement a tested slice, and how many of them are worse beyond chance, all slices together.

    ``halves``: the tables of the rows that choose and of those that test, in one order.
    """
    support, rows = max(minimum_support, 2), int(sum(tables[0].sums["rows"].sum() for tables in halves))
    chosen = _chosen(halves, kind, confidence=confidence, support=support)
    if not chosen:
        note = f"no slice has {support} rows in either half"
        return tuple(unmeasured(metric, rows, note, slice="(none)") for metric in (kind.metric, kind.summary))
    tests = [_Test(candidate, kind, confidence) for candidate in chosen]
    adjusted = holm([test.p_value() for test in tests])
    alpha = (1 - confidence) / 2
    worse = [test.name for test, p in zip(tests, adjusted, strict=True) if p <= alpha]
    count = Measurement(
        metric=kind.summary, value=float(len(worse)), n=rows, note="; ".join(worse) or f"{len(tests)} slices tested"
    )
    return (*(test.measure(p, len(tests)) for test, p in zip(tests, adjusted, strict=True)), count)


def _chosen(
    halves: Sequence[Sequence[SliceTable]], kind: Search, *, confidence: float, support: int
) -> list[_Candidate]:
    """The worst slices of the first half, none of them a part of another."""
    pairs = zip(*halves, strict=True)
    found = [one for first, second in pairs for one in _candidates(first, second, kind, confidence, support)]
    found.sort(key=lambda one: (-one.bound, len(one.slice.parts), str(one.slice)))
    chosen: list[_Candidate] = []
    for one in found:
        if len(chosen) < TESTED and not any(one.slice.within(other.slice) for other in chosen):
            chosen.append(one)
    return chosen


def _candidates(
    first: SliceTable, second: SliceTable, kind: Search, confidence: float, support: int
) -> Iterator[_Candidate]:
    supported = np.ones(first.sums["rows"].size, dtype=bool)
    for table in (first, second):
        rows = table.sums["rows"]
        supported &= rows >= support
        if kind.against == "outside":
            supported &= rows.sum() - rows >= support
    gaps, errors = _gaps(first, kind)
    bounds = np.where(supported, gaps - errors * critical_value(confidence), -np.inf)
    # A part of a worse slice may be dropped later, so more are kept than are tested.
    for k in np.argsort(-bounds, kind="stable")[: 5 * TESTED]:
        if supported[k]:
            yield _Candidate(float(bounds[k]), float(gaps[k]), first.slice(int(k)), int(k), second)


def _gaps(table: SliceTable, kind: Search) -> tuple[FloatArray, FloatArray]:
    """Gap and standard error of each slice; only their order counts."""
    n = table.sums["rows"]
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind.against == "champion":
            more, fewer = (table.sums[name] + 0.5 for name in ("more_errors", "fewer_errors"))
            gap = (more - fewer) / n
            return gap, np.sqrt((more + fewer) / n**2)
        errors, rows = table.sums["errors"], n.sum()
        share = errors.sum() / rows
        gap = errors / n - (errors.sum() - errors) / (rows - n)
        return gap, np.sqrt(share * (1 - share) * (1 / n + 1 / (rows - n)))


@dataclass(frozen=True)
class _Test:
    """One slice on the half that did not choose it."""

    candidate: _Candidate
    kind: Search
    confidence: float

    @property
    def name(self) -> str:
        return str(self.candidate.slice)

    @property
    def table(self) -> SliceTable:
        return self.candidate.tested

    def total(self, name: str) -> float:
        return float(self.table.sums[name].sum())

    def sum(self, name: str) -> float:
        return float(self.table.sums[name][self.candidate.index])

    def measure(self, adjusted: float, tested: int) -> Measurement:
        note = f"{self.candidate.gap:.3g} on the half that chose it; p-value adjusted for {tested} slices (Holm)"
        found = measured(self.kind.metric, self.gap(), self.interval(), self.sum("rows"), slice=self.name, note=note)
        return found if found.value is None else found.model_copy(update={"p_value": adjusted})

    def gap(self) -> float:
        inside = self.table.value(self.kind.ratio)[self.candidate.index]
        if self.kind.against == "champion":
            return float(inside)
        errors, rows = self._outside()
        return float(inside) - errors / rows

    def _outside(self) -> tuple[float, float]:
        return self.total("errors") - self.sum("errors"), self.total("rows") - self.sum("rows")

    def p_value(self) -> float:
        """One-sided, of "it is no worse"; 1 where there are too few blocks to tell."""
        exact = self._exact()
        if self.table.by_block is None:
            return exact
        error, units = self._block_error()
        if not (units >= MINIMUM_BLOCKS and error > 0):
            return 1.0
        return max(exact, float(stdtr(units - 1, -self.gap() / error)))

    def _exact(self) -> float:
        if self.kind.against == "champion":
            more, fewer = int(self.sum("more_errors")), int(self.sum("fewer_errors"))
            return float(bdtrc(more - 1, more + fewer, 0.5)) if more else 1.0
        return _fisher(self.sum("errors"), self.sum("rows"), self.total("errors"), self.total("rows"))

    def interval(self) -> Interval | None:
        effect = 1.0
        if self.table.by_block is not None:
            error, units = self._block_error()
            if not units >= MINIMUM_BLOCKS:
                return None
            effect = max(1.0, error**2 / self._simple_variance()) if self._simple_variance() > 0 else 1.0
        rows = self.sum("rows") / effect
        if self.kind.against == "champion":
            more, fewer = self.sum("more_errors") / effect, self.sum("fewer_errors") / effect
            return tango(more, fewer, rows, confidence=self.confidence)
        errors, others = self._outside()
        inside = (self.sum("errors") / effect, rows)
        return newcombe_difference(inside, (errors / effect, others / effect), confidence=self.confidence)

    def _simple_variance(self) -> float:
        inside = float(self.table.simple_variance(self.kind.ratio)[self.candidate.index])
        if self.kind.against == "champion":
            return inside
        errors, rows = self._outside()
        return inside + errors / rows * (1 - errors / rows) / rows

    def _block_error(self) -> tuple[float, int]:
        """Standard error of the gap from the residuals of its blocks, and their number inside the slice."""
        by_block = self.table.by_block
        assert by_block is not None
        values = {"errors": self.kind.ratio.numerator(by_block.sums), "rows": by_block.sums["rows"]}
        inside = {name: self.table.of_blocks(one, self.candidate.index) for name, one in values.items()}
        residuals, units = _residuals(inside), int((inside["rows"] > 0).sum())
        if self.kind.against == "outside":
            every = {name: np.bincount(by_block.blocks, one, inside["rows"].size) for name, one in values.items()}
            residuals = residuals - _residuals({name: every[name] - inside[name] for name in every})
        return float(np.sqrt((residuals**2).sum() * units / max(units - 1, 1))), units


def _residuals(sums: Sums) -> FloatArray:
    """How far each block is from the mean of all, per row."""
    errors, rows = sums["errors"], sums["rows"]
    residuals: FloatArray = (errors - errors.sum() / rows.sum() * rows) / rows.sum()
    return residuals


def _fisher(errors: float, rows: float, all_errors: float, all_rows: float) -> float:
    """P-value of Fisher's exact test, one-sided: as many errors or more among ``rows`` of all rows."""
    k = np.arange(errors, min(rows, all_errors) + 1)
    logarithms = _choose(all_errors, k) + _choose(all_rows - all_errors, rows - k) - _choose(np.float64(all_rows), rows)
    return min(1.0, float(np.exp(logarithms).sum()))


def _choose(n: float, k: FloatArray | float) -> FloatArray:
    chosen: FloatArray = gammaln(n + 1) - gammaln(np.asarray(k) + 1) - gammaln(n - np.asarray(k) + 1)
    return chosen
