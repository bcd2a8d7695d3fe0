"""The rows that slices are summed from, by task: what is right or wrong, and how far a number is off."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from gatewright.core.statistics.blocks import FloatArray, IntArray
from gatewright.core.statistics.slicing import Ratio

__all__ = [
    "CLASS_SLICE_METRICS",
    "NUMBER_SLICE_METRICS",
    "SLICE_METRICS",
    "ClassRows",
    "NumberRows",
    "Rows",
    "ScoredRows",
    "changes_of",
    "step_of",
]

SLICE_METRICS: dict[str, Ratio] = {
    "accuracy": Ratio("rows", "correct"),
    "error_rate": Ratio("rows", "errors"),
    "recall": Ratio("positives", "hits"),
    "log_loss": Ratio("rows", "loss", squares="loss_squares"),
}
# Recall is that of one class: of several, the stage `evaluate` has it of each.
CLASS_SLICE_METRICS = {name: ratio for name, ratio in SLICE_METRICS.items() if name != "recall"}
NUMBER_SLICE_METRICS: dict[str, Ratio] = {"mae": Ratio("rows", "distance", squares="distance_squares")}
_CHANGES: dict[str, Ratio] = {
    "accuracy": Ratio("rows", "fewer_errors", "more_errors"),
    "error_rate": Ratio("rows", "more_errors", "fewer_errors"),
    "recall": Ratio("positives", "gained_hits", "lost_hits"),
    "log_loss": Ratio("rows", "loss_change", squares="loss_change_squares"),
    "mae": Ratio("rows", "distance_change", squares="distance_change_squares"),
}
# Multiples of a power of two add up without rounding, and so to the same bytes in any order.
LOSS_STEP = 2.0**-20
# Of the largest distance: 2**31 rows of 2**20 steps are below 2**53, where floats are still exact.
STEPS = 20
# The square of a smaller step would be zero.
LEAST_EXPONENT = -400
_LEAST = float(np.finfo(np.float64).eps)


class Rows(Protocol):
    """The rows of the evaluation data with what was said of them; ``clusters`` None when they are independent."""

    @property
    def clusters(self) -> NDArray[np.uint64] | None: ...

    @property
    def metrics(self) -> dict[str, Ratio]:
        """What is measured of each slice."""

    @property
    def compared(self) -> bool:
        """Whether a champion answered too."""

    @property
    def searched(self) -> bool:
        """Whether answers are right or wrong, which the search for the worst slices asks."""

    def __len__(self) -> int: ...

    def __getitem__(self, kept: Any) -> Self:
        """Some of the rows: a slice, or indices."""

    def content(self) -> list[NDArray[Any]]:
        """All that tells one row from another, each of shape (rows,)."""

    def values(self) -> dict[str, FloatArray]:
        """What is summed, each of shape (rows,)."""


def changes_of(metrics: dict[str, Ratio]) -> dict[str, Ratio]:
    """The paired changes to the champion of ``metrics``."""
    return {f"{metric}_change": _CHANGES[metric] for metric in metrics}


def step_of(*distances: FloatArray | None) -> float:
    """The step to which distances are rounded: a millionth of the largest, as a power of two; 1 where all are 0."""
    largest = max((float(values.max(initial=0.0)) for values in distances if values is not None), default=0.0)
    return 2.0 ** (max(int(np.frexp(largest)[1]), LEAST_EXPONENT) - STEPS) if largest else 1.0


@dataclass(frozen=True)
class _Answered:
    """What candidate and champion answered: shape (rows,), of several classes (rows, classes)."""

    labels: NDArray[Any]
    answers: FloatArray
    champion: FloatArray | None
    clusters: NDArray[np.uint64] | None

    @property
    def compared(self) -> bool:
        return self.champion is not None

    @property
    def searched(self) -> bool:
        return True

    def __len__(self) -> int:
        return int(self.labels.size)

    def __getitem__(self, kept: Any) -> Self:
        champion = None if self.champion is None else self.champion[kept]
        clusters = None if self.clusters is None else self.clusters[kept]
        return replace(self, labels=self.labels[kept], answers=self.answers[kept], champion=champion, clusters=clusters)

    def content(self) -> list[NDArray[Any]]:
        answers = [answers for answers in (self.answers, self.champion) if answers is not None]
        own = [column for one in answers for column in ([one] if one.ndim == 1 else one.T)]
        return [self.labels, *own, *([] if self.clusters is None else [self.clusters])]


@dataclass(frozen=True)
class ScoredRows(_Answered):
    """Labels 0.0 and 1.0 and scores of a binary decision at ``threshold``."""

    threshold: float = field(kw_only=True)

    @property
    def metrics(self) -> dict[str, Ratio]:
        return SLICE_METRICS

    def values(self) -> dict[str, FloatArray]:
        positive, wrong = self.labels == 1, self._wrong(self.answers)
        values = _decided(wrong, self._loss(self.answers))
        values |= {"positives": self.labels, "hits": (positive & ~wrong).astype(float)}
        if self.champion is None:
            return values
        theirs = self._wrong(self.champion)
        return (
            values
            | _changed(wrong, theirs, values["loss"] - self._loss(self.champion))
            | {
                "lost_hits": (wrong & ~theirs & positive).astype(float),
                "gained_hits": (theirs & ~wrong & positive).astype(float),
            }
        )

    def _wrong(self, scores: FloatArray) -> NDArray[np.bool_]:
        wrong: NDArray[np.bool_] = (scores >= self.threshold) != (self.labels == 1)
        return wrong

    def _loss(self, scores: FloatArray) -> FloatArray:
        safe = np.clip(scores, _LEAST, 1 - _LEAST)
        return _rounded(-np.where(self.labels == 1, np.log(safe), np.log1p(-safe)), LOSS_STEP)


@dataclass(frozen=True)
class ClassRows(_Answered):
    """Labels as places of their classes, and probabilities of all classes; decided is the most probable one."""

    @property
    def metrics(self) -> dict[str, Ratio]:
        return CLASS_SLICE_METRICS

    def values(self) -> dict[str, FloatArray]:
        wrong = self._wrong(self.answers)
        values = _decided(wrong, self._loss(self.answers))
        if self.champion is None:
            return values
        return values | _changed(wrong, self._wrong(self.champion), values["loss"] - self._loss(self.champion))

    def _wrong(self, probabilities: FloatArray) -> NDArray[np.bool_]:
        wrong: NDArray[np.bool_] = probabilities.argmax(axis=1) != self.labels
        return wrong

    def _loss(self, probabilities: FloatArray) -> FloatArray:
        places: IntArray = np.arange(len(self))
        of_truth = probabilities[places, self.labels]
        return _rounded(-np.log(np.clip(of_truth, _LEAST, 1.0)), LOSS_STEP)


@dataclass(frozen=True)
class NumberRows(_Answered):
    """Targets and predicted numbers; distances are rounded to ``step``, see `step_of`."""

    step: float = field(kw_only=True)

    @property
    def metrics(self) -> dict[str, Ratio]:
        return NUMBER_SLICE_METRICS

    @property
    def searched(self) -> bool:
        return False

    def values(self) -> dict[str, FloatArray]:
        ours = self._distance(self.answers)
        values = {"rows": np.ones_like(ours)} | self._with_squares("distance", ours)
        if self.champion is None:
            return values
        return values | self._with_squares("distance_change", ours - self._distance(self.champion))

    def _distance(self, answers: FloatArray) -> FloatArray:
        return _rounded(np.abs(answers - self.labels), self.step)

    def _with_squares(self, name: str, values: FloatArray) -> dict[str, FloatArray]:
        # Their largest has 2 * STEPS binary digits; as many steps as of the values themselves stay exact.
        return {name: values, f"{name}_squares": _rounded(values**2, self.step**2 * 2.0**STEPS)}


def _decided(wrong: NDArray[np.bool_], loss: FloatArray) -> dict[str, FloatArray]:
    return {
        "rows": np.ones_like(loss),
        "errors": wrong.astype(float),
        "correct": (~wrong).astype(float),
        "loss": loss,
        "loss_squares": _rounded(loss**2, LOSS_STEP),
    }


def _changed(wrong: NDArray[np.bool_], theirs: NDArray[np.bool_], change: FloatArray) -> dict[str, FloatArray]:
    return {
        "more_errors": (wrong & ~theirs).astype(float),
        "fewer_errors": (theirs & ~wrong).astype(float),
        "loss_change": change,
        "loss_change_squares": _rounded(change**2, LOSS_STEP),
    }


def _rounded(values: FloatArray, step: float) -> FloatArray:
    rounded: FloatArray = np.rint(values / step) * step
    return rounded
