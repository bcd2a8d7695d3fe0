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
from scipy.special import stdtrit

from gatewright.core.checks.class_labels import accept_class_labels, accept_classes, accept_probabilities
from gatewright.core.checks.inputs import accept_clusters, accept_labels, accept_scores, measured, unmeasured
from gatewright.core.checks.regression import accept_numeric_predictions, accept_targets
from gatewright.core.checks.slice_rows import (
    SLICE_METRICS,
    ClassRows,
    NumberRows,
    Rows,
    ScoredRows,
    changes_of,
    step_of,
)
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

__all__ = ["Terms", "measure_class_slices", "measure_number_slices", "measure_slices"]

# Rows are summed in parts of this size.
PART = 1 << 18
UNDEFINED = "not defined for a model of this task"


@dataclass(frozen=True)
class Terms:
    """``columns`` to slice by, and how many of them at once; a slice needs ``minimum_support`` rows."""

    columns: Sequence[str]
    depth: int
    confidence: float
    minimum_support: int
    seed: int = 0


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
    truth = accept_labels(labels)
    ours = accept_scores(scores, truth.size, where="candidate scores")
    theirs = None if champion_scores is None else accept_scores(champion_scores, truth.size, where="champion scores")
    rows = ScoredRows(truth, ours, theirs, accept_clusters(clusters, truth.size), threshold=threshold)
    return _measure(rows, frame_columns, Terms(columns, depth, confidence, minimum_support, seed))


def measure_class_slices(
    labels: Any,
    probabilities: Any,
    frame_columns: Mapping[str, Any],
    terms: Terms,
    *,
    classes: Sequence[Any],
    clusters: Any = None,
    champion_probabilities: Any = None,
) -> tuple[Measurement, ...]:
    """As `measure_slices` for several classes, without recall: an error is a most probable class that is not true.

    ``labels`` of ``classes``, shape (rows,); probabilities: shape (rows, classes), columns in their order. Raises what
    `measure_slices` raises, and SpecError for wrong classes.
    """
    names = accept_classes(classes)
    truth = accept_class_labels(labels, names)
    ours = accept_probabilities(probabilities, truth.size, len(names), where="candidate probabilities")
    theirs = champion_probabilities
    if theirs is not None:
        theirs = accept_probabilities(theirs, truth.size, len(names), where="champion probabilities")
    rows = ClassRows(truth, ours, theirs, accept_clusters(clusters, truth.size))
    return _measure(rows, frame_columns, terms)


def measure_number_slices(
    targets: Any,
    predictions: Any,
    frame_columns: Mapping[str, Any],
    terms: Terms,
    *,
    clusters: Any = None,
    champion_predictions: Any = None,
) -> tuple[Measurement, ...]:
    """``mae`` of every slice with support, in the target's unit, and with a champion ``mae_change``.

    The search is for answers that are right or wrong, which numbers are not: what it would leave behind has no value.
    Targets and predictions: shape (rows,). Raises what `measure_slices` raises.
    """
    truth = accept_targets(targets)
    ours = accept_numeric_predictions(predictions, truth.size, where="candidate predictions")
    theirs = champion_predictions
    if theirs is not None:
        theirs = accept_numeric_predictions(theirs, truth.size, where="champion predictions")
    step = step_of(*(None if said is None else np.abs(said - truth) for said in (ours, theirs)))
    rows = NumberRows(truth, ours, theirs, accept_clusters(clusters, truth.size), step=step)
    return _measure(rows, frame_columns, terms)


def _measure(rows: Rows, frame: Mapping[str, Any], terms: Terms) -> tuple[Measurement, ...]:
    rows, coded = _in_order(rows, frame, terms.columns)
    halves = _tables(rows, coded, terms.depth, terms.seed)
    found: list[Measurement] = []
    for table in map(add, *halves):
        found += _measure_table(table, rows, terms)
    for kind in SEARCHES[: 2 if rows.compared else 1]:
        if rows.searched:
            found += search(halves, kind, confidence=terms.confidence, minimum_support=terms.minimum_support)
    return (*found, *_undefined(rows, terms))


def _undefined(rows: Rows, terms: Terms) -> Iterator[Measurement]:
    """What is measured of a binary decision only, by column, without a value: a rule on it must not be silent."""
    missing = {name: ratio for name, ratio in SLICE_METRICS.items() if name not in rows.metrics}
    metrics = [*missing, *(changes_of(missing) if rows.compared else ())]
    searches = SEARCHES[: 0 if rows.searched else 2 if rows.compared else 1]
    for column in terms.columns:
        for metric in (*metrics, *(kind.metric for kind in searches)):
            yield unmeasured(metric, len(rows), UNDEFINED, slice=column)
    yield from (unmeasured(kind.summary, len(rows), UNDEFINED) for kind in searches)


def _tables(rows: Rows, coded: Sequence[CodedColumn], depth: int, seed: int) -> list[list[SliceTable]]:
    """The tables of both halves, from parts of the rows: beside the inputs no memory grows with their number."""
    halves = np.random.default_rng(seed).permutation(BLOCKS) % 2
    total: list[list[SliceTable]] = []
    for start in range(0, max(len(rows), 1), PART):
        cells = _part(rows, coded, halves, start)
        part = [list(cells.of_half(half).tables(depth)) for half in (0, 1)]
        total = [list(map(add, *pair)) for pair in zip(total, part, strict=True)] if total else part
    return total


def _part(rows: Rows, coded: Sequence[CodedColumn], halves: IntArray, start: int) -> Cells:
    part = slice(start, start + PART)
    own = rows[part]
    blocks = assign_blocks(len(own), own.clusters, start=start)
    columns = [column[part] for column in coded]
    return cells_of(columns, own.values(), half=halves[blocks], blocks=None if own.clusters is None else blocks)


def _in_order(rows: Rows, frame: Mapping[str, Any], columns: Sequence[str]) -> tuple[Rows, list[CodedColumn]]:
    """The rows in an order that their content gives, with their columns."""
    if not columns:
        raise DataError("no column was named.", where="slices", remedy="name the columns to slice by.")
    coded = [code_column(name, _column(frame, name, len(rows))) for name in sorted(set(columns))]
    if len(rows) >= EXACT_ROWS:
        return rows, coded
    order = canonical_order(*rows.content(), *(column.codes for column in coded))
    return rows[order], [column[order] for column in coded]


def _column(frame: Mapping[str, Any], name: str, rows: int) -> Any:
    if name not in frame:
        raise DataError(f"the column `{name}` is missing.", where="slices", remedy="load it, or do not slice by it.")
    if len(frame[name]) != rows:
        raise DataError(f"{len(frame[name])} values for {rows} rows.", where=f"column {name}", remedy="give one a row.")
    return frame[name]


def _measure_table(table: SliceTable, rows: Rows, terms: Terms) -> Iterator[Measurement]:
    n, support = table.sums["rows"], terms.minimum_support
    small = (n > 0) & (n < support)
    names = " & ".join(column.name for column in table.columns)
    note = f"{int(n[small].sum())} rows in slices of fewer than {support}" if small.any() else ""
    yield Measurement(metric="unsupported_slices", slice=names, value=float(small.sum()), n=int(n.sum()), note=note)
    supported = np.flatnonzero(n >= max(support, 1))
    for metric, ratio in (rows.metrics | (changes_of(rows.metrics) if rows.compared else {})).items():
        means = _Means(table, ratio, terms.confidence)
        for k in supported:
            yield means.measure(metric, int(k), support)


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
