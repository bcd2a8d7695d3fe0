"""Areas under ROC curves against published values, scikit-learn and the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from gatewright.core.statistics.auc import (
    auc,
    auc_difference_interval,
    auc_interval,
    delong,
    delong_difference,
    table_estimate,
)
from gatewright.core.statistics.paired import two_sided_p_value
from gatewright.core.statistics.score_table import ScoreTable

# 43 patients with ovarian cancer: albumin, total protein, K-G score, survived. DeLong et al. (1988), as printed
# in the SAS/STAT user's guide, LOGISTIC procedure, "Comparing Receiver Operating Characteristic Curves".
OVARIAN = np.fromstring(
    """3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1
    3.8 5.7 5 1 3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0
    2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1
    3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0
    3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1
    3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1""",
    sep=" ",
).reshape(-1, 4)
ALBUMIN, PROTEIN, KG_SCORE, SURVIVED = OVARIAN[:, 0], OVARIAN[:, 1], 10 - OVARIAN[:, 2], OVARIAN[:, 3]

# 113 patients with aneurysmal subarachnoid haemorrhage: poor outcome, WFNS grade, S100b, NDKA. Turck et al. (2010),
# Intensive Care Medicine 36, 107-115, as distributed as `aSAH` with the R package pROC.
ASAH = np.fromstring(
    """
    0 1 0.13 3.01 0 1 0.14 8.54 0 1 0.1 8.09 0 1 0.04 10.42 1 3 0.13 17.4 1 2 0.1 12.75 0 5 0.47 6 1 4 0.16 13.2 0 1
    0.18 15.54 0 2 0.1 6.01 1 5 0.12 15.96 0 2 0.1 17.86 1 5 0.44 5.18 1 5 0.71 8.9 0 1 0.04 13.41 0 2 0.08 20.75 1
    5 0.49 11.6 0 2 0.04 16.11 1 2 0.07 32.37 1 5 0.33 54.82 1 2 0.09 32.41 0 1 0.09 49.94 1 1 0.07 40.34 0 1 0.11
    9.47 0 1 0.07 6.29 0 2 0.17 12.53 0 1 0.07 6.54 0 2 0.11 6.3 0 1 0.13 80.3 0 1 0.19 12.8 0 3 0.05 9.8 0 4 0.16
    9.81 1 2 0.41 9.85 0 1 0.14 18.21 0 4 0.34 5.03 1 5 0.35 14.04 1 4 0.48 21.93 0 1 0.09 8.02 1 4 0.96 7.42 1 2
    0.25 8.38 0 5 0.5 6.59 0 5 0.46 9.63 0 1 0.16 13.12 0 1 0.07 7.96 0 2 0.43 14.34 0 4 0.45 41.43 0 1 0.11 7.63 0
    1 0.08 7.06 0 2 0.09 12.59 1 5 0.86 13.56 1 5 0.52 3.87 0 2 0.08 9.44 0 1 0.06 7.66 0 2 0.13 12.98 1 5 2.07
    419.19 0 1 0.1 27.19 0 2 0.14 22.27 0 2 0.15 9.95 1 2 0.07 21.22 0 1 0.06 11.73 1 5 0.77 10.4 0 1 0.05 58.83 0 1
    0.09 6.39 1 2 0.3 11.09 1 5 0.03 12.22 1 2 0.09 13.67 0 1 0.04 17.21 1 4 0.23 22.63 1 5 0.7 12.9 0 2 0.09 9.7 1
    4 0.27 21.57 1 4 0.71 8.23 1 1 0.08 72.57 1 4 0.26 15.54 0 1 0.08 10.51 0 2 0.16 10.6 0 1 0.09 14.57 1 4 0.13
    5.19 1 2 0.1 9.63 0 1 0.08 4.61 1 2 0.11 21.48 0 3 0.33 17.3 0 2 0.11 12.71 0 4 0.28 9.44 0 2 0.07 11.07 0 1 0.1
    19.46 0 4 0.32 10.83 1 5 0.22 5.37 0 1 0.07 11.97 0 1 0.05 7.75 0 5 0.24 9.83 0 4 0.38 10.55 0 2 0.1 28.49 0 2
    0.15 8.53 0 1 0.08 12.57 0 1 0.14 12.9 0 1 0.1 46.83 0 3 0.07 11.68 0 1 0.04 12.67 0 2 0.19 9.01 1 5 0.56 9.57 1
    2 0.14 34.06 1 2 0.58 11.72 1 5 0.32 14.26 1 5 0.82 47.61 1 5 0.74 11.67 0 2 0.15 24.58 0 4 0.47 10.33 0 4 0.17
    13.87 1 5 0.44 15.89 0 1 0.15 22.43 0 1 0.5 6.79 0 1 0.48 13.45
    """,
    sep=" ",
).reshape(-1, 4)
POOR, WFNS, S100B, NDKA = ASAH.T


def brute_force_placements(labels, scores):
    positives, negatives = scores[labels == 1], scores[labels == 0]
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return wins.mean(axis=1), wins.mean(axis=0)


def drawn(seed, n=300):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(float)
    return labels, np.round(rng.normal(labels, 1), 1), np.round(rng.normal(0.5 * labels, 1), 1)


@pytest.mark.parametrize(
    ("scores", "area", "error", "low", "high"),
    [
        (ALBUMIN, 0.7366, 0.0927, 0.5549, 0.9182),
        (KG_SCORE, 0.7258, 0.1028, 0.5243, 0.9273),
        (PROTEIN, 0.6478, 0.1000, 0.4518, 0.8439),
    ],
)
def test_areas_of_the_ovarian_cancer_data_are_those_published(scores, area, error, low, high):
    """Area, standard error and 95 % interval equal the printed ones to four places."""
    estimate = delong(SURVIVED, scores)
    interval = auc_interval(SURVIVED, scores, confidence=0.95)
    found = (estimate.value, estimate.variance**0.5, interval.low, interval.high)
    assert found == pytest.approx((area, error, low, high), abs=5.1e-5)


@pytest.mark.parametrize(
    ("scores", "difference", "error", "low", "high"),
    [(ALBUMIN, 0.0108, 0.0953, -0.1761, 0.1976), (PROTEIN, -0.0780, 0.1046, -0.2830, 0.1271)],
)
def test_paired_differences_of_the_ovarian_cancer_data_are_those_published(scores, difference, error, low, high):
    """Contrasts with the K-G score, their standard errors and 95 % intervals equal the printed ones."""
    estimate = delong_difference(SURVIVED, scores, KG_SCORE)
    interval = auc_difference_interval(SURVIVED, scores, KG_SCORE, confidence=0.95)
    found = (estimate.value, estimate.variance**0.5, interval.low, interval.high)
    assert found == pytest.approx((difference, error, low, high), abs=5.1e-5)


@pytest.mark.parametrize(
    ("first", "second", "statistic", "p_value", "low", "high"),
    [
        (WFNS, S100B, 2.20898359144091, 0.0271757822291882, 0.0104061769564846, 0.174214419249478),
        (WFNS, NDKA, 2.79777591868904, 0.00514557970691098, 0.0634011709339876, 0.3600405634833566),
        (NDKA, S100B, -1.39077002573558, 0.164295175223054, -0.2876917446341914, 0.0488706064228094),
    ],
)
def test_paired_tests_of_the_haemorrhage_data_are_those_of_proc(first, second, statistic, p_value, low, high):
    """Statistic, p-value and 95 % interval equal what pROC's own tests of `roc.test` (DeLong, paired) expect."""
    estimate = delong_difference(POOR, first, second)
    interval = auc_difference_interval(POOR, first, second, confidence=0.95)
    assert estimate.value / estimate.variance**0.5 == pytest.approx(statistic, rel=1e-10)
    assert two_sided_p_value(estimate.value, estimate.variance**0.5) == pytest.approx(p_value, rel=1e-10)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9)


