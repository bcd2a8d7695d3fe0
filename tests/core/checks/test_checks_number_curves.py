"""Charts of predicted numbers: points that can be computed by hand, and the same bars for both models."""

import json

import numpy as np
import pytest

from gatewright.core.checks.number_curves import number_curves


def test_points_are_the_means_of_equally_many_rows_with_their_interval():
    """Of two hundred predictions ten bins of twenty; the first holds 0 to 19 and their targets, which are 1 more."""
    predictions = np.arange(200.0)
    points = number_curves(predictions + 1, predictions, confidence=0.9)["candidate"]["by_prediction"]
    assert [point["n"] for point in points] == [20] * 10
    assert points[0]["mean_prediction"] == 9.5
    assert points[0]["mean_target"] == 10.5
    margin = 1.6448536 * np.std(np.arange(20), ddof=1) / 20**0.5
    assert points[0]["low"] == pytest.approx(10.5 - margin)
    assert points[0]["high"] == pytest.approx(10.5 + margin)


def test_errors_of_both_models_are_counted_in_the_same_bars():
    """Every row once, those far off in the outermost bar."""
    rng = np.random.default_rng(0)
    targets = rng.normal(0, 1, 1_000)
    ours, theirs = targets + rng.normal(0, 1, 1_000), targets + rng.normal(1, 2, 1_000)
    theirs[0] = 1e9
    curves = number_curves(targets, ours, theirs, confidence=0.9)
    json.dumps(curves, allow_nan=False)
    errors = [curves[model]["errors"] for model in ("candidate", "champion")]
    assert errors[0]["edges"] == errors[1]["edges"]
    assert [sum(of["counts"]) for of in errors] == [1_000, 1_000]
    assert errors[0]["edges"][-1] < 10


def test_without_rows_or_without_errors_nothing_is_divided_by_nothing():
    """A perfect model has one bar, one row no interval, and no rows no points."""
    perfect = number_curves(np.ones(5), np.ones(5), confidence=0.9)["candidate"]
    assert sum(perfect["errors"]["counts"]) == 5
    assert perfect["by_prediction"][0]["low"] == 1
    one = number_curves(np.ones(1), np.zeros(1), confidence=0.9)
    assert one["candidate"]["by_prediction"] == [
        {"mean_prediction": 0.0, "mean_target": 1.0, "low": None, "high": None, "n": 1}
    ]
    assert one["champion"] is None
    assert number_curves(np.array([]), np.array([]), confidence=0.9)["candidate"]["by_prediction"] == []
