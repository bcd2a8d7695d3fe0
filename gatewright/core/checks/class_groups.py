"""Counts by group and class: what a fairness audit of several classes needs of the rows, mergeable exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gatewright.core.checks.class_labels import accept_class_labels, accept_class_predictions, accept_classes
from gatewright.core.checks.group_codes import GroupCodes
from gatewright.core.checks.group_slices import block_places, coded_slices, united
from gatewright.core.checks.inputs import accept_clusters
from gatewright.core.checks.regression import row_blocks
from gatewright.core.statistics.blocks import BLOCKS, IntArray, assign_blocks

__all__ = ["MAXIMUM_CELLS", "ClassFairnessSums", "ClassRows", "GroupClasses", "class_fairness_sums", "class_rows"]

# Groups times classes of one slice; with more, the counts of each in each block are too large.
MAXIMUM_CELLS = 2000


@dataclass(frozen=True)
class GroupClasses:
    """Counts of one slice by block, group and class: each of shape (BLOCKS, groups, classes).

    ``labelled``: rows of the class; for each model ``predicted`` as the class, and ``hits``: both.
    """

    groups: tuple[str, ...]
    labelled: IntArray
    predicted: tuple[IntArray, ...]
    hits: tuple[IntArray, ...]

    def __add__(self, other: Self) -> Self:
        groups = united(self.groups, other.groups)
        ours, theirs = self._spread(groups), other._spread(groups)
        return type(self)(
            groups,
            ours.labelled + theirs.labelled,
            tuple(a + b for a, b in zip(ours.predicted, theirs.predicted, strict=True)),
            tuple(a + b for a, b in zip(ours.hits, theirs.hits, strict=True)),
        )

    def _spread(self, groups: tuple[str, ...]) -> Self:
        places = block_places(self.groups, groups)

        def spread(counts: IntArray) -> IntArray:
            wider = np.zeros((BLOCKS * len(groups), counts.shape[-1]), dtype=np.int64)
            wider[places] = counts.reshape(-1, counts.shape[-1])
            return wider.reshape(BLOCKS, len(groups), -1)

        return type(self)(
            groups, spread(self.labelled), tuple(map(spread, self.predicted)), tuple(map(spread, self.hits))
        )


@dataclass(frozen=True)
class ClassFairnessSums:
    """Slice -> its counts, None where it has too many groups. Adding is exactly associative and commutative."""

    classes: tuple[str, ...]
    rows: int
    slices: Mapping[str, GroupClasses | None]
    champion: bool
    clustered: bool

    def __add__(self, other: Self) -> Self:
        if self._kind() != other._kind():
            raise ValueError("sums of other classes or columns, or with and without champion or clusters, do not add")
        slices = {name: _merged(counts, other.slices[name], self.classes) for name, counts in self.slices.items()}
        return type(self)(self.classes, self.rows + other.rows, slices, self.champion, self.clustered)

    def _kind(self) -> tuple[Any, ...]:
        return self.classes, set(self.slices), self.champion, self.clustered


def _merged(first: GroupClasses | None, second: GroupClasses | None, classes: tuple[str, ...]) -> GroupClasses | None:
    if first is None or second is None or len(united(first.groups, second.groups)) * len(classes) > MAXIMUM_CELLS:
        return None
    return first + second


@dataclass(frozen=True)
class ClassRows:
    """Accepted rows: labels and each model's predictions as places in ``classes``, and the slices' groups."""

    classes: tuple[str, ...]
    labels: IntArray
    predictions: tuple[IntArray, ...]
    slices: Mapping[str, GroupCodes]

    def sums(self, blocks: IntArray, *, clustered: bool) -> ClassFairnessSums:
        """Count the rows by block, shape (rows,)."""
        slices = {name: self._counts(column, blocks) for name, column in self.slices.items()}
        return ClassFairnessSums(self.classes, self.labels.size, slices, len(self.predictions) > 1, clustered)

    def blocks(self, clusters: Any) -> IntArray:
        """As `row_blocks`, of all that is known of the rows."""
        return row_blocks(clusters, self.labels, *self.predictions, *(column.codes for column in self.slices.values()))

    def _counts(self, column: GroupCodes, blocks: IntArray) -> GroupClasses | None:
        shape = (BLOCKS, len(column.names), len(self.classes))
        if shape[1] * shape[2] > MAXIMUM_CELLS:
            return None
        cells, size = (blocks * shape[1] + column.codes) * shape[2], int(np.prod(shape))
        right = [predicted == self.labels for predicted in self.predictions]
        return GroupClasses(
            column.names,
            np.bincount(cells + self.labels, minlength=size).reshape(shape),
            tuple(np.bincount(cells + codes, minlength=size).reshape(shape) for codes in self.predictions),
            tuple(np.bincount((cells + self.labels)[rows], minlength=size).reshape(shape) for rows in right),
        )


def class_rows(
    labels: Any, predictions: Any, groups: Mapping[str, Any], *, classes: Any, champion_predictions: Any = None
) -> ClassRows:
    """Raises SpecError, DataError and ModelError as `measure_multiclass`."""
    names = accept_classes(classes)
    truth = accept_class_labels(labels, names)
    models = [accept_class_predictions(predictions, truth.size, names, where="candidate predictions")]
    if champion_predictions is not None:
        models.append(accept_class_predictions(champion_predictions, truth.size, names, where="champion predictions"))
    return ClassRows(names, truth, tuple(models), coded_slices(groups, truth.size))


def class_fairness_sums(
    labels: Any,
    predictions: Any,
    groups: Mapping[str, Any],
    *,
    classes: Any,
    champion_predictions: Any = None,
    clusters: Any = None,
    start: int = 0,
) -> ClassFairnessSums:
    """The sums of one batch; ``start``: the first row's position in the file. Raises as `class_rows`."""
    rows = class_rows(labels, predictions, groups, classes=classes, champion_predictions=champion_predictions)
    ids = accept_clusters(clusters, rows.labels.size)
    return rows.sums(assign_blocks(rows.labels.size, ids, start=start), clustered=ids is not None)
