"""Calibration by hand, against scikit-learn, and without the upward bias of chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from gatewright.core.checks.evaluation import measure_evaluation
from gatewright.core.statistics.calibration import expected_calibration_error
from gatewright.core.statistics.recalibration import log_odds, recalibrate
from gatewright.core.statistics.score_table import ScoreTable

# Four scores, each in a bin of its own: ten rows with one label, and so on.
SCORES = np.repeat([0.1, 0.3, 0.6, 0.9], [10, 5, 5, 20])
LABELS = np.concatenate([np.arange(n) < k for n, k in ((10, 2), (5, 1), (5, 4), (20, 16))]).astype(float)


def measured(labels, scores, **options):
    found = measure_evaluation(labels, scores, threshold=0.5, confidence=0.95, **options)
    return {measurement.metric: measurement for measurement in found}


def test_expected_calibration_error_by_hand():
    """Gaps 0.1, 0.1, 0.2 and 0.1 in 10, 5, 5 and 20 of 40 rows."""
    expected = (10 * 0.1 + 5 * 0.1 + 5 * 0.2 + 20 * 0.1) / 40
    assert expected_calibration_error(LABELS, SCORES) == pytest.approx(expected, abs=1e-12)
    assert measured(LABELS, SCORES)["expected_calibration_error"].value == pytest.approx(expected, abs=1e-12)


def test_equal_mass_error_by_hand():
    """Sixty rows of sixty scores fall into 15 bins of four; every label is 1 where the score is below a half."""
    scores = (np.arange(60) + 0.5) / 60
    labels = (scores < 0.5).astype(float)
    gaps = np.abs((scores - labels).reshape(15, 4).mean(axis=1))
    assert measured(labels, scores)["expected_calibration_error_equal_mass"].value == pytest.approx(gaps.mean())
    assert expected_calibration_error(labels, scores, binning="mass") == pytest.approx(gaps.mean())


def test_brier_and_its_parts_by_hand():
    """Murphy (1973): reliability, resolution and uncertainty of four distinct scores."""
    n, shares, forecasts = np.array([10, 5, 5, 20]), np.array([0.2, 0.2, 0.8, 0.8]), np.array([0.1, 0.3, 0.6, 0.9])
    base = 23 / 40
    found = measured(LABELS, SCORES)
    assert found["brier_reliability"].value == pytest.approx((n * (forecasts - shares) ** 2).sum() / 40, abs=1e-12)
    assert found["brier_resolution"].value == pytest.approx((n * (shares - base) ** 2).sum() / 40, abs=1e-12)
    assert found["brier_uncertainty"].value == pytest.approx(base * (1 - base), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=60))
@settings(max_examples=25)
def test_the_parts_of_brier_add_up_for_any_scores(rows):
    """Reliability minus resolution plus uncertainty, however scores spread within bins."""
    labels, scores = np.array(rows).T
    values = {name: m.value for name, m in measured(np.tile(labels, 10), np.tile(scores, 10)).items()}
    parts = values["brier_reliability"] - values["brier_resolution"] + values["brier_uncertainty"]
    assert parts == pytest.approx(values["brier"], abs=1e-10)


def test_recalibration_is_the_logistic_regression_on_log_odds():
    """Slope and intercept of scikit-learn's unpenalised fit."""
    rng = np.random.default_rng(0)
    scores = rng.beta(1, 3, 2_000)
    labels = (rng.random(2_000) < scores**0.7).astype(int)
    fit = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(log_odds(scores)[:, None], labels)
    found = measured(labels, scores)
    assert found["calibration_slope"].value == pytest.approx(fit.coef_[0, 0], abs=1e-6)
    assert found["calibration_intercept"].value == pytest.approx(fit.intercept_[0], abs=1e-6)


def test_recalibration_undoes_what_was_done_to_the_scores():
    """Scores whose log-odds were doubled and moved by one have a slope of 1/2 and an intercept of -1/2."""
    table = ScoreTable(np.array([0.2, 0.5, 0.8]), np.array([20.0, 50.0, 80.0]), np.array([80.0, 50.0, 20.0]))
    distorted = 1 / (1 + np.exp(-(2 * log_odds(table.scores) + 1)))
    fit = recalibrate(ScoreTable(distorted, table.positives, table.negatives))
    assert (fit.slope, fit.intercept) == pytest.approx((0.5, -0.5), abs=1e-10)


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([0, 1] * 20, [0.3] * 40), ([0] * 20 + [1] * 20, np.linspace(0.01, 0.99, 40))],
)
def test_where_no_recalibration_fits_there_is_no_value(labels, scores):
    """Equal scores, and scores that separate the classes."""
    for metric in ("calibration_slope", "calibration_intercept"):
        found = measured(labels, scores)[metric]
        assert found.value is None
        assert "no recalibration fits" in found.note


def test_the_interval_of_a_calibration_error_knows_that_chance_adds_to_it():
    """Of 40 perfectly calibrated models the intervals of nearly all reach down to 0, though no estimate does."""
    rng, reached, values = np.random.default_rng(1), 0, []
    for _ in range(40):
        scores = rng.beta(1, 2, 1_000)
        found = measured((rng.random(1_000) < scores).astype(int), scores)["expected_calibration_error"]
        reached += found.interval.low == 0
        values.append(found.value)
        assert "of it is chance" in found.note
    assert min(values) > 0.005
    assert reached >= 37


def test_a_real_calibration_error_is_not_explained_away():
    """Scores ten points too high in 20,000 rows: the interval holds 0.1 and stays above 0.09."""
    rng = np.random.default_rng(2)
    scores = rng.uniform(0.2, 0.9, 20_000)
    found = measured((rng.random(20_000) < scores - 0.1).astype(int), scores)["expected_calibration_error"]
    assert 0.09 < found.interval.low < 0.1 < found.interval.high
    assert found.note == ""
