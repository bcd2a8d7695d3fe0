"""Uncertainty: sets hold the truth as often as promised, groups are told apart, abstention pays what it says."""

import json

import numpy as np
import pytest

from gatewright.core.checks.uncertain_answers import binary_answers, number_answers
from gatewright.core.checks.uncertainty import (
    SELECTIVE_COVERAGES,
    measure_class_uncertainty,
    measure_number_uncertainty,
    measure_uncertainty,
    uncertainty_details,
)
from gatewright.core.errors import DataError, ModelError

OPTIONS = {"confidence": 0.9, "minimum_support": 30}


def drawn(rows=2_000, seed=0):
    """Calibrated scores, and two groups: the model knows nothing of the older ones."""
    rng = np.random.default_rng(seed)
    age = rng.choice(["16-64", "65+"], rows, p=[0.8, 0.2])
    scores = rng.beta(0.6, 0.6, rows)
    labels = (rng.random(rows) < np.where(age == "65+", 0.5, scores)).astype(int)
    return labels, scores, {"age_band": age}


def by_name(measurements):
    return {(m.metric, m.slice): m for m in measurements}


def measure(labels, scores, groups, **options):
    return by_name(measure_uncertainty(labels, scores, groups, threshold=0.5, **{**OPTIONS, **options}))


@pytest.mark.parametrize("alpha", [0.1, 0.25])
def test_sets_hold_the_truth_as_often_as_promised(alpha):
    """Over 300 datasets of 400 rows: on average 1 - alpha, within noise and the finite-sample excess of 1/201."""
    shares = []
    for seed in range(300):
        labels, scores, _ = drawn(400, seed)
        answers = binary_answers(labels, scores, threshold=0.5, where="model")
        details = uncertainty_details(answers, alpha_conformal=alpha)
        shares.append(details["covered"] / details["test_rows"])
    noise = 2.5 * np.std(shares) / 300**0.5
    assert 1 - alpha - noise < np.mean(shares) < 1 - alpha + 1 / 201 + noise


def test_a_group_the_model_does_not_understand_is_found():
    """Promised overall, broken for the older: their coverage is lower, and the difference is certain."""
    found = measure(*drawn(8_000))
    assert found["conformal_coverage", "age_band=65+"].interval.high < 0.9
    assert found["conformal_coverage", "age_band=16-64"].interval.low > 0.9
    difference = found["conformal_coverage_difference", "age_band"]
    expected = found["conformal_coverage", "age_band=16-64"].value - found["conformal_coverage", "age_band=65+"].value
    assert difference.value == pytest.approx(expected)
    assert difference.interval.low > 0
    assert difference.p_value < 1e-6


def test_groups_calibrated_apart_keep_the_promise_each():
    """Mondrian: the older get larger sets, and their coverage back."""
    labels, scores, groups = drawn(8_000)
    plain, apart = measure(labels, scores, groups), measure(labels, scores, groups, mondrian="age_band")
    older = "age_band=65+"
    assert apart["conformal_coverage", older].value == pytest.approx(0.9, abs=0.03)
    assert apart["conformal_set_size", older].value > plain["conformal_set_size", older].value + 0.1


def test_several_classes_and_two_classes_agree():
    """A binary model given as two columns has the same sets and curve."""
    labels, scores, groups = drawn()
    two = measure(labels, scores, groups)
    many = by_name(
        measure_class_uncertainty(labels, np.column_stack([1 - scores, scores]), groups, classes=[0, 1], **OPTIONS)
    )
    assert many == two


def test_the_width_of_intervals_of_numbers():
    """Standard normal errors: 90 % lie within 1.645, so the width is 3.29, between two order statistics."""
    rng = np.random.default_rng(0)
    targets = rng.normal(size=20_000)
    found = by_name(measure_number_uncertainty(targets, np.zeros(20_000), {}, **OPTIONS))
    width = found["conformal_width", "all"]
    assert width.value == pytest.approx(3.29, abs=0.06)
    assert width.interval.low < 3.29 < width.interval.high
    assert width.interval.method == "order statistics"
    assert ("conformal_set_size", "all") not in found


def test_abstention_pays_for_calibrated_scores():
    """Of calibrated scores the accuracy of the kept rows is the mean of their certainties."""
    labels, scores, _ = drawn(20_000)
    rng = np.random.default_rng(1)
    labels = (rng.random(20_000) < scores).astype(int)
    found = measure(labels, scores, {})
    certainty = np.sort(np.maximum(scores, 1 - scores))[::-1]
    for coverage in SELECTIVE_COVERAGES:
        kept = found[f"selective_accuracy_at_{coverage:g}", "all"]
        assert kept.n == np.ceil(coverage * 20_000)
        assert kept.value == pytest.approx(certainty[: kept.n].mean(), abs=0.01)
        assert kept.interval.low < kept.value < kept.interval.high
    area = found["area_under_risk_coverage", "all"]
    assert 0 < area.interval.low < area.value < area.interval.high < 0.2


def test_the_interval_of_selective_accuracy_is_as_wide_as_analysis_says():
    """At full coverage it is the accuracy's: Wilson's width, or a little more."""
    labels, scores, _ = drawn(5_000)
    found = measure(labels, scores, {}, coverages=[1.0])["selective_accuracy_at_1", "all"]
    assert found.value == pytest.approx(((scores >= 0.5) == labels).mean(), abs=1e-12)
    expected = 2 * 1.645 * (found.value * (1 - found.value) / 5_000) ** 0.5
    assert found.interval.high - found.interval.low == pytest.approx(expected, rel=0.12)