def test_counts_by_score_give_the_estimate_of_the_rows():
    """Area and variance from a table of distinct scores are those of DeLong from rows."""
    labels, scores, _ = drawn(8)
    found, expected = table_estimate(ScoreTable.of_rows(labels, scores)[0]), delong(labels, scores)
    assert (found.value, found.variance) == pytest.approx((expected.value, expected.variance), rel=1e-12)


def test_tied_ratings_of_hanley_and_mcneil_give_the_published_area_and_error():
    """109 CT images rated 1 to 5: area 0.8932, DeLong error 0.0307, interval 0.83295 to 0.95339 (Stata manual)."""
    scores = np.r_[np.repeat([1, 2, 3, 4, 5], [33, 6, 6, 11, 2]), np.repeat([1, 2, 3, 4, 5], [3, 2, 2, 11, 33])]
    labels = np.r_[np.zeros(58), np.ones(51)]
    interval = auc_interval(labels, scores, confidence=0.95)
    assert delong(labels, scores).value == pytest.approx(0.8932, abs=5e-5)
    assert delong(labels, scores).variance ** 0.5 == pytest.approx(0.0307, abs=5e-5)
    assert (interval.low, interval.high) == pytest.approx((0.83295, 0.95339), abs=5e-6)


@pytest.mark.parametrize("seed", range(5))
def test_area_and_variance_equal_the_brute_force_definition(seed):
    """Midranks give the same placements as comparing every positive with every negative, ties included."""
    labels, scores, other = drawn(seed)
    below, above = brute_force_placements(labels, scores)
    variance = below.var(ddof=1) / below.size + above.var(ddof=1) / above.size
    assert delong(labels, scores).value == pytest.approx(below.mean(), abs=1e-12)
    assert delong(labels, scores).variance == pytest.approx(variance, rel=1e-10)
    assert auc(labels, other) == pytest.approx(roc_auc_score(labels, other), abs=1e-12)


def test_paired_variance_equals_the_covariance_form_of_delong():
    """The variance of the difference is var(a) + var(b) - 2 cov(a, b) of the placements."""
    labels, first, second = drawn(7)
    placements = zip(brute_force_placements(labels, first), brute_force_placements(labels, second), strict=True)
    expected = sum(np.array([1, -1]) @ np.cov(a, b) @ np.array([1, -1]) / a.size for a, b in placements)
    assert delong_difference(labels, first, second).variance == pytest.approx(expected, rel=1e-10)


