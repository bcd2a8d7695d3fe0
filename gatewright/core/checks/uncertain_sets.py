"""Conformal sets of one half of the rows, calibrated on the other: do they hold the truth, how large are they?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatewright.core.checks.group_codes import GroupCodes
from gatewright.core.checks.inputs import measured, unmeasured
from gatewright.core.checks.uncertain_answers import Answers
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import (
    BlockTable,
    Bootstrap,
    FloatArray,
    IntArray,
    Statistic,
    block_sums,
    bootstrap,
    hull,
    paired_interval,
)
from gatewright.core.statistics.conformal import clopper_pearson, conformal_quantile
from gatewright.core.statistics.confusion import Rate, effective_rows
from gatewright.core.statistics.gap_tests import homogeneity_p_value
from gatewright.core.statistics.gaps import Gap, gap_interval
from gatewright.core.statistics.paired import mcnemar, tango
from gatewright.core.statistics.proportions import wilson
from gatewright.core.statistics.resampled_change import resampled_p_value

__all__ = ["COVERAGE", "DIFFERENCE", "SET_SIZE", "ConformalSets", "Halves", "conformal_sets", "measure_sets"]

COVERAGE, DIFFERENCE, SET_SIZE = "conformal_coverage", "conformal_coverage_difference", "conformal_set_size"

_COVERED: Statistic = Rate(lambda sums: sums["covered"], lambda sums: sums["rows"])
_MEAN_SIZE: Statistic = Rate(lambda sums: sums["size"], lambda sums: sums["rows"])


@dataclass(frozen=True)
class Halves:
    """Which rows calibrate, the block of each row, both of shape (rows,), and the groups of each sensitive column.

    ``mondrian``: the column whose groups are calibrated apart (Vovk et al. 2005, section 4.5), or None.
    """

    calibrates: NDArray[np.bool_]
    blocks: IntArray
    clustered: bool
    groups: Mapping[str, GroupCodes]
    mondrian: str | None = None

    def parts(self) -> list[NDArray[np.bool_]]:
        """The rows of each calibration, each of shape (rows,)."""
        if self.mondrian is None:
            return [np.ones(self.calibrates.size, dtype=bool)]
        column = self.groups[self.mondrian]
        return [column.codes == k for k in range(len(column.names))]

    def slices(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Names and test rows: all of them, then those of each group."""
        tested = ~self.calibrates
        yield "all", tested
        for name, column in self.groups.items():
            for k, group in enumerate(column.names):
                yield f"{name}={group}", tested & (column.codes == k)


@dataclass(frozen=True)
class ConformalSets:
    """One model's sets: the ``quantiles`` they follow, whether they cover the truth, their sizes: shape (rows,).

    Rows that calibrate have sets too, which nobody should look at.
    """

    quantiles: FloatArray
    covered: NDArray[np.bool_]
    sizes: FloatArray


def conformal_sets(answers: Answers, halves: Halves, alpha: float) -> ConformalSets:
    """Sets that promise to hold the truth with probability 1 - ``alpha``, in each part that is calibrated apart."""
    quantiles = np.full(halves.calibrates.size, np.inf)
    for part in halves.parts():
        quantiles[part] = conformal_quantile(answers.nonconformity[part & halves.calibrates], alpha)
    return ConformalSets(quantiles, answers.nonconformity <= quantiles, answers.sizes(quantiles))


@dataclass(frozen=True)
class _Slice:
    """The test rows of one slice."""

    name: str
    rows: NDArray[np.bool_]
    halves: Halves
    classes: int
    confidence: float
    seed: int

    @property
    def n(self) -> int:
        return int(self.rows.sum())

    def bootstrap(self, sets: ConformalSets) -> Bootstrap:
        blocks = self.halves.blocks[self.rows]
        sums = {"covered": block_sums(blocks, sets.covered[self.rows]), "rows": block_sums(blocks)}
        if self.classes:
            sums["size"] = block_sums(blocks, sets.sizes[self.rows])
        return bootstrap(BlockTable(sums), seed=self.seed)

    def unmeasurable(self, sets: ConformalSets, minimum_support: int) -> str:
        if not self.n >= max(minimum_support, 1):
            return f"{self.n} test rows are below the support of {max(minimum_support, 1)}"
        full = int((~np.isfinite(sets.quantiles[self.rows])).sum())
        return f"too few calibration rows to promise the coverage for {full} test rows" if full else ""


