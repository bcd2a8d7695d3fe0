"""Predicted classes in a file, of which there are more than two."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import add
from typing import Any

from gatewright.core.checks.class_groups import ClassFairnessSums, class_fairness_sums
from gatewright.core.checks.fairness_multiclass import measure_multiclass_fairness, measure_multiclass_fairness_sums
from gatewright.core.checks.group_means import class_group_rates
from gatewright.core.checks.multiclass import measure_multiclass, measure_multiclass_sums
from gatewright.core.checks.multiclass_metrics import NO_PROBABILITIES
from gatewright.core.checks.multiclass_sums import MulticlassSums, multiclass_sums
from gatewright.core.results import Measurement
from gatewright.services.batches import DataFile
from gatewright.services.file_columns import (
    BatchColumns,
    FileColumns,
    FileMeasurements,
    Progress,
    Terms,
    batches_of,
    judged_and_shown,
)
from gatewright.services.row_parts import RowPart, few_or_many

__all__ = ["measure_classes"]


@dataclass(frozen=True)
class _Sums:
    rows: int
    evaluation: MulticlassSums
    fairness: ClassFairnessSums

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(self.rows + other.rows, self.evaluation + other.evaluation, self.fairness + other.fairness)


def measure_classes(file: DataFile, columns: FileColumns, terms: Terms, progress: Progress) -> FileMeasurements:
    """Raises DataError and ModelError naming file, column and row of a bad value, and DataError for no rows."""
    names = _classes(file, columns)
    parts = (RowPart.read(batch, batch.classes) for batch in batches_of(file, columns, progress))
    few, read = few_or_many(parts)
    if few is not None:
        return _of_few(few, names, terms)
    sums = reduce(add, (_sums(part, names) for part in chain(read, parts)))
    judged, shown = judged_and_shown(lambda support: _gaps(sums.fairness, terms, support), terms)
    overall = measure_multiclass_sums(sums.evaluation, confidence=terms.confidence, seed=terms.seed)
    return FileMeasurements(
        sums.rows, _measured(overall), judged, shown, class_group_rates(sums.fairness, columns.sensitive), {}
    )


def _classes(file: DataFile, columns: FileColumns) -> list[str]:
    """All classes that label or predictions name: they must be known before counting begins."""
    wanted = [name for name in (columns.label, columns.prediction, columns.champion_prediction) if name is not None]
    found: set[str] = set()
    for batch in file.batches(wanted):
        read = BatchColumns(batch, columns, str(file.path))
        for name in wanted:
            found.update(read.classes(name))
    return sorted(found)


def _of_few(rows: RowPart, names: Sequence[str], terms: Terms) -> FileMeasurements:
    given: dict[str, Any] = {
        "classes": names,
        "champion_predictions": rows.champion,
        "clusters": rows.clusters,
        "confidence": terms.confidence,
        "seed": terms.seed,
    }
    judged, shown = judged_and_shown(
        lambda support: measure_multiclass_fairness(
            rows.labels, rows.predictions, rows.groups, minimum_support=support, **given
        ),
        terms,
    )
    overall = measure_multiclass(rows.labels, rows.predictions, **given)
    fairness = class_fairness_sums(rows.labels, rows.predictions, rows.groups, classes=names)
    groups = class_group_rates(fairness, tuple(rows.groups))
    return FileMeasurements(rows.labels.size, _measured(overall), judged, shown, groups, {})


def _measured(overall: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Without what needs a probability of each class: a file has predictions only."""
    return tuple(m for m in overall if NO_PROBABILITIES not in m.note)


def _sums(part: RowPart, names: Sequence[str]) -> _Sums:
    given: dict[str, Any] = {
        "classes": names,
        "champion_predictions": part.champion,
        "clusters": part.clusters,
        "start": part.start,
    }
    return _Sums(
        rows=part.labels.size,
        evaluation=multiclass_sums(part.labels, part.predictions, **given),
        fairness=class_fairness_sums(part.labels, part.predictions, part.groups, **given),
    )


def _gaps(sums: ClassFairnessSums, terms: Terms, support: int) -> tuple[Measurement, ...]:
    return measure_multiclass_fairness_sums(sums, confidence=terms.confidence, minimum_support=support, seed=terms.seed)
