"""What the evaluation of a model with several classes keeps of its rows; sums of two batches add up with ``+``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gatewright.core.checks.class_labels import (
    accept_class_labels,
    accept_class_predictions,
    accept_classes,
    accept_probabilities,
)
from gatewright.core.checks.inputs import accept_clusters
from gatewright.core.errors import ModelError
from gatewright.core.statistics.blocks import BlockTable, FloatArray, IntArray, assign_blocks
from gatewright.core.statistics.macro_auc import AucSums, auc_sums
from gatewright.core.statistics.multiclass import DecisionSums, LossSums, decision_sums, loss_sums, paired_hits

__all__ = ["ClassModel", "ModelSums", "MulticlassSums", "accept_model", "model_sums", "multiclass_sums"]


@dataclass(frozen=True)
class ClassModel:
    """One model's accepted answers: ``predictions`` of shape (rows,), ``probabilities`` (rows, classes) or None."""

    predictions: IntArray
    probabilities: FloatArray | None


@dataclass(frozen=True)
class ModelSums:
    """One model's counts, its losses and its histograms (both None without probabilities)."""

    decisions: DecisionSums
    losses: LossSums | None
    areas: AucSums | None

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.decisions + other.decisions,
            None if self.losses is None or other.losses is None else self.losses + other.losses,
            None if self.areas is None or other.areas is None else self.areas + other.areas,
        )

    def table(self) -> BlockTable:
        """All sums as floats, for the bootstrap."""
        losses = {} if self.losses is None else self.losses.table().sums
        return BlockTable({**self.decisions.table().sums, **losses})


@dataclass(frozen=True)
class MulticlassSums:
    """Sums of candidate and champion over the same rows; made by `multiclass_sums`.

    ``only_right``: rows that only the candidate and that only the champion gets right, by class: shape
    (classes, 2); None without champion. Adding is exactly associative and commutative; sums of other classes
    or columns are refused with ValueError.
    """

    classes: tuple[str, ...]
    clustered: bool
    candidate: ModelSums
    champion: ModelSums | None
    only_right: IntArray | None

    def __add__(self, other: Self) -> Self:
        if self._kind() != other._kind():
            raise ValueError("sums of other classes, or with and without champion, probabilities or clusters")
        champion = None if self.champion is None or other.champion is None else self.champion + other.champion
        pairs = None if self.only_right is None or other.only_right is None else self.only_right + other.only_right
        return type(self)(self.classes, self.clustered, self.candidate + other.candidate, champion, pairs)

    def _kind(self) -> tuple[Any, ...]:
        scored = [None if model is None else model.losses is not None for model in (self.candidate, self.champion)]
        return self.classes, self.clustered, *scored


def multiclass_sums(
    labels: Any,
    predictions: Any = None,
    probabilities: Any = None,
    *,
    classes: Sequence[Any],
    champion_predictions: Any = None,
    champion_probabilities: Any = None,
    clusters: Any = None,
    start: int = 0,
) -> MulticlassSums:
    """The sums of one batch; arguments as `measure_multiclass`. ``start``: the first row's position in the file."""
    names = accept_classes(classes)
    truth = accept_class_labels(labels, names)
    ids = accept_clusters(clusters, truth.size)
    blocks = assign_blocks(truth.size, ids, start=start)
    ours = accept_model(predictions, probabilities, truth.size, names, where="candidate")
    champion, pairs = None, None
    if champion_predictions is not None or champion_probabilities is not None:
        theirs = accept_model(champion_predictions, champion_probabilities, truth.size, names, where="champion")
        champion = model_sums(truth, theirs, blocks, len(names))
        pairs = paired_hits(truth, ours.predictions, theirs.predictions, len(names))
    return MulticlassSums(names, ids is not None, model_sums(truth, ours, blocks, len(names)), champion, pairs)


def accept_model(
    predictions: Any, probabilities: Any, rows: int, classes: tuple[str, ...], *, where: str
) -> ClassModel:
    """Answers of one model; without predictions the most probable class, of equals the first.

    Raises ModelError for wrong ones, and where there are neither.
    """
    if predictions is None and probabilities is None:
        raise ModelError(
            "there are neither predictions nor probabilities.", where=where, remedy="name a column with one of them."
        )
    scores = None
    if probabilities is not None:
        scores = accept_probabilities(probabilities, rows, len(classes), where=f"{where} probabilities")
    if predictions is not None:
        places = accept_class_predictions(predictions, rows, classes, where=f"{where} predictions")
        return ClassModel(places, scores)
    assert scores is not None
    return ClassModel(scores.argmax(axis=1).astype(np.int64), scores)


def model_sums(labels: IntArray, model: ClassModel, blocks: IntArray, classes: int, *, areas: bool = True) -> ModelSums:
    """Sums of one model; ``areas`` False leaves out the histograms for areas under curves."""
    scores = model.probabilities
    return ModelSums(
        decision_sums(labels, model.predictions, blocks, classes),
        None if scores is None else loss_sums(labels, scores, blocks),
        auc_sums(labels, scores, blocks) if areas and scores is not None else None,
    )
