"""Decisions and scores of two classes in a file."""

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from gatewright.core.checks.curves import curves_of_sums
from gatewright.core.checks.evaluation import EvaluationSums, evaluation_sums, measure_evaluation_sums
from gatewright.core.checks.fairness import (
    FairnessSums,
    decided_sums,
    group_rates,
    measure_fairness_sums,
)
from gatewright.core.errors import DataError
from gatewright.core.results import Measurement
from gatewright.services.batches import Batch, DataFile
from gatewright.services.file_columns import (
    BatchColumns,
    FileColumns,
    FileMeasurements,
    Progress,
    Terms,
    batches_of,
    judged_and_shown,
)

__all__ = ["FileSums", "file_sums", "measure_binary", "measure_sums"]


@dataclass(frozen=True)
class FileSums:
    """What one pass over the rows keeps; adding is associative and commutative to the byte."""

    evaluation: EvaluationSums
    fairness: FairnessSums | None

    def __add__(self, other: "FileSums") -> "FileSums":
        fairness = None if self.fairness is None or other.fairness is None else self.fairness + other.fairness
        return FileSums(self.evaluation + other.evaluation, fairness)


def measure_binary(file: DataFile, columns: FileColumns, terms: Terms, progress: Progress) -> FileMeasurements:
    """Raises DataError and ModelError naming file, column and row of a bad value, and DataError for no rows."""
    sums = reduce(add, (_sums(batch) for batch in batches_of(file, columns, progress)))
    if columns.positive is not None and not sums.evaluation.positives:
        raise DataError(
            f"no row holds `{columns.positive}`, the positive value.",
            where=f"{file.path}, column {columns.label}",
            remedy="correct --positive VALUE.",
        )
    return measure_sums(sums, terms)


def file_sums(batch: Batch, columns: FileColumns, where: str) -> FileSums:
    """The sums of one batch of the file ``where``. Raises DataError and ModelError naming column and row."""
    return _sums(BatchColumns(batch, columns, where))


def measure_sums(sums: FileSums, terms: Terms) -> FileMeasurements:
    """Everything from the sums of all batches."""
    judged, shown = judged_and_shown(lambda support: _gaps(sums.fairness, terms, support), terms)
    return FileMeasurements(
        rows=sums.evaluation.n,
        overall=measure_evaluation_sums(sums.evaluation, confidence=terms.confidence, seed=terms.seed),
        judged=judged,
        shown=shown,
        groups={} if sums.fairness is None else group_rates(sums.fairness),
        curves=curves_of_sums(sums.evaluation, confidence=terms.confidence) if terms.curves else {},
    )


def _gaps(sums: FairnessSums | None, terms: Terms, support: int) -> tuple[Measurement, ...]:
    if sums is None:
        return ()
    return measure_fairness_sums(sums, confidence=terms.confidence, minimum_support=support, seed=terms.seed)


def _sums(batch: BatchColumns) -> FileSums:
    columns = batch.columns
    labels, scores = batch.decisions(columns.label), batch.scores(columns.score)
    given: dict[str, Any] = {
        "predictions": batch.decisions(columns.prediction),
        "champion_scores": batch.scores(columns.champion_score),
        "champion_predictions": batch.decisions(columns.champion_prediction),
        "threshold": columns.threshold,
        "clusters": batch.clusters(),
    }
    evaluation = evaluation_sums(labels, scores, start=batch.start, **given)
    groups = batch.groups()
    return FileSums(evaluation, decided_sums(labels, scores, groups, **given) if groups else None)
