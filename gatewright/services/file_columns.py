"""Which column of a file holds what, and the columns of one batch as the checks want them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from gatewright.core.checks.group_slices import UNSUPPORTED
from gatewright.core.columns import Column, binary, classes, clusters, numbers, probabilities
from gatewright.core.errors import DataError, SpecError
from gatewright.core.file_verdict import GroupRates
from gatewright.core.results import Measurement
from gatewright.core.spec import Task
from gatewright.core.statistics.blocks import FloatArray
from gatewright.services.batches import Batch, DataFile

__all__ = ["BatchColumns", "FileColumns", "FileMeasurements", "Progress", "Terms", "batches_of", "judged_and_shown"]

Progress = Callable[[int], None]
Gaps = tuple[Measurement, ...]
_TASKS = {"binary_classification": "binary", "multiclass_classification": "multiclass", "regression": "regression"}


@dataclass(frozen=True)
class FileColumns:
    """Names of columns. ``positive``: the positive value of label and predictions, as text.

    ``threshold`` makes decisions of scores where there are no predictions.
    """

    label: str
    prediction: str | None = None
    score: str | None = None
    champion_score: str | None = None
    champion_prediction: str | None = None
    sensitive: tuple[str, ...] = ()
    cluster: str | None = None
    positive: str | None = None
    threshold: float = 0.5
    task: Task = "binary_classification"

    def __post_init__(self) -> None:
        """Raises SpecError where the candidate has nothing, or what does not belong together."""
        if self.task != "binary_classification" and (self.score or self.champion_score or self.positive):
            raise _call(
                f"scores and a positive value do not belong to a {self.task.replace('_', ' ')}.",
                "give --prediction COL, and --champion-prediction COL.",
            )
        if self.prediction is None and self.score is None:
            raise _call("there is nothing to check.", "give --prediction COL, --score COL, or both.")
        if self.champion_score is not None and self.score is None:
            raise _call("the champion has scores and the candidate has none.", "give --score COL too.")
        if self.label in self._besides_label():
            raise _call(f"`{self.label}` is the label and something else.", "name another column.")
        if len(set(self.sensitive)) != len(self.sensitive):
            raise _call("a sensitive column is named twice.", "name each column once.")
        if not 0 <= self.threshold <= 1:
            raise _call(f"a threshold of {self.threshold} is no probability.", "give --threshold within 0 and 1.")

    @property
    def given(self) -> set[str]:
        """What a rule may ask for in ``needs``."""
        present = {
            _TASKS[self.task]: True,
            "classification": self.task != "regression",
            "predictions": True,
            "scores": self.score is not None,
            "champion": self.champion_score is not None or self.champion_prediction is not None,
            "champion_scores": self.champion_score is not None,
            "sensitive": bool(self.sensitive),
        }
        return {name for name, there in present.items() if there}

    def all(self) -> list[str]:
        """Every column to read, each once."""
        return list(dict.fromkeys([self.label, *self._besides_label()]))

    def _besides_label(self) -> list[str]:
        single = (self.prediction, self.score, self.champion_score, self.champion_prediction, self.cluster)
        return [*(name for name in single if name is not None), *self.sensitive]


@dataclass(frozen=True)
class Terms:
    """How a file is measured: ``minimum_support`` is that of the rules; ``curves`` are for a report."""

    confidence: float
    minimum_support: int
    seed: int = 0
    curves: bool = False


@dataclass(frozen=True)
class FileMeasurements:
    """What one pass found. ``judged`` gaps are over groups with support, ``shown`` ones over all groups."""

    rows: int
    overall: tuple[Measurement, ...]
    judged: tuple[Measurement, ...]
    shown: tuple[Measurement, ...]
    groups: GroupRates
    curves: Mapping[str, Any]


def judged_and_shown(gaps: Callable[[int], Gaps], terms: Terms) -> tuple[Gaps, Gaps]:
    """``gaps`` at the rules' minimum support, and over all groups, as fairlearn shows them.

    They are the same, and measured once, unless some group lacks support.
    """
    judged = gaps(terms.minimum_support)
    lacking = any(m.value for m in judged if m.metric == UNSUPPORTED)
    return judged, gaps(1) if lacking else judged


@dataclass(frozen=True)
class BatchColumns:
    """One batch of the file ``where``. Each method raises DataError or ModelError naming column and row."""

    batch: Batch
    columns: FileColumns
    where: str

    @property
    def start(self) -> int:
        return self.batch.start

    @property
    def rows(self) -> int:
        return int(self.batch.rows.num_rows)

    def decisions(self, name: str | None) -> FloatArray | None:
        return None if name is None else binary(self._column(name), positive=self.columns.positive)

    def scores(self, name: str | None) -> FloatArray | None:
        return None if name is None else probabilities(self._column(name))

    def numbers(self, name: str) -> FloatArray:
        return numbers(self._column(name))

    def classes(self, name: str) -> NDArray[Any]:
        return classes(self._column(name))

    def groups(self) -> dict[str, pa.Array]:
        return {name: self.batch.rows.column(name) for name in self.columns.sensitive}

    def clusters(self) -> NDArray[Any] | None:
        """None where no cluster column was named."""
        return None if self.columns.cluster is None else clusters(self._column(self.columns.cluster))

    def _column(self, name: str) -> Column:
        return Column(name, self.batch.rows.column(name), self.where, self.batch.start)


def batches_of(file: DataFile, columns: FileColumns, progress: Progress) -> Iterator[BatchColumns]:
    """The file batch by batch; ``progress`` is called with the rows read so far. Raises DataError for no rows."""
    rows = 0
    for batch in file.batches(columns.all()):
        yield BatchColumns(batch, columns, str(file.path))
        rows = batch.start + batch.rows.num_rows
        progress(rows)
    if not rows:
        raise DataError("the file has no rows.", where=str(file.path), remedy="deliver the data again.")


def _call(problem: str, remedy: str) -> SpecError:
    return SpecError(problem, where="command line", remedy=remedy)
