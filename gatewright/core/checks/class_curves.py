"""Points for the charts of a model with several classes, as plain JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from gatewright.core.checks.class_labels import accept_class_labels
from gatewright.core.checks.curves import calibration_points
from gatewright.core.statistics.blocks import FloatArray, IntArray
from gatewright.core.statistics.score_table import ScoreTable

__all__ = ["REST", "class_curves"]

# Counts of more classes nobody reads; the rarest are added up.
MAXIMUM_CLASSES = 12
REST = "all others"


def class_curves(
    labels: NDArray[Any],
    probabilities: FloatArray,
    champion: FloatArray | None = None,
    *,
    classes: Sequence[str],
    confidence: float,
) -> dict[str, JsonValue]:
    """Curves of ``candidate`` and ``champion``, None without probabilities of shape (rows, classes).

    Each holds ``confusion`` (``classes`` by ``classes``: rows by true class, columns by most probable class) and
    ``calibration`` of the most probable class: its mean probability, and the share of rows in which it was right.
    ``classes`` are the most frequent ones and, beyond ``MAXIMUM_CLASSES``, all others as one. Raises DataError for
    labels that are no class.
    """
    truth = accept_class_labels(labels, tuple(classes))
    shown, group = _grouped(truth, tuple(classes))
    models = {"candidate": probabilities, "champion": champion}
    drawn: dict[str, JsonValue] = {
        name: None if answers is None else _curves(truth, answers, group, len(shown), confidence)
        for name, answers in models.items()
    }
    return {"classes": [*shown], "confidence": confidence, **drawn}


def _grouped(truth: IntArray, classes: tuple[str, ...]) -> tuple[list[str], IntArray]:
    """Names of the rows of the table, and for each class its row."""
    if len(classes) <= MAXIMUM_CLASSES:
        return list(classes), np.arange(len(classes))
    rows = np.bincount(truth, minlength=len(classes))
    kept = np.sort(np.argsort(-rows, kind="stable")[: MAXIMUM_CLASSES - 1])
    group = np.full(len(classes), kept.size)
    group[kept] = np.arange(kept.size)
    return [*(classes[k] for k in kept), REST], group


def _curves(
    truth: IntArray, answers: FloatArray, group: IntArray, size: int, confidence: float
) -> dict[str, JsonValue]:
    chosen = answers.argmax(axis=1)
    cells = np.bincount(group[truth] * size + group[chosen], minlength=size * size)
    table, _ = ScoreTable.of_rows(chosen == truth, answers.max(axis=1))
    return {
        "confusion": [[*row] for row in cells.reshape(size, size).tolist()],
        "calibration": [dict(point._asdict()) for point in calibration_points(table, confidence)],
    }
