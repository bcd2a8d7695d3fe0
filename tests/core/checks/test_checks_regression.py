"""Regression: points equal scikit-learn's, sums forget the partition, changes are paired."""

import itertools

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.checks.regression import REGRESSION_METRICS, measure_regression, measure_regression_sums
from gatewright.core.errors import DataError, ModelError
from gatewright.core.statistics.blocks import assign_blocks
from gatewright.core.statistics.regression import regression_sums

QUANTILE = 0.3
REFERENCE = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "mape": sk.mean_absolute_percentage_error,
    "quantile_loss": lambda t, p: sk.mean_pinball_loss(t, p, alpha=QUANTILE),
    "bias": lambda t, p: np.mean(p - t),
}


def drawn(rows=2_000, seed=0, offset=5.0, spread=1.0):
    rng = np.random.default_rng(seed)
    targets = rng.normal(offset, 2, rows)
    return targets, targets + rng.normal(0.1, spread, rows)


def measure(targets, predictions, **options):
    options = {"confidence": 0.9, "quantile": QUANTILE, **options}
    return {m.metric: m for m in measure_regression(targets, predictions, **options)}


@pytest.mark.parametrize("metric", REGRESSION_METRICS)
@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_values_equal_scikit_learns(metric, offset):
    """To 1e-12, R2 also where the targets lie a million standard deviations from zero."""
    targets, predictions = drawn(offset=offset)
    found = measure(targets, predictions)[metric]
    assert found.value == pytest.approx(REFERENCE[metric](targets, predictions), rel=1e-12)
    assert found.interval.low < found.value < found.interval.high


def test_a_worked_example():
    """Targets 3, -0.5, 2, 7 against 2.5, 0, 2, 8 (scikit-learn's own), five times over for an interval."""
    targets, predictions = np.tile([3, -0.5, 2, 7], 5), np.tile([2.5, 0.0, 2, 8], 5)
    found = measure(targets, predictions, quantile=0.5)
    assert found["mae"].value == 0.5
    assert found["rmse"].value == pytest.approx(0.375**0.5)
    assert found["r2"].value == pytest.approx(0.9486081370449679)
    assert found["bias"].value == 0.25
    assert found["quantile_loss"].value == 0.25


@pytest.mark.parametrize("rows", [400, 5_000])
def test_the_width_is_the_analytic_one(rows):
    """Bias is a mean: its interval spans 2 * 1.645 standard errors."""
    targets, predictions = drawn(rows)
    error = predictions - targets
    interval = measure(targets, predictions)["bias"].interval
    assert interval.high - interval.low == pytest.approx(2 * 1.645 * error.std(ddof=1) / rows**0.5, rel=0.08)


def test_the_paired_change_is_tighter_than_either_model():
    """Two models that share most of their errors differ by little, and that is known well."""
    targets, predictions = drawn()
    champion = predictions + np.random.default_rng(1).normal(0, 0.1, targets.size)
    found = measure(targets, predictions, champion_predictions=champion)
    change, alone = found["mae_change"].interval, found["mae"].interval
    assert change.high - change.low < (alone.high - alone.low) / 4
    assert found["mae_change"].value == pytest.approx(
        sk.mean_absolute_error(targets, predictions) - sk.mean_absolute_error(targets, champion)
    )


def test_p_values_of_the_change_of_a_mean_are_those_of_the_paired_t_test():
    """For bias the t-test is exact: the block bootstrap's standard error gives the same within a quarter."""
    from scipy.stats import ttest_rel

    targets, predictions = drawn()
    champion = targets + np.random.default_rng(1).normal(0.05, 1, targets.size)
    expected = ttest_rel(predictions, champion).pvalue
    assert 0.01 < expected < 0.5
    assert measure(targets, predictions, champion_predictions=champion)["bias_change"].p_value == pytest.approx(
        expected, rel=0.25
    )


def test_no_change_has_p_value_one():
    """A champion that predicts the same gives zero change, an interval at zero, and no doubt of it."""
    targets, predictions = drawn()
    found = measure(targets, predictions, champion_predictions=predictions)
    for metric in REGRESSION_METRICS:
        change = found[f"{metric}_change"]
        assert (change.value, change.interval.low, change.interval.high, change.p_value) == (0, 0, 0, 1)