def test_the_change_to_the_champion_is_paired():
    """A champion with noise in its scores has larger sets and a worse curve, and both are shown."""
    labels, scores, _ = drawn(4_000)
    labels = (np.random.default_rng(2).random(4_000) < scores).astype(int)
    noisy = np.clip(scores + np.random.default_rng(1).normal(0, 0.25, scores.size), 0, 1)
    found = measure(labels, scores, {}, champion_scores=noisy)
    size, area = found["conformal_set_size_change", "all"], found["area_under_risk_coverage_change", "all"]
    assert size.interval.high < 0
    assert area.interval.high < 0
    assert max(size.p_value, area.p_value) < 0.01
    assert found["conformal_coverage_change", "all"].p_value > 0.001


@pytest.mark.parametrize("task", ["scores", "numbers"])
def test_a_champion_that_answers_alike_is_no_change(task):
    """Every change is 0, and none is called one."""
    labels, scores, groups = drawn()
    if task == "scores":
        found = measure(labels, scores, groups, champion_scores=scores)
    else:
        found = by_name(measure_number_uncertainty(labels, scores, groups, champion_predictions=scores, **OPTIONS))
    changes = [m for (metric, _), m in found.items() if metric.endswith("_change")]
    assert len(changes) > 3
    for change in changes:
        assert (change.value, change.p_value) == (0, 1)
        assert change.interval.low <= 0 <= change.interval.high


@pytest.mark.parametrize("clustered", [True, False])
def test_the_order_of_rows_never_matters(clustered):
    """A permuted table gives identical measurements, with and without clusters."""
    labels, scores, groups = drawn()
    champion = np.sqrt(scores)
    clusters = np.arange(labels.size) // 4 if clustered else None
    order = np.random.default_rng(3).permutation(labels.size)
    first = measure(labels, scores, groups, champion_scores=champion, clusters=clusters)
    second = measure(
        labels[order],
        scores[order],
        {"age_band": groups["age_band"][order]},
        champion_scores=champion[order],
        clusters=None if clusters is None else clusters[order],
    )
    assert second == first


def test_copies_within_clusters_are_no_new_evidence():
    """Four copies of each row as one cluster: the interval of coverage does not shrink to half."""
    labels, scores, _ = drawn()
    ids = np.arange(labels.size)
    single = measure(labels, scores, {}, clusters=ids)["conformal_coverage", "all"].interval
    copies = measure(np.tile(labels, 4), np.tile(scores, 4), {}, clusters=np.tile(ids, 4))
    copied = copies["conformal_coverage", "all"].interval
    assert copied.high - copied.low == pytest.approx(single.high - single.low, rel=0.15)


def test_no_errors_leave_doubt():
    """A model that was never wrong on 200 rows is not shown to be never wrong."""
    labels, _, _ = drawn(200)
    found = measure(labels, labels * 0.9 + 0.05, {})
    assert found["selective_accuracy_at_0.9", "all"].interval.low < 0.99
    assert found["area_under_risk_coverage", "all"].interval.high > 0.01
    size = found["conformal_set_size", "all"]
    assert size.value == 1
    assert size.interval.low < 0.98 < 1.02 < size.interval.high


@pytest.mark.parametrize("rows", [0, 6])
def test_too_few_rows_are_never_a_value(rows):
    """Nothing, and too few rows to promise anything."""
    labels, scores, groups = drawn(rows)
    found = measure(labels, scores, groups, minimum_support=1, champion_scores=scores)
    numbers = measure_number_uncertainty(labels, scores, groups, champion_predictions=scores, **OPTIONS)
    for measurement in (*found.values(), *numbers):
        assert measurement.value is None
        assert measurement.note


def test_small_groups_are_named():
    """Below the minimum support a group has no coverage, and the gap says who was left out."""
    labels, scores, groups = drawn()
    groups["age_band"][:5] = "90+"
    found = measure(labels, scores, groups)
    assert found["conformal_coverage", "age_band=90+"].value is None
    assert "support of 30" in found["conformal_coverage", "age_band=90+"].note
    assert "90+" in found["conformal_coverage_difference", "age_band"].note


def test_details_are_plain_json():
    """A curve that rises to full coverage, the promise, and a test of the two halves' likeness."""
    labels, scores, _ = drawn()
    details = uncertainty_details(binary_answers(labels, scores, threshold=0.5, where="model"))
    assert json.loads(json.dumps(details)) == details
    assert details["risk_coverage"][-1]["coverage"] == 1
    assert len(details["risk_coverage"]) <= 100
    assert details["calibration_rows"] + details["test_rows"] == labels.size
    assert details["expected_low"] < 0.9 < details["expected_high"]
    assert details["exchangeability_p_value"] > 0.001
    numbers = uncertainty_details(number_answers(labels, scores, where="model"), clusters=np.arange(labels.size))
    assert numbers["risk_coverage"] == []
    assert numbers["exchangeability_p_value"] is None


def test_what_cannot_be_measured_is_refused():
    """Wrong rows by who must act, wrong settings by their value."""
    labels, scores, groups = drawn(100)
    with pytest.raises(DataError, match="neither 0 nor 1"):
        measure(labels + 1, scores, groups)
    with pytest.raises(ModelError, match="scores"):
        measure(labels, scores * np.nan, groups)
    with pytest.raises(ValueError, match="alpha"):
        measure(labels, scores, groups, alpha_conformal=1.0)
    with pytest.raises(ValueError, match="coverage"):
        measure(labels, scores, groups, coverages=[0.0])
    with pytest.raises(ValueError, match="none of the groups"):
        measure(labels, scores, groups, mondrian="sex")
