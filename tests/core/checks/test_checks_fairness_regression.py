"""Fairness of predicted numbers: gaps equal fairlearn's, intervals keep their promise, small groups never decide."""

import numpy as np
import pytest
import sklearn.metrics as sk
from fairlearn.metrics import MetricFrame, mean_prediction
from scipy.stats import ttest_ind

from gatewright.core.checks.fairness_regression import (
    MAXIMUM_GROUPS,
    REGRESSION_FAIRNESS_METRICS,
    measure_regression_fairness,
    measure_regression_fairness_sums,
    regression_fairness_sums,
)
from gatewright.core.errors import DataError

FAIRLEARN = {
    "mean_prediction_difference": mean_prediction,
    "mean_error_difference": lambda y_true, y_pred: np.mean(y_pred - y_true),
    "mae_difference": sk.mean_absolute_error,
    "rmse_difference": sk.root_mean_squared_error,
}


def drawn(rows=3_000, seed=0, bias=0.3):
    """Predictions too high by ``bias`` for the older."""
    rng = np.random.default_rng(seed)
    age = rng.choice(["16-24", "25-64", "65+"], rows, p=[0.3, 0.5, 0.2])
    targets = rng.normal(10, 2, rows)
    predictions = targets + rng.normal(0, 1, rows) + bias * (age == "65+")
    return targets, predictions, {"age_band": age, "sex": rng.choice(["f", "m"], rows)}


def by_name(measurements):
    return {(m.metric, m.slice): m for m in measurements}


def measure(targets, predictions, groups, **options):
    options = {"confidence": 0.9, "minimum_support": 1, **options}
    return by_name(measure_regression_fairness(targets, predictions, groups, **options))


@pytest.mark.parametrize("metric", sorted(FAIRLEARN))
def test_values_equal_fairlearns_for_columns_and_their_intersection(metric):
    """To 1e-12, with MetricFrame on the rows."""
    targets, predictions, groups = drawn()
    found = measure(targets, predictions, groups)
    both = np.char.add(groups["age_band"], groups["sex"])
    for name, features in (*groups.items(), ("age_band & sex", both)):
        frame = MetricFrame(metrics=FAIRLEARN[metric], y_true=targets, y_pred=predictions, sensitive_features=features)
        assert found[metric, name].value == pytest.approx(frame.difference(), abs=1e-12)
        assert found[metric, name].interval.low <= found[metric, name].value <= found[metric, name].interval.high


def test_the_gap_of_two_groups_is_a_t_test():
    """Width and p-value of the gap in mean prediction are Welch's within a tenth."""
    targets, predictions, groups = drawn()
    sex = groups["sex"]
    found = measure(targets, predictions, {"sex": sex})["mean_prediction_difference", "sex"]
    test = ttest_ind(predictions[sex == "f"], predictions[sex == "m"], equal_var=False)
    assert found.p_value == pytest.approx(test.pvalue, abs=0.05)
    expected = test.confidence_interval(0.9)
    reach = (expected.high - expected.low) / 2
    assert found.interval.high - found.value == pytest.approx(reach, rel=0.1)


def test_a_bias_against_one_group_is_certain():
    """0.3 too high for the older: found in the mean error, with its size inside the interval."""
    found = measure(*drawn())["mean_error_difference", "age_band"]
    assert 0 < found.interval.low < 0.3 < found.interval.high
    assert found.p_value < 1e-4


def test_the_change_to_the_champion_is_paired():
    """A champion without the bias is fairer, and by how much is known."""
    targets, predictions, groups = drawn(bias=1.0)
    fair = predictions - (groups["age_band"] == "65+")
    found = measure(targets, predictions, groups, champion_predictions=fair)
    change = found["mean_error_difference_change", "age_band"]
    assert 0.5 < change.interval.low < change.value <= change.interval.high < 1.1
    assert change.p_value < 0.01
    alike = measure(targets, predictions, groups, champion_predictions=predictions)
    for metric in REGRESSION_FAIRNESS_METRICS:
        same = alike[f"{metric}_change", "sex"]
        assert (same.value, same.p_value) == (0, 1)


def test_small_groups_are_named_and_never_decide():
    """A group of five is left out, counted, and named in the note."""
    targets, predictions, groups = drawn()
    groups["sex"] = groups["sex"].astype(object)
    groups["sex"][:5] = "x"
    predictions[:5] += 100
    found = measure(targets, predictions, groups, minimum_support=30)
    assert found["mae_difference", "sex"].value < 1
    assert "x (5 rows)" in found["mae_difference", "sex"].note
    assert found["unsupported_groups", "sex"].value == 1
    alone = measure(targets[:5], predictions[:5], {"sex": groups["sex"][:5]}, champion_predictions=targets[:5])
    for metric in REGRESSION_FAIRNESS_METRICS:
        assert alone[metric, "sex"].value is alone[f"{metric}_change", "sex"].value is None


def test_any_partition_gives_the_same_measurements():
    """Three batches, of which two lack groups, merged in either order: equal to the last bit."""
    targets, predictions, groups = drawn(900)
    order = np.argsort(groups["age_band"], kind="stable")
    targets, predictions = targets[order], predictions[order]
    groups = {name: values[order] for name, values in groups.items()}

    def batch(a, b):
        part = {name: values[a:b] for name, values in groups.items()}
        return regression_fairness_sums(
            targets[a:b], predictions[a:b], part, champion_predictions=targets[a:b], start=a
        )

    options = {"confidence": 0.9, "minimum_support": 30}
    whole = measure_regression_fairness_sums(batch(0, 900), **options)
    first, second, third = batch(0, 200), batch(200, 777), batch(777, 900)
    assert measure_regression_fairness_sums(first + second + third, **options) == whole
    assert measure_regression_fairness_sums(third + (second + first), **options) == whole
    with pytest.raises(ValueError, match="do not add"):
        first + regression_fairness_sums(targets, predictions, groups)


@pytest.mark.parametrize("clustered", [True, False])
def test_the_order_of_rows_and_the_names_of_groups_never_matter(clustered):
    """A permuted table gives identical measurements; other names the same gaps."""
    targets, predictions, groups = drawn(800)
    clusters = np.arange(800) // 4 if clustered else None
    order = np.random.default_rng(1).permutation(800)
    first = measure(targets, predictions, groups, clusters=clusters)
    second = measure(
        targets[order],
        predictions[order],
        {name: values[order] for name, values in groups.items()},
        clusters=clusters[order] if clustered else None,
    )
    assert second == first
    renamed = measure(targets, predictions, {"sex": np.where(groups["sex"] == "f", "z", "a")}, clusters=clusters)
    found = renamed["mae_difference", "sex"]
    assert found.value == pytest.approx(first["mae_difference", "sex"].value, abs=1e-12)


def test_too_many_groups_are_not_audited():
    """Identifiers are no groups; the same is said of them in any partition."""
    rows = 2 * (MAXIMUM_GROUPS + 1)
    targets, groups = np.arange(float(rows)), {"id": np.arange(rows) // 2}
    found = measure(targets, targets + 1, groups)
    assert "too many groups" in found["mae_difference", "id"].note
    half = rows // 2
    parts = [
        regression_fairness_sums(targets[part], targets[part], {"id": groups["id"][part]})
        for part in (slice(0, half), slice(half, rows))
    ]
    assert (parts[0] + parts[1]).slices["id"] is None


def test_groups_of_another_length_are_refused():
    """One group a row."""
    targets, predictions, groups = drawn(50)
    with pytest.raises(DataError, match="groups of `sex`"):
        measure(targets, predictions, {"sex": groups["sex"][1:]})