@pytest.mark.parametrize("clustered", [True, False])
def test_the_order_of_rows_never_matters(clustered):
    """A permuted table gives identical measurements, with and without clusters."""
    targets, predictions = drawn()
    clusters = np.arange(targets.size) // 4 if clustered else None
    champion = predictions[::-1]
    order = np.random.default_rng(3).permutation(targets.size)
    shuffled = measure_regression(
        targets[order], predictions[order], confidence=0.9, champion_predictions=champion[order],
        clusters=clusters[order] if clustered else None,
    )  # fmt: skip
    assert shuffled == measure_regression(
        targets, predictions, confidence=0.9, champion_predictions=champion, clusters=clusters
    )


@settings(max_examples=12)
@given(st.lists(st.integers(0, 600), max_size=4), st.integers(-200, 100), st.permutations(range(5)))
def test_any_partition_gives_the_same_measurements(cuts, exponent, order):
    """Batches of any size, merged in any order, for numbers of any magnitude: equal to the last bit."""
    rng = np.random.default_rng(5)
    targets = rng.normal(size=600) * 10.0 ** rng.integers(min(exponent, 0) // 2, max(exponent, 0) + 1, 600)
    predictions = targets * rng.normal(1, 0.1, 600)
    edges = [0, *sorted(cuts), 600]
    batches = [
        regression_sums(targets[a:b], predictions[a:b], blocks=assign_blocks(b - a, start=a))
        for a, b in itertools.pairwise(edges)
    ]
    merged = None
    for k in [k for k in order if k < len(batches)]:
        merged = batches[k] if merged is None else merged + batches[k]
    whole = regression_sums(targets, predictions, blocks=assign_blocks(600))
    assert merged.same_rows(whole)
    assert measure_regression_sums(merged, confidence=0.9) == measure_regression_sums(whole, confidence=0.9)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e131])
def test_numbers_that_cannot_be_summed_are_refused(wrong):
    """By who must act: the data's owner for targets, the model's for predictions."""
    targets, predictions = drawn(100)
    broken = np.append(targets[1:], wrong)
    with pytest.raises(DataError, match="1 of 100 targets"):
        measure(broken, predictions)
    with pytest.raises(ModelError, match="1 of 100 predictions"):
        measure(targets, broken)
    with pytest.raises(ModelError, match="1 of 100 predictions"):
        measure(targets, predictions, champion_predictions=broken)


def test_text_and_wrong_lengths_are_refused():
    """One target and one prediction a row, and all of them numbers."""
    targets, predictions = drawn(20)
    with pytest.raises(DataError, match="not numbers"):
        measure(["a"] * 20, predictions)
    with pytest.raises(DataError, match="dimensions"):
        measure(targets.reshape(4, 5), predictions)
    with pytest.raises(ModelError, match="shape"):
        measure(targets, predictions[1:])
    with pytest.raises(ModelError, match="no numbers"):
        measure(targets, ["a"] * 20)


@pytest.mark.parametrize("rows", [0, 5])
def test_too_few_rows_are_never_a_value(rows):
    """Nothing, and nothing an interval could be made of."""
    targets, predictions = drawn(rows)
    for found in measure(targets, predictions, champion_predictions=predictions).values():
        assert found.value is None
        assert found.note


def test_undefined_metrics_say_why():
    """A percentage of zero, and a share of no variance."""
    targets, predictions = np.zeros(50), drawn(50)[1]
    found = measure(targets, predictions, champion_predictions=predictions)
    assert "50 targets are 0" in found["mape"].note
    assert "equal" in found["r2_change"].note
    assert found["r2"].value is found["mape_change"].value is None
    assert found["mae"].value == pytest.approx(np.abs(predictions).mean())


def test_sums_that_do_not_belong_together_are_not_compared():
    """Other rows cannot be paired, another quantile cannot be merged."""
    targets, predictions = drawn(100)
    ours = regression_sums(targets, predictions, blocks=assign_blocks(100))
    others = regression_sums(predictions, targets, blocks=assign_blocks(100))
    with pytest.raises(ValueError, match="different rows"):
        measure_regression_sums(ours, others, confidence=0.9)
    with pytest.raises(ValueError, match="quantiles"):
        ours + regression_sums(targets, predictions, blocks=assign_blocks(100), quantile=0.9)
    with pytest.raises(ValueError, match="quantile"):
        measure(targets, predictions, quantile=1.0)
