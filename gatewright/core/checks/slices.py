"""Where does the model fail? Metrics of every slice, and a search for the worst ones that does not fool itself.

The search looks for the slices with most errors on one half of the data and tests them on the other, which took
no part in choosing them (split sample: Cox 1975, Biometrika 62, 441-444). So the p-values are honest however many
slices were looked at; Holm's adjustment pays for the few that are tested. Slice Finder (Chung et al. 2019, ICDE)
and SliceLine (Sagadeeva & Boehm 2021, SIGMOD) search the same lattice of values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from gatewright.core.checks.inputs import accept_clusters, accept_labels, accept_scores, measured, unmeasured
from gatewright.core.checks.slice_search import SEARCHES, search
from gatewright.core.errors import DataError
from gatewright.core.results import Interval, Measurement
from gatewright.core.statistics.blocks import (
    BLOCKS,
    EXACT_ROWS,
    MINIMUM_BLOCKS,
    FloatArray,
    IntArray,
    assign_blocks,
    canonical_order,
)
from gatewright.core.statistics.paired import tango
from gatewright.core.statistics.proportions import wilson
from gatewright.core.statistics.slicing import Cells, CodedColumn, Ratio, SliceTable, cells_of, code_column

__all__ = ["SLICE_METRICS", "measure_slices"]

SLICE_METRICS: dict[str, Ratio] = {
    "accuracy": Ratio("rows", "correct"),
    "error_rate": Ratio("rows", "errors"),
    "recall": Ratio("positives", "hits"),
    "log_loss": Ratio("rows", "loss", squares="loss_squares"),
}
SLICE_CHANGES: dict[str, Ratio] = {
    "accuracy_change": Ratio("rows", "fewer_errors", "more_errors"),
    "error_rate_change": Ratio("rows", "more_errors", "fewer_errors"),
    "recall_change": Ratio("positives", "gained_hits", "lost_hits"),
    "log_loss_change": Ratio("rows", "loss_change", squares="loss_change_squares"),
}
# Rows are summed in parts of this size.
PART = 1 << 18
LOSS_STEP = 2.0**-20


@dataclass(frozen=True)
class _Rows:
    """The rows of the evaluation data, in an order that their content gives."""

    labels: FloatArray
    scores: FloatArray
    champion: FloatArray | None
    clusters: NDArray[np.uint64] | None
    threshold: float

    def __getitem__(self, kept: Any) -> "_Rows":
        """Some of the rows: a slice, or indices."""
        champion = None if self.champion is None else self.champion[kept]
        clusters = None if self.clusters is None else self.clusters[kept]
        return _Rows(self.labels[kept], self.scores[kept], champion, clusters, self.threshold)

    def values(self) -> dict[str, FloatArray]:
        """What is summed, each of shape (rows,)."""
        positive, wrong, loss = self.labels == 1, self._wrong(self.scores), self._loss(self.scores)
        values = {
            "rows": np.ones_like(self.labels),
            "positives": self.labels,
            "errors": wrong.astype(float),
            "correct": (~wrong).astype(float),
            "hits": (positive & ~wrong).astype(float),
            "loss": loss,
            "loss_squares": np.rint(loss**2 / LOSS_STEP) * LOSS_STEP,
        }
        if self.champion is None:
            return values
        theirs, change = self._wrong(self.champion), loss - self._loss(self.champion)
        more, fewer = wrong & ~theirs, theirs & ~wrong
        return values | {
            "more_errors": more.astype(float),
            "fewer_errors": fewer.astype(float),
            "lost_hits": (more & positive).astype(float),
            "gained_hits": (fewer & positive).astype(float),
            "loss_change": change,
            "loss_change_squares": np.rint(change**2 / LOSS_STEP) * LOSS_STEP,
        }

    def _wrong(self, scores: FloatArray) -> NDArray[np.bool_]:
        wrong: NDArray[np.bool_] = (scores >= self.threshold) != (self.labels == 1)
        return wrong

    def _loss(self, scores: FloatArray) -> FloatArray:
        safe = np.clip(scores, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps)
        loss: FloatArray = -np.where(self.labels == 1, np.log(safe), np.log1p(-safe))
        # Multiples of a power of two add up without rounding, and so to the same bytes in any order.
        return np.rint(loss / LOSS_STEP) * LOSS_STEP


def measure_slices(
    labels: Any,
    scores: Any,
    frame_columns: Mapping[str, Any],
    *,
    columns: Sequence[str],
    depth: int,
    threshold: float,
    confidence: float,
    minimum_support: int,
    clusters: Any = None,
    champion_scores: Any = None,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Metrics of every slice with support, the worst slices, and how many were too small to look at.

    ``labels`` 0/1, scores within [0, 1], ``frame_columns`` name -> values, each of shape (rows,). A slice is
    named ``a=x`` or ``a=x & b=y``. Of each slice of at least ``minimum_support`` rows: ``SLICE_METRICS``, and
    with a champion ``<metric>_change``. Of each combination of columns: ``unsupported_slices``, an exact count.
    Of the slices found on one half: ``worst_slice_gap``, the error rate inside minus outside, and with a
    champion ``worst_slice_change``, the error rate minus the champion's, both measured on the other half with
    the p-value of "it is no worse", adjusted after Holm; ``worst_slices_found`` and ``worst_changes_found``
    count the adjusted p-values of at most (1 - confidence) / 2.
    Raises DataError for wrong labels, columns that are missing or of another length, and ModelError for scores.
    """
    rows, coded = _accept(labels, scores, frame_columns, columns, clusters, champion_scores, threshold)
    halves = _tables(rows, coded, depth, seed)
    found: list[Measurement] = []
    for table in map(add, *halves):
        found += _measure_table(table, confidence, minimum_support, champion=rows.champion is not None)
    for kind in SEARCHES[: 1 if rows.champion is None else 2]:
        found += search(halves, kind, confidence=confidence, minimum_support=minimum_support)
    return tuple(found)


