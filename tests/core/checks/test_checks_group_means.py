"""Intervals of a group's means, told from its sums of squares."""

import numpy as np
import pytest

from gatewright.core.checks.by_task import CHECKS, Answered
from gatewright.core.checks.group_means import with_intervals


def test_mean_errors_have_the_normal_interval_of_their_rows():
    """As computed from the rows themselves, with n - 1."""
    errors = np.random.default_rng(0).normal(0.5, 2, 400)
    figures = {
        "n": 400,
        "mean_error": float(errors.mean()),
        "mae": float(np.abs(errors).mean()),
        "mean_squared_error": float((errors**2).mean()),
    }
    found = with_intervals(figures, confidence=0.9)
    for name, values in (("mean_error", errors), ("mae", np.abs(errors))):
        margin = 1.6448536 * values.std(ddof=1) / 20
        assert found[f"{name}_high"] - found[name] == pytest.approx(margin)
        assert found[name] - found[f"{name}_low"] == pytest.approx(margin)


def test_an_accuracy_has_wilsons_interval_and_a_single_row_no_variance():
    """8 of 10 at 95 %: [0.490, 0.943], as in the literature."""
    found = with_intervals({"n": 10, "accuracy": 0.8}, confidence=0.95)
    assert found["accuracy_low"] == pytest.approx(0.4902, abs=1e-4)
    assert found["accuracy_high"] == pytest.approx(0.9433, abs=1e-4)
    one = {"n": 1, "mean_error": 2.0, "mae": 2.0, "mean_squared_error": 4.0}
    assert with_intervals(one, confidence=0.9) == one


@pytest.mark.parametrize(
    ("task", "truth", "answers", "classes"),
    [
        ("regression", np.arange(40.0), np.arange(40.0) + 1, ()),
        ("multiclass_classification", np.array(["a", "b"] * 20), np.tile([0.9, 0.1], (40, 1)), ("a", "b")),
    ],
)
def test_a_release_keeps_every_group_and_pair_of_groups(task, truth, answers, classes):
    """Of two columns of two groups each there are two, two and four rows, each with intervals and its support."""
    groups = {"sex": np.array(["f", "m"] * 20), "age": np.array(["old"] * 20 + ["young"] * 20)}
    rows = Answered(task, truth, answers, classes=classes)
    _, details = CHECKS[task].fairness(rows, groups, 0.9, 15, lambda metric, slice: None)
    figures = details["group_means"]
    assert [row["slice"] for row in figures].count("age & sex") == 4
    assert len(figures) == 8
    assert [row["supported"] for row in figures if row["slice"] != "sex"] == [True] * 2 + [False] * 4
    name = "mae" if task == "regression" else "accuracy"
    assert all(row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] for row in figures)
    assert CHECKS[task].curves(rows, 0.9)["curves"]["candidate"]
