"""Fairness of several classes: gaps equal fairlearn's class by class, and the worst over classes counts."""

import fairlearn.metrics as fl
import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from gatewright.core.checks.fairness_multiclass import (
    MULTICLASS_FAIRNESS_METRICS,
    class_fairness_sums,
    measure_multiclass_fairness,
    measure_multiclass_fairness_sums,
)
from gatewright.core.errors import ModelError

CLASSES = ("bus", "car", "walk")
OPTIONS = {"classes": CLASSES, "confidence": 0.9, "minimum_support": 1}


def drawn(rows=3_000, seed=0, missed=0.3):
    """A model that misses ``missed`` of the older who walk."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(CLASSES, rows, p=[0.5, 0.3, 0.2])
    age = rng.choice(["16-64", "65+"], rows, p=[0.6, 0.4])
    predicted = np.where(rng.random(rows) < 0.8, labels, rng.choice(CLASSES, rows))
    predicted[(age == "65+") & (labels == "walk") & (rng.random(rows) < missed)] = "bus"
    return labels, predicted, {"age_band": age, "sex": rng.choice(["f", "m", "x"], rows)}


def by_name(measurements):
    return {(m.metric, m.slice): m for m in measurements}


def measure(labels, predicted, groups, **options):
    return by_name(measure_multiclass_fairness(labels, predicted, groups, **{**OPTIONS, **options}))


def test_values_equal_fairlearns():
    """To 1e-12 for each class against the rest; over classes the largest; columns and their intersection."""
    labels, predicted, groups = drawn()
    found = measure(labels, predicted, groups)
    both = np.char.add(groups["age_band"], groups["sex"])
    for name, features in (*groups.items(), ("age_band & sex", both)):
        gaps = {"demographic_parity": [], "equal_opportunity": [], "equalized_odds": []}
        for cls in CLASSES:
            for gap, values in gaps.items():
                function = getattr(fl, f"{gap}_difference")
                values.append(function(labels == cls, predicted == cls, sensitive_features=features))
            ours = found["selection_rate_difference", f"{name}: class={cls}"]
            assert ours.value == pytest.approx(gaps["demographic_parity"][-1], abs=1e-12)
            ours = found["recall_difference", f"{name}: class={cls}"]
            assert ours.value == pytest.approx(gaps["equal_opportunity"][-1], abs=1e-12)
        for gap, values in gaps.items():
            assert found[f"{gap}_difference", name].value == pytest.approx(max(values), abs=1e-12)
        frame = fl.MetricFrame(metrics=accuracy_score, y_true=labels, y_pred=predicted, sensitive_features=features)
        assert found["accuracy_difference", name].value == pytest.approx(frame.difference(), abs=1e-12)


def test_the_class_that_is_missed_is_found():
    """Of the older who walk 30 % are taken for bus riders: that gap is certain, that of cars is not."""
    found = measure(*drawn())
    walk = found["recall_difference", "age_band: class=walk"]
    assert 0.1 < walk.interval.low < walk.value < walk.interval.high < 0.4
    assert walk.p_value < 1e-6
    assert found["recall_difference", "age_band: class=car"].interval.low == 0
    assert found["equal_opportunity_difference", "age_band"].value == walk.value
    assert found["equal_opportunity_difference", "age_band"].interval.low > 0.1


def test_no_gap_is_rarely_called_one():
    """Of 60 datasets without a gap the worst gap's lower bound is above 0 in at most 5 %, and noise."""
    certain = 0
    for seed in range(60):
        found = measure(*drawn(600, seed, missed=0.0))
        certain += found["equalized_odds_difference", "age_band"].interval.low > 0
    assert certain <= 7