def measure_sets(
    candidate: ConformalSets,
    champion: ConformalSets | None,
    halves: Halves,
    *,
    classes: int,
    confidence: float,
    minimum_support: int,
    seed: int,
) -> Iterator[Measurement]:
    """Coverage and mean set size on all test rows and each group, the coverage's gaps, and changes of the first two.

    ``classes`` is 0 for numbers, whose widths are measured elsewhere. Slices below the minimum support, and those
    for which too few rows calibrate, have no value.
    """
    supported: dict[str, Bootstrap] = {}
    for name, rows in halves.slices():
        slice = _Slice(name, rows, halves, classes, confidence, seed)
        metrics = (COVERAGE, SET_SIZE) if classes else (COVERAGE,)
        note = slice.unmeasurable(candidate, minimum_support)
        note = note or ("" if champion is None else slice.unmeasurable(champion, minimum_support))
        if note:
            changes = [f"{metric}_change" for metric in metrics if champion is not None]
            yield from (unmeasured(metric, slice.n, note, slice=name) for metric in (*metrics, *changes))
            continue
        supported[name] = ours = slice.bootstrap(candidate)
        yield from _measure_slice(slice, ours)
        if champion is not None:
            yield from _measure_changes(slice, candidate, champion, ours)
    yield from _measure_differences(supported, halves, confidence)


def _measure_slice(slice: _Slice, model: Bootstrap) -> Iterator[Measurement]:
    interval = _coverage_interval(model, slice.confidence, clustered=slice.halves.clustered)
    yield measured(COVERAGE, model.value(_COVERED), interval, slice.n, slice=slice.name)
    if slice.classes:
        interval = _size_interval(slice, model)
        yield measured(SET_SIZE, model.value(_MEAN_SIZE), interval, slice.n, slice=slice.name)


def _coverage_interval(model: Bootstrap, confidence: float, *, clustered: bool) -> Interval | None:
    """Exact for independent rows; with clusters the bootstrap's, at least the exact one of the effective rows."""
    n, covered = float(model.total["rows"][0]), float(model.total["covered"][0])
    if not clustered:
        return clopper_pearson(covered, n, confidence=confidence)
    effective = _effective_rows(model)
    closed = clopper_pearson(covered / n * effective, effective, confidence=confidence)
    return hull(model.interval(_COVERED, confidence), closed)


def _effective_rows(model: Bootstrap) -> float:
    n, share = float(model.total["rows"][0]), model.value(_COVERED)
    return effective_rows(_COVERED(model.replicates), share * (1 - share) / n, n, model.blocks)


def _size_interval(slice: _Slice, model: Bootstrap) -> Interval | None:
    """Where all sets are equally large, the share of others that nobody has seen yet leaves the doubt."""
    resampled = model.interval(_MEAN_SIZE, slice.confidence)
    if resampled is None or resampled.high > resampled.low:
        return resampled
    units = model.blocks if slice.halves.clustered else slice.n
    unseen, size = wilson(0, units, confidence=slice.confidence).high, model.value(_MEAN_SIZE)
    low, high = size - unseen * size, size + unseen * (slice.classes - size)
    return resampled.model_copy(update={"low": low, "high": high, "method": "Wilson, of sets of another size"})


def _measure_changes(
    slice: _Slice, candidate: ConformalSets, champion: ConformalSets, ours: Bootstrap
) -> Iterator[Measurement]:
    theirs = slice.bootstrap(champion)
    statistics = [(COVERAGE, _COVERED), (SET_SIZE, _MEAN_SIZE)] if slice.classes else [(COVERAGE, _COVERED)]
    for metric, statistic in statistics:
        value = ours.value(statistic) - theirs.value(statistic)
        interval = paired_interval(ours, theirs, statistic, slice.confidence)
        differences = statistic(ours.replicates) - statistic(theirs.replicates)
        p_value = resampled_p_value(value, differences, blocks=ours.blocks)
        if metric == COVERAGE:
            only = _only_covered(slice, candidate, champion), _only_covered(slice, champion, candidate)
            interval = hull(interval, tango(*only, slice.n, confidence=slice.confidence))
            p_value = p_value if slice.halves.clustered else mcnemar(*only).mid_p
        found = measured(f"{metric}_change", value, interval, slice.n, slice=slice.name)
        yield found if found.value is None else found.model_copy(update={"p_value": p_value})


def _only_covered(slice: _Slice, first: ConformalSets, second: ConformalSets) -> int:
    return int((first.covered & ~second.covered & slice.rows).sum())


def _measure_differences(
    supported: Mapping[str, Bootstrap], halves: Halves, confidence: float
) -> Iterator[Measurement]:
    """The largest coverage of a column's supported groups minus the smallest."""
    for name, column in halves.groups.items():
        models = [supported[f"{name}={group}"] for group in column.names if f"{name}={group}" in supported]
        n = int(min((model.total["rows"][0] for model in models), default=0))
        left_out = [group for group in column.names if f"{name}={group}" not in supported]
        note = f"left out below support: {', '.join(left_out)}" if left_out else ""
        if len(models) < 2:
            yield unmeasured(DIFFERENCE, n, f"fewer than 2 groups have support; {note}", slice=name)
            continue
        counts = np.array([_effective_rows(m) if halves.clustered else m.total["rows"][0] for m in models])
        gap = Gap("difference", counts * np.array([model.value(_COVERED) for model in models]), counts)
        found = measured(DIFFERENCE, gap.value, gap_interval((gap,), confidence), n, slice=name, note=note)
        yield found.model_copy(update={"p_value": homogeneity_p_value((gap,))})