def _tables(rows: _Rows, coded: Sequence[CodedColumn], depth: int, seed: int) -> list[list[SliceTable]]:
    """The tables of both halves, from parts of the rows: beside the inputs no memory grows with their number."""
    halves = np.random.default_rng(seed).permutation(BLOCKS) % 2
    total: list[list[SliceTable]] = []
    for start in range(0, max(rows.labels.size, 1), PART):
        cells = _part(rows, coded, halves, start)
        part = [list(cells.of_half(half).tables(depth)) for half in (0, 1)]
        total = [list(map(add, *pair)) for pair in zip(total, part, strict=True)] if total else part
    return total


def _part(rows: _Rows, coded: Sequence[CodedColumn], halves: IntArray, start: int) -> Cells:
    part = slice(start, start + PART)
    own = rows[part]
    blocks = assign_blocks(own.labels.size, own.clusters, start=start)
    columns = [column[part] for column in coded]
    return cells_of(columns, own.values(), half=halves[blocks], blocks=None if own.clusters is None else blocks)


def _accept(
    labels: Any,
    scores: Any,
    frame: Mapping[str, Any],
    columns: Sequence[str],
    clusters: Any,
    champion: Any,
    threshold: float,
) -> tuple[_Rows, list[CodedColumn]]:
    if not columns:
        raise DataError("no column was named.", where="slices", remedy="name the columns to slice by.")
    truth = accept_labels(labels)
    ours = accept_scores(scores, truth.size, where="candidate scores")
    theirs = None if champion is None else accept_scores(champion, truth.size, where="champion scores")
    ids = accept_clusters(clusters, truth.size)
    coded = [code_column(name, _column(frame, name, truth.size)) for name in sorted(set(columns))]
    if truth.size >= EXACT_ROWS:
        return _Rows(truth, ours, theirs, ids, threshold), coded
    own = [values for values in (ours, theirs, ids) if values is not None]
    order = canonical_order(truth, *own, *(column.codes for column in coded))
    return _Rows(truth, ours, theirs, ids, threshold)[order], [column[order] for column in coded]


def _column(frame: Mapping[str, Any], name: str, rows: int) -> Any:
    if name not in frame:
        raise DataError(f"the column `{name}` is missing.", where="slices", remedy="load it, or do not slice by it.")
    if len(frame[name]) != rows:
        raise DataError(f"{len(frame[name])} values for {rows} rows.", where=f"column {name}", remedy="give one a row.")
    return frame[name]


def _measure_table(
    table: SliceTable, confidence: float, minimum_support: int, *, champion: bool
) -> Iterator[Measurement]:
    rows = table.sums["rows"]
    small = (rows > 0) & (rows < minimum_support)
    names = " & ".join(column.name for column in table.columns)
    note = f"{int(rows[small].sum())} rows in slices of fewer than {minimum_support}" if small.any() else ""
    yield Measurement(metric="unsupported_slices", slice=names, value=float(small.sum()), n=int(rows.sum()), note=note)
    supported = np.flatnonzero(rows >= max(minimum_support, 1))
    for metric, ratio in (SLICE_METRICS | (SLICE_CHANGES if champion else {})).items():
        means = _Means(table, ratio, confidence)
        for k in supported:
            yield means.measure(metric, int(k), minimum_support)


@dataclass(frozen=True)
class _Means:
    """One metric on all slices of a table."""

    table: SliceTable
    ratio: Ratio
    confidence: float

    def measure(self, metric: str, k: int, minimum_support: int) -> Measurement:
        name, n = str(self.table.slice(k)), float(self.n[k])
        if not n >= minimum_support:
            return unmeasured(metric, n, f"{n:.0f} rows count, support is {minimum_support}", slice=name)
        return measured(metric, float(self.values[k]), self.interval(k), n, slice=name)

    def interval(self, k: int) -> Interval | None:
        if not self.units[k] >= MINIMUM_BLOCKS:
            return None
        if self.ratio.squares is not None:
            return self._student(k)
        sums, effect = self.table.sums, float(self.effects[k])
        n, plus = float(self.n[k]) / effect, float(sums[self.ratio.plus][k]) / effect
        if self.ratio.minus is None:
            return wilson(plus, n, confidence=self.confidence)
        return tango(plus, float(sums[self.ratio.minus][k]) / effect, n, confidence=self.confidence)

    def _student(self, k: int) -> Interval:
        reach = float(stdtrit(self.units[k] - 1, (1 + self.confidence) / 2) * self.variances[k] ** 0.5)
        value = float(self.values[k])
        return Interval(low=value - reach, high=value + reach, confidence=self.confidence, method="Student")

    @cached_property
    def n(self) -> FloatArray:
        return self.table.sums[self.ratio.denominator]

    @cached_property
    def values(self) -> FloatArray:
        return self.table.value(self.ratio)

    @cached_property
    def units(self) -> FloatArray:
        return self.table.units(self.ratio)

    @cached_property
    def variances(self) -> FloatArray:
        return self.table.variance(self.ratio)

    @cached_property
    def effects(self) -> FloatArray:
        return self.table.design_effect(self.ratio)
