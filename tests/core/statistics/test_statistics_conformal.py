"""Conformal quantiles and sets equal MAPIE's, keep their promise, and abstention curves are exact."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, binomtest, kstest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from gatewright.core.checks.uncertain_answers import class_answers, number_answers
from gatewright.core.statistics.blocks import assign_blocks, bootstrap
from gatewright.core.statistics.conformal import (
    calibration_half,
    clopper_pearson,
    conformal_quantile,
    conformal_rank,
    coverage_range,
    exchangeability_p_value,
)
from gatewright.core.statistics.selective import binned_area, binned_errors, risk_coverage, selective_table


class GivenProbabilities(ClassifierMixin, BaseEstimator):
    """A fitted model whose features are its probabilities."""

    is_fitted_ = True

    def fit(self, rows, labels):
        return self

    @property
    def classes_(self):
        return np.arange(4)

    def predict_proba(self, rows):
        return rows

    def predict(self, rows):
        return rows.argmax(axis=1)


class GivenNumbers(RegressorMixin, BaseEstimator):
    """A fitted model whose only feature is its prediction."""

    is_fitted_, n_features_in_ = True, 1

    def fit(self, rows, targets):
        return self

    def predict(self, rows):
        return rows[:, 0]


@pytest.mark.parametrize("rows", [20, 200, 999])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.32])
def test_sets_of_classes_equal_mapies(rows, alpha):
    """The quantile and every set of 300 rows, by the least ambiguous set-valued classifier."""
    from mapie.classification import SplitConformalClassifier

    rng = np.random.default_rng(rows)
    probabilities = rng.dirichlet([1, 1, 2, 0.5], rows + 300)
    labels = np.array([rng.choice(4, p=p) for p in probabilities])
    theirs = SplitConformalClassifier(
        GivenProbabilities(), confidence_level=1 - alpha, conformity_score="lac", prefit=True
    ).conformalize(probabilities[:rows], labels[:rows])
    _, sets = theirs.predict_set(probabilities[rows:])
    answers = class_answers(labels, probabilities, classes=range(4), where="model")
    quantile = conformal_quantile(answers.nonconformity[:rows], alpha)
    assert ((answers.outcomes <= quantile)[rows:] == sets[:, :, 0]).all()
    assert answers.sizes(np.full(rows + 300, quantile))[rows:].tolist() == sets[:, :, 0].sum(axis=1).tolist()


@pytest.mark.parametrize("rows", [19, 200, 999])
def test_intervals_of_numbers_equal_mapies(rows):
    """The absolute residual's quantile to either side."""
    from mapie.regression import SplitConformalRegressor

    rng = np.random.default_rng(rows)
    predictions = rng.normal(size=(rows, 1))
    targets = predictions[:, 0] + rng.normal(size=rows)
    theirs = SplitConformalRegressor(GivenNumbers(), confidence_level=0.9, prefit=True)
    _, bounds = theirs.conformalize(predictions, targets).predict_interval(predictions)
    answers = number_answers(targets, predictions[:, 0], where="model")
    width = answers.sizes(np.full(rows, conformal_quantile(answers.nonconformity, 0.1)))
    np.testing.assert_allclose(bounds[:, 1, 0] - bounds[:, 0, 0], width, atol=1e-12)


def test_the_rank_is_the_finite_sample_one():
    """Of 9 rows the ninth keeps 90 %, of 19 rows the eighteenth; 8 rows cannot keep it."""
    assert [conformal_rank(rows, 0.1) for rows in (9, 19, 99)] == [9, 18, 90]
    assert conformal_quantile(np.arange(9.0), 0.1) == 8
    assert conformal_quantile(np.arange(8.0), 0.1) == np.inf
    assert conformal_quantile(np.zeros(0), 0.1) == np.inf


def test_coverage_follows_its_beta_distribution():
    """Of 2,000 calibration samples of 40 rows the true coverage is Beta(37, 4): mean 37/41, at least 90 %."""
    rng = np.random.default_rng(0)
    coverages = np.array([conformal_quantile(rng.random(40), 0.1) for _ in range(2_000)])
    assert coverages.mean() == pytest.approx(37 / 41, abs=0.003)
    assert kstest(coverages, "beta", args=(37, 4)).pvalue > 0.01
    low, high = coverage_range(40, 0.1, confidence=0.8)
    assert ((low < coverages) & (coverages < high)).mean() == pytest.approx(0.8, abs=0.03)
    assert coverage_range(5, 0.1, confidence=0.8) == (1.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(0, 20), (7, 20), (20, 20), (180, 200)])
