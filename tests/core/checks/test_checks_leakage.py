"""Leakage: answers, names and rows that a model should not have."""

import numpy as np
import pandas as pd
import pytest

from gatewright.core.checks.leakage import measure_leakage
from gatewright.core.errors import DataError


def drawn(n=4_000):
    """Severity 4 means dead, 5 and 6 do not: no order of the values tells, but the value 4 does."""
    rng = np.random.default_rng(0)
    dead = rng.random(n) < 0.05
    severity = np.where(dead, 4.0, rng.choice([0, 1, 2, 3, 5, 6], n))
    severity[rng.random(n) < 0.01] = np.nan
    frame = pd.DataFrame(
        {
            "severity": severity,
            "age": rng.integers(16, 90, n) + 10.0 * dead,
            "noise": rng.normal(size=n),
            "flag": rng.integers(0, 2, n),
            "case": [f"case {k}" for k in range(n)],
            "kind": rng.choice(list("abc"), n),
            "year": rng.choice([1997, 1998], n),
        }
    )
    return frame, dead.astype(int)


FEATURES = ("severity", "age", "noise", "flag", "kind")


def measure(frame, labels, features=FEATURES, **options):
    options = {"not_features": {}, "key": ["case"], **options}
    found = measure_leakage(frame, labels, features, confidence=0.9, **options)
    return {(m.metric, m.slice): m for m in found}


def test_a_value_that_tells_the_answer_is_found_although_no_order_does():
    """The target rate of the value 4 gives an area near 1, the values in order about one half."""
    frame, labels = drawn()
    found = measure(frame, labels)["single_feature_auc", "severity"]
    assert found.interval.low > 0.95
    assert found.n == 4_000


def test_a_number_is_judged_by_its_order_in_either_direction():
    """Age and minus age give nearly the same area (bins hold their lower edge), well above one half."""
    frame, labels = drawn()
    frame["youth"] = -frame["age"]
    found = measure(frame, labels, ("age", "youth"))
    assert found["single_feature_auc", "age"].value == pytest.approx(
        found["single_feature_auc", "youth"].value, abs=0.03
    )
    assert 0.55 < found["single_feature_auc", "age"].value < 0.8


@pytest.mark.parametrize("feature", ["noise", "flag", "kind", "case"])
def test_a_feature_without_information_is_near_one_half(feature):
    """Out of fold, no row tells its own label: even a unique text ranks nothing."""
    frame, labels = drawn()
    assert measure(frame, labels, (feature,))["single_feature_auc", feature].value < 0.58


def test_missing_values_that_tell_the_answer_are_found():
    """A number is empty exactly for the positives."""
    frame, labels = drawn()
    frame["noise"] = frame["noise"].mask(labels == 1)
    assert measure(frame, labels, ("noise",))["single_feature_auc", "noise"].value > 0.99


def test_forbidden_features_are_counted_and_named_with_the_reason():
    """An exact count without interval."""
    frame, labels = drawn()
    reasons = {"severity": "holds the target", "weight": "survey weight"}
    found = measure(frame, labels, not_features=reasons)["forbidden_features", "all"]
    assert (found.value, found.interval, found.note) == (1, None, "severity: holds the target")
    assert measure(frame, labels, ("age",), not_features=reasons)["forbidden_features", "all"].value == 0


def test_identifiers_are_nearly_unique_text_and_text_keys_of_many_levels():
    """A unique text counts, and a number of vehicles in the key; a role in the key describes, it names nobody."""
    frame, labels = drawn()
    features = ("age", "noise", "kind", "case")
    assert measure(frame, labels, features, key=["year"])["identifier_features", "all"].note == "case"
    frame["vehicle"] = [f"v{index % 60}" for index in range(len(frame))]
    found = measure(frame, labels, (*features, "vehicle"), key=["kind", "vehicle"])["identifier_features", "all"]
    assert (found.value, found.note) == (2, "case, vehicle")


def test_evaluation_rows_whose_whole_key_stands_in_training_are_duplicates():
    """30 of 100 rows repeat case and year; the same case in another year does not count."""
    frame, labels = drawn()
    evaluation = frame.iloc[:100].copy()
    evaluation.loc[evaluation.index[30:], "year"] = 2000
    found = measure(frame, labels, key=["case", "year"], frame_evaluation=evaluation)["duplicate_rows", "all"]
    assert found.value == 0.3
    assert found.interval.low < 0.3 < found.interval.high
    assert found.n == 100


def test_training_rows_not_before_the_first_evaluation_row_travel_in_time():
    """Equal times count, and so does a row without a time."""
    frame, labels = drawn()
    evaluation = frame.iloc[:1].assign(case="x", year=1998)
    options = {"frame_evaluation": evaluation, "time_column": "year"}
    found = measure(frame, labels, **options)["time_travel", "all"]
    assert found.value == (frame["year"] == 1998).sum()
    frame["year"] = frame["year"].mask(frame["year"] == 1997)
    assert measure(frame, labels, **options)["time_travel", "all"].value == len(frame)
    evaluation["year"] = 2000
    frame["year"] = 1999
    assert measure(frame, labels, **options)["time_travel", "all"].value == 0


def test_times_may_be_dates():
    """Two days of training are not before the evaluation's first day."""
    frame, labels = drawn(60)
    frame["day"] = pd.date_range("2026-01-01", periods=60)
    evaluation = frame.iloc[58:]
    found = measure(frame, labels, frame_evaluation=evaluation, time_column="day")["time_travel", "all"]
    assert found.value == 2


def test_without_evaluation_rows_nothing_is_concluded():
    """Both measurements exist, without a value."""
    frame, labels = drawn(100)
    for options in ({}, {"frame_evaluation": frame.iloc[:0], "time_column": "year"}):
        found = measure(frame, labels, **options)
        assert found["duplicate_rows", "all"].value is None
        assert found["time_travel", "all"].value is None


def test_a_single_class_gives_no_areas():
    """Nothing ranks one class."""
    frame, _ = drawn(100)
    assert measure(frame, np.zeros(100))["single_feature_auc", "age"].value is None


def test_missing_columns_and_labels_are_refused():
    """The error names the columns, or the two lengths."""
    frame, labels = drawn(100)
    with pytest.raises(DataError, match="weight"):
        measure(frame, labels, ("age", "weight"))
    with pytest.raises(DataError, match="99 labels for 100"):
        measure(frame, labels[1:])
