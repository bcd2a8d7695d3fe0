"""Predicted numbers in a file."""

from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import add
from typing import Any

from gatewright.core.checks.fairness_regression import (
    RegressionFairnessSums,
    measure_regression_fairness,
    measure_regression_fairness_sums,
    regression_fairness_sums,
)
from gatewright.core.checks.group_means import group_errors
from gatewright.core.checks.inputs import accept_clusters
from gatewright.core.checks.regression import measure_regression, measure_regression_sums
from gatewright.core.results import Measurement
from gatewright.core.statistics.blocks import assign_blocks
from gatewright.core.statistics.regression import RegressionSums, regression_sums
from gatewright.services.batches import DataFile
from gatewright.services.file_columns import (
    FileColumns,
    FileMeasurements,
    Progress,
    Terms,
    batches_of,
    judged_and_shown,
)
from gatewright.services.row_parts import RowPart, few_or_many

__all__ = ["measure_numbers"]


@dataclass(frozen=True)
class _Sums:
    rows: int
    candidate: RegressionSums
    champion: RegressionSums | None
    fairness: RegressionFairnessSums

    def __add__(self, other: "_Sums") -> "_Sums":
        champion = None if self.champion is None or other.champion is None else self.champion + other.champion
        return _Sums(self.rows + other.rows, self.candidate + other.candidate, champion, self.fairness + other.fairness)


def measure_numbers(file: DataFile, columns: FileColumns, terms: Terms, progress: Progress) -> FileMeasurements:
    """Raises DataError and ModelError naming file, column and row of a bad value, and DataError for no rows."""
    parts = (RowPart.read(batch, batch.numbers) for batch in batches_of(file, columns, progress))
    few, read = few_or_many(parts)
    if few is not None:
        return _of_few(few, terms)
    sums = reduce(add, (_sums(part) for part in chain(read, parts)))
    judged, shown = judged_and_shown(lambda support: _gaps(sums.fairness, terms, support), terms)
    overall = measure_regression_sums(sums.candidate, sums.champion, confidence=terms.confidence, seed=terms.seed)
    return FileMeasurements(sums.rows, overall, judged, shown, group_errors(sums.fairness, columns.sensitive), {})


def _of_few(rows: RowPart, terms: Terms) -> FileMeasurements:
    given: dict[str, Any] = {
        "champion_predictions": rows.champion,
        "clusters": rows.clusters,
        "confidence": terms.confidence,
        "seed": terms.seed,
    }
    judged, shown = judged_and_shown(
        lambda support: measure_regression_fairness(
            rows.labels, rows.predictions, rows.groups, minimum_support=support, **given
        ),
        terms,
    )
    overall = measure_regression(rows.labels, rows.predictions, **given)
    groups = group_errors(_fairness(rows), tuple(rows.groups))
    return FileMeasurements(rows.labels.size, overall, judged, shown, groups, {})


def _sums(part: RowPart) -> _Sums:
    blocks = assign_blocks(part.labels.size, accept_clusters(part.clusters, part.labels.size), start=part.start)
    return _Sums(
        rows=part.labels.size,
        candidate=regression_sums(part.labels, part.predictions, blocks=blocks),
        champion=None if part.champion is None else regression_sums(part.labels, part.champion, blocks=blocks),
        fairness=_fairness(part),
    )


def _fairness(part: RowPart) -> RegressionFairnessSums:
    return regression_fairness_sums(
        part.labels,
        part.predictions,
        part.groups,
        champion_predictions=part.champion,
        clusters=part.clusters,
        start=part.start,
    )


def _gaps(sums: RegressionFairnessSums, terms: Terms, support: int) -> tuple[Measurement, ...]:
    return measure_regression_fairness_sums(sums, confidence=terms.confidence, minimum_support=support, seed=terms.seed)
