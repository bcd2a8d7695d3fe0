"""Charts of several classes: who is taken for whom, and whether the most probable class is as sure as it says."""

import json

import numpy as np
import pytest

from gatewright.core.checks.class_curves import REST, class_curves

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.2, 0.3]])
LABELS = np.array(["a", "b", "b", "c"])


def test_rows_are_true_classes_and_columns_the_most_probable_ones():
    """One b and one c are taken for a; the mean probability of the most probable class is 0.65, and half are right."""
    curves = class_curves(LABELS, PROBABILITIES, classes=("a", "b", "c"), confidence=0.9)
    json.dumps(curves, allow_nan=False)
    assert curves["candidate"]["confusion"] == [[1, 0, 0], [1, 1, 0], [1, 0, 0]]
    assert curves["champion"] is None
    points = curves["candidate"]["calibration"]
    assert sum(point["n"] for point in points) == 4
    assert np.average([p["mean_score"] for p in points], weights=[p["n"] for p in points]) == pytest.approx(0.65)
    assert np.average([p["observed_rate"] for p in points], weights=[p["n"] for p in points]) == pytest.approx(0.5)


def test_of_many_classes_the_rarest_are_counted_as_one():
    """Fifteen classes give twelve rows, the last of which holds the four rarest; no row is lost."""
    classes = tuple(f"c{k:02}" for k in range(15))
    labels = np.array([name for k, name in enumerate(classes) for _ in range(15 - k)])
    probabilities = np.full((labels.size, 15), 0.01)
    probabilities[np.arange(labels.size), [classes.index(name) for name in labels]] = 0.86
    curves = class_curves(labels, probabilities, probabilities, classes=classes, confidence=0.9)
    assert curves["classes"] == [*classes[:11], REST]
    confusion = np.array(curves["champion"]["confusion"])
    assert confusion.diagonal().tolist() == [*range(15, 4, -1), 10]
    assert confusion.sum() == labels.size