def test_clustered_variance_equals_obuchowskis_formula():
    """Sums of placements within clusters enter as in Obuchowski (1997), with the cross term of mixed clusters."""
    labels, scores, _ = drawn(3)
    clusters = np.arange(labels.size) // 3
    below, above = brute_force_placements(labels, scores)
    area, m, n = below.mean(), below.size, above.size
    mine = [(below[clusters[labels == 1] == k] - area).sum() for k in range(100)]
    theirs = [(above[clusters[labels == 0] == k] - area).sum() for k in range(100)]
    i10, i01 = (np.unique(clusters[labels == k]).size for k in (1, 0))
    s10 = i10 / ((i10 - 1) * m) * np.square(mine).sum()
    s01 = i01 / ((i01 - 1) * n) * np.square(theirs).sum()
    s11 = 100 / 99 * np.dot(mine, theirs)
    expected = s10 / m + s01 / n + 2 * s11 / (m * n)
    assert delong(labels, scores, clusters=clusters).variance == pytest.approx(expected, rel=1e-10)


def test_clusters_of_one_row_each_change_nothing():
    """Independent rows are the special case of clusters of size one."""
    labels, scores, _ = drawn(4)
    alone = delong(labels, scores, clusters=np.arange(labels.size)[::-1])
    assert alone.variance == pytest.approx(delong(labels, scores).variance, rel=1e-12)


def test_repeating_every_row_within_its_cluster_leaves_the_variance_almost_as_it_was():
    """Copies bring no information; without clusters they would halve the variance."""
    labels, scores, _ = drawn(5)
    twice = np.tile(labels, 2), np.tile(scores, 2)
    clusters = np.tile(np.arange(labels.size), 2)
    honest = delong(*twice, clusters=clusters).variance
    assert honest == pytest.approx(delong(labels, scores).variance, rel=0.02)
    assert delong(*twice).variance == pytest.approx(honest / 2, rel=0.02)


@given(st.permutations(range(40)))
@settings(max_examples=30)
def test_the_order_of_rows_does_not_matter(order):
    """Area, variance and clustered variance are the same for any order of rows."""
    labels, scores, _ = drawn(6, 40)
    clusters, order = np.arange(40) // 2, np.array(order)
    shuffled = delong(labels[order], scores[order], clusters=clusters[order])
    original = delong(labels, scores, clusters=clusters)
    assert shuffled.value == pytest.approx(original.value, abs=1e-12)
    assert shuffled.variance == pytest.approx(original.variance, abs=1e-12)


def test_a_single_class_has_no_area():
    """Neither the area nor its interval exist without both classes."""
    assert np.isnan(auc(np.ones(5), np.arange(5)))
    assert auc_interval(np.zeros(5), np.arange(5), confidence=0.9) is None


def test_one_positive_row_has_an_area_but_no_interval():
    """A variance among one positive cannot be estimated, so that nothing may be concluded."""
    labels = np.r_[1, np.zeros(20)]
    assert auc(labels, np.arange(21)) == 0
    assert auc_interval(labels, np.arange(21), confidence=0.9) is None


def test_perfect_separation_of_few_rows_is_not_certainty():
    """DeLong's variance is then zero; the bound comes from Newcombe's method 5 and shrinks with rows."""
    few, many = (auc_interval(np.repeat([0, 1], n), np.arange(2 * n), confidence=0.95) for n in (5, 500))
    assert few.low < 0.8 < many.low < 1
    assert few.high == many.high == 1


def test_two_different_perfect_models_have_a_difference_with_doubt():
    """No width would claim that they are equal on all future rows."""
    labels, scores = np.repeat([0, 1], 10), np.arange(20.0)
    interval = auc_difference_interval(labels, scores, scores**2, confidence=0.95)
    assert interval.low < -0.05
    assert interval.high > 0.05


def test_models_that_rank_alike_have_equal_areas_for_certain():
    """A rescaled model wins and loses on the same pairs, whatever the rows."""
    interval = auc_difference_interval(SURVIVED, ALBUMIN, ALBUMIN / 2, confidence=0.9)
    assert (interval.low, interval.high) == (0, 0)


def test_a_model_compared_with_itself_differs_by_exactly_nothing():
    """Equal scores give the interval [0, 0]."""
    interval = auc_difference_interval(SURVIVED, ALBUMIN, ALBUMIN, confidence=0.9)
    assert (interval.low, interval.high) == (0, 0)


def test_delong_interval_covers_the_true_area_as_often_as_it_says():
    """Of 400 samples with normal scores about 90 % of the 90 % intervals hold the true area."""
    rng, true_area, covered = np.random.default_rng(0), 0.7602499, 0
    labels = np.repeat([0.0, 1.0], [150, 50])
    for _ in range(400):
        interval = auc_interval(labels, rng.normal(labels, 1), confidence=0.9)
        covered += interval.low <= true_area <= interval.high
    assert 0.86 <= covered / 400 <= 0.94