def test_clopper_pearsons_interval_is_scipys(successes, n):
    """Exact at both ends, too."""
    expected = binomtest(successes, n).proportion_ci(0.9, method="exact")
    found = clopper_pearson(successes, n, confidence=0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    with pytest.raises(ValueError, match="not a proportion"):
        clopper_pearson(n + 1, n, confidence=0.9)


def test_the_interval_of_coverage_covers():
    """Given its calibration half, in at least 90 % of 2,000 tests of 200 rows; exact intervals err to that side."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(2_000):
        true_coverage = conformal_quantile(rng.random(100), 0.1)
        interval = clopper_pearson(int((rng.random(200) <= true_coverage).sum()), 200, confidence=0.9)
        hits += interval.low <= true_coverage <= interval.high
    assert 0.89 < hits / 2_000 < 0.96


@pytest.mark.parametrize("covered", [25, 44, 50])
def test_the_exchangeability_test_sums_beta_binomial_probabilities(covered):
    """Two-sided, over all counts at most as probable: 50 test rows after 40 that calibrated."""
    distribution = betabinom(50, 37, 4)
    probabilities = distribution.pmf(np.arange(51))
    expected = probabilities[probabilities <= distribution.pmf(covered) * (1 + 1e-9)].sum()
    assert exchangeability_p_value(covered, 50, 40, 0.1) == pytest.approx(expected)
    assert exchangeability_p_value(0, 0, 40, 0.1) is None
    assert exchangeability_p_value(50, 50, 5, 0.1) is None


def test_halves_are_halves_and_go_by_unit():
    """Half of the units calibrate, all rows of a unit alike, and another seed gives another half."""
    units = np.arange(20_000) // 2
    half = calibration_half(units, 0)
    assert half.mean() == pytest.approx(0.5, abs=0.02)
    assert (half[::2] == half[1::2]).all()
    assert (half == calibration_half(units, 1)).mean() == pytest.approx(0.5, abs=0.02)
    blocks = assign_blocks(units.size, units)
    assert np.corrcoef(half, blocks)[0, 1] == pytest.approx(0, abs=0.03)


def test_a_worked_curve():
    """Certainties .9 .8 .7 .6 with one error at .8: risks 0, 1/2, 1/3, 1/4."""
    curve = risk_coverage(np.array([0.7, 0.9, 0.6, 0.8]), np.array([False, False, False, True]))
    assert [curve.accuracy_at(share) for share in (0.25, 0.5, 0.75, 1)] == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4])
    assert curve.area() == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert curve.points(4)[1] == {"coverage": 0.5, "risk": 0.5, "certainty": 0.8}


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6))
def test_ties_count_as_the_mean_over_their_orders(rows):
    """The accuracy at each number of rows is that of an average over all ways to order equally certain rows."""
    curve = risk_coverage(np.array([c for c, _ in rows], float), np.array([w for _, w in rows]))
    orders = [
        order for order in itertools.permutations(rows) if all(a[0] >= b[0] for a, b in itertools.pairwise(order))
    ]
    risks = np.mean([np.cumsum([w for _, w in order]) / np.arange(1, len(rows) + 1) for order in orders], axis=0)
    found = [1 - curve.accuracy_at(k / len(rows)) for k in range(1, len(rows) + 1)]
    np.testing.assert_allclose(found, risks, atol=1e-12)
    assert curve.area() == pytest.approx(risks.mean(), abs=1e-12)


def test_bins_lose_little_of_the_curve():
    """Area and accuracy from 256 bins are within a thousandth of the exact ones."""
    rng = np.random.default_rng(0)
    certainty = rng.random(20_000)
    wrong = rng.random(20_000) > certainty
    curve = risk_coverage(certainty, wrong)
    total = bootstrap(selective_table(certainty, wrong, assign_blocks(20_000)), seed=0).total
    assert binned_area(total)[0] == pytest.approx(curve.area(), abs=1e-3)
    for coverage in (0.013, 0.5, 0.9, 1.0):
        assert 1 - binned_errors(total, coverage)[0] == pytest.approx(curve.accuracy_at(coverage), abs=1e-3)