@pytest.mark.parametrize("clustered", [True, False])
def test_the_change_to_the_champion_is_paired(clustered):
    """A champion that misses nobody more is fairer; one that answers alike is no change."""
    labels, predicted, groups = drawn(missed=0.6)
    _, fair, _ = drawn(missed=0.0)
    clusters = np.arange(labels.size) // 2 if clustered else None
    found = measure(labels, predicted, groups, champion_predictions=fair, clusters=clusters)
    change = found["equal_opportunity_difference_change", "age_band"]
    assert 0.1 < change.interval.low < change.value < change.interval.high
    assert change.p_value < 0.05
    alike = measure(labels, predicted, groups, champion_predictions=predicted, clusters=clusters)
    for metric in MULTICLASS_FAIRNESS_METRICS:
        same = alike[f"{metric}_change", "sex"]
        assert (same.value, same.p_value) == (0, 1)


def test_copies_within_clusters_are_no_new_evidence():
    """Four copies of each row as one cluster leave the interval about as wide; as rows they would halve it."""
    labels, predicted, groups = drawn(1_000)
    copied = {name: np.tile(values, 4) for name, values in groups.items()}
    single = measure(labels, predicted, groups)["demographic_parity_difference", "age_band"].interval
    copies = measure(np.tile(labels, 4), np.tile(predicted, 4), copied, clusters=np.tile(np.arange(1_000), 4))
    interval = copies["demographic_parity_difference", "age_band"].interval
    assert interval.high - interval.low == pytest.approx(single.high - single.low, rel=0.3)


def test_a_class_too_rare_in_a_group_decides_nothing():
    """The worst gap over classes is unknown where one class's is; the other classes keep theirs."""
    labels, predicted, groups = drawn(400)
    labels = np.where((labels == "walk") & (np.cumsum(labels == "walk") > 20), "bus", labels)
    found = measure(labels, predicted, {"age_band": groups["age_band"]}, minimum_support=30)
    assert found["recall_difference", "age_band: class=walk"].value is None
    worst = found["equal_opportunity_difference", "age_band"]
    assert worst.value is None
    assert "rows of walk" in worst.note
    assert found["recall_difference", "age_band: class=bus"].value is not None
    assert found["unsupported_groups", "age_band"].value == 2


@pytest.mark.parametrize("rows", [0, 5])
def test_too_few_rows_are_never_a_value(rows):
    """Nothing, and too few to tell."""
    labels, predicted, groups = drawn(rows)
    for (metric, _), found in measure(labels, predicted, groups, champion_predictions=labels).items():
        assert metric == "unsupported_groups" or found.value is None


def test_any_partition_gives_the_same_measurements():
    """Batches that lack groups, merged in either order, say the same to the last bit."""
    labels, predicted, groups = drawn(900)
    order = np.argsort(groups["age_band"], kind="stable")

    def batch(a, b):
        rows = order[a:b]
        part = {name: values[rows] for name, values in groups.items()}
        return class_fairness_sums(
            labels[rows], predicted[rows], part, classes=CLASSES, champion_predictions=labels[rows], start=a
        )

    options = {"confidence": 0.9, "minimum_support": 30}
    whole = measure_multiclass_fairness_sums(batch(0, 900), **options)
    first, second, third = batch(0, 200), batch(200, 777), batch(777, 900)
    assert measure_multiclass_fairness_sums(first + second + third, **options) == whole
    assert measure_multiclass_fairness_sums(third + (second + first), **options) == whole
    with pytest.raises(ValueError, match="do not add"):
        first + class_fairness_sums(labels, predicted, groups, classes=CLASSES)


def test_the_order_of_rows_never_matters():
    """A permuted table gives identical measurements, changes included."""
    labels, predicted, groups = drawn(800)
    champion = drawn(800, seed=1)[1]
    order = np.random.default_rng(1).permutation(800)
    first = measure(labels, predicted, groups, champion_predictions=champion)
    second = measure(
        labels[order],
        predicted[order],
        {name: values[order] for name, values in groups.items()},
        champion_predictions=champion[order],
    )
    assert second == first


def test_what_cannot_be_measured_is_refused_or_said():
    """A prediction that is no class is the model's fault; identifiers are no groups."""
    labels, predicted, groups = drawn(700)
    with pytest.raises(ModelError, match="no class: plane"):
        measure(labels, np.append(predicted[1:], "plane"), groups)
    found = measure(labels, predicted, {"id": np.arange(700)})
    assert found["accuracy_difference", "id"].note == "too many groups to audit"
