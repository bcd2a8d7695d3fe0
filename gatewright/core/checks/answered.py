"""What models answered to some rows whose truth is known, whatever the task."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewright.core.spec import Task
from gatewright.core.statistics.blocks import FloatArray

__all__ = ["Answered"]


@dataclass(frozen=True)
class Answered:
    """The truth of some rows, and what a model, and perhaps the champion, of ``task`` answered.

    ``truth``, shape (rows,): as `frames.targets_of`. ``answers`` and ``champion``: scores or numbers, shape (rows,);
    of several classes their probabilities, shape (rows, classes), columns in the order of ``classes``.
    ``threshold`` belongs to a binary classification.
    """

    task: Task
    truth: NDArray[Any]
    answers: FloatArray
    champion: FloatArray | None = None
    classes: tuple[str, ...] = ()
    threshold: float | None = None
    clusters: NDArray[Any] | None = None
    seed: int = 0

    @property
    def decided(self) -> NDArray[Any]:
        """One value a row, shape (rows,): the score, the number, or the most probable class."""
        return self.answers if self.answers.ndim == 1 else _most_probable(self.answers, self.classes)

    @property
    def champion_decided(self) -> NDArray[Any] | None:
        """As ``decided``, of the champion."""
        if self.champion is None or self.champion.ndim == 1:
            return self.champion
        return _most_probable(self.champion, self.classes)

    @property
    def at(self) -> float:
        """The decision threshold. Raises ValueError where there is none."""
        if self.threshold is None:
            raise ValueError(f"a {self.task} has no decision threshold")
        return self.threshold

    @property
    def sampling(self) -> dict[str, Any]:
        """How the rows are resampled."""
        return {"clusters": self.clusters, "seed": self.seed}


def _most_probable(probabilities: FloatArray, classes: tuple[str, ...]) -> NDArray[np.str_]:
    names: NDArray[np.str_] = np.array(classes, dtype=np.str_)[probabilities.argmax(axis=1)]
    return names
