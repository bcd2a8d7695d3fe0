"""Intervals, p-values and equivalence of gaps: published values, and the coverage they promise for small groups."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency

from gatewright.core.checks.fairness import fairness_sums, measure_fairness_sums
from gatewright.core.checks.fairness_equivalence import equivalence_tests
from gatewright.core.checks.fairness_trend import fairness_trend
from gatewright.core.judging import Limits, verdict
from gatewright.core.results import Status
from gatewright.core.statistics.blocks import percentile_interval
from gatewright.core.statistics.gap_changes import GapChange, ResampledRates
from gatewright.core.statistics.gap_tests import effective_counts, equivalence_p_value, homogeneity_p_value
from gatewright.core.statistics.gaps import Gap, gap_interval, gap_of
from gatewright.core.statistics.proportions import wilson
from gatewright.core.statistics.redraws import redrawn


def gap(successes, counts, kind="difference"):
    return Gap(kind, np.array(successes, dtype=float), np.array(counts, dtype=float))


def interval(*gaps, confidence=0.95):
    return gap_interval(gaps, confidence)


def test_upper_bound_of_two_groups_is_newcombes_published_one():
    """56 of 70 against 48 of 80: 0.3339 (Newcombe 1998, table II, method 10)."""
    assert interval(gap([56, 48], [70, 80])).high == pytest.approx(0.3339, abs=5e-5)


def test_lower_bound_of_two_groups_is_newcombes_for_either_of_them_being_ahead():
    """Which group is ahead is not known beforehand, so each order has half of alpha."""
    one_sided = interval(gap([56, 48], [70, 80]), confidence=0.9).low
    assert one_sided == pytest.approx(0.0524, abs=5e-5)


def test_ratio_bound_is_zou_and_donners_of_the_worst_pair():
    """By hand from the Wilson bounds of 20 of 50 and 40 of 60, on the logarithm."""
    a, b = wilson(20, 50, confidence=0.9), wilson(40, 60, confidence=0.9)
    p, q = 20 / 50, 40 / 60
    by_hand = np.exp(np.log(p / q) - np.hypot(np.log(p / a.low), np.log(b.high / q)))
    assert interval(gap([20, 40], [50, 60], "ratio"), confidence=0.9).low == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize(
    ("found", "kind"), [([0, 0], "difference"), ([9, 9], "difference"), ([9, 9], "ratio"), ([0, 9], "ratio")]
)
def test_rates_of_zero_and_one_leave_doubt(found, kind):
    """Nine rows a group: nothing is certain but that a gap lies between 0 and 1."""
    bounds = interval(gap(found, [9, 9], kind))
    assert 0 <= bounds.low < bounds.high <= 1
    assert bounds.high - bounds.low > 0.1


def test_the_worst_of_two_rates_has_the_worse_upper_bound():
    """Equalized odds: certain to be small only where both gaps are."""
    small, large = gap([50, 50], [100, 100]), gap([10, 14], [20, 20])
    assert interval(small, large).high == interval(large).high
    assert interval(small, large).low <= interval(large).low


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@pytest.mark.parametrize(("rates", "counts"), [((0.3, 0.5), (30, 30)), ((0.1, 0.5), (20, 40)), ((0.9, 0.95), (30, 30))])
def test_each_bound_covers_the_true_gap_of_two_small_groups(rates, counts, kind):
    """Exactly, from all possible outcomes: at least 93.5 % at a nominal 95 % a side."""
    true, covered, whole = float(gap_of(np.array(rates), kind)), np.zeros(2), 0.0
    likely = [np.arange(n + 1)[binom.pmf(np.arange(n + 1), n, p) > 1e-4] for n, p in zip(counts, rates, strict=True)]
    for found in itertools.product(*likely):
        if not any(found):
            continue
        bounds, chance = interval(gap(found, counts, kind), confidence=0.9), binom.pmf(found, counts, rates).prod()
        whole += chance
        covered += chance * np.array([bounds.low <= true + 1e-12, bounds.high >= true - 1e-12])
    assert whole > 0.99
    assert (covered / whole >= 0.935).all()


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@pytest.mark.parametrize("rates", [[0.3] * 12, [0.3] * 11 + [0.5], list(np.linspace(0.2, 0.5, 12))])
def test_each_bound_covers_the_true_gap_of_twelve_small_groups(rates, kind):
    """Fifty rows a group, equal or not; at least 93 % of 200 samples at a nominal 95 % a side."""
    rng = np.random.default_rng(0)
    true = float(gap_of(np.array(rates), kind))
    found = [interval(gap(rng.binomial(50, rates), [50] * 12, kind), confidence=0.9) for _ in range(200)]
    assert np.mean([bounds.high >= true - 1e-12 for bounds in found]) >= 0.93
    assert np.mean([bounds.low <= true + 1e-12 for bounds in found]) >= 0.93


def test_resampling_alone_would_find_a_gap_where_there_is_none():
    """Twelve equal groups of fifty: percentiles of resampled gaps exclude 0 always, our bound hardly ever."""
    rng, plain, ours = np.random.default_rng(1), 0, 0
    for seed in range(60):
        cells = np.stack([successes := rng.binomial(50, 0.3, 12), 50 - successes], axis=1)
        resampled = gap_of(redrawn(cells, seed=seed)[..., 0] / 50, "difference")
        value = float(gap_of(cells[:, 0] / 50, "difference"))
        plain += percentile_interval(value, resampled, blocks=600, confidence=0.9).low > 0
        ours += interval(gap(cells[:, 0], [50] * 12), confidence=0.9).low > 0
    assert plain == 60
    assert ours <= 5


def resampled_models(rng, ours, theirs, rows, seed):
    """Two models' rates of deciding for the same rows of each group, and their resamples."""
    chance, other = rng.random((2, len(ours), rows))
    cells = []
    for p, q, u, v in zip(ours, theirs, chance, np.where(other < 0.8, chance, rng.random(chance.shape)), strict=True):
        cells.append(np.bincount(2 * (u < p) + (v < q), minlength=4))
    cells = np.array(cells)
    draws = redrawn(cells, seed=seed)
    models = [[2, 3], [1, 3]]
    return [
        ResampledRates("difference", (cells[:, c].sum(axis=1) / rows,), (draws[..., c].sum(axis=-1) / rows,))
        for c in models
    ]


def test_change_covers_the_truth_where_the_champion_is_fair_and_the_candidate_is_not():
    """Eight groups of forty, a true rise of 0.2: resampled differences of gaps miss it, bounds over pairs do not."""
    rng, plain, ours = np.random.default_rng(2), 0, 0
    for seed in range(60):
        first, second = resampled_models(rng, [0.5] * 7 + [0.7], [0.5] * 8, 40, seed)
        gaps = [(gap_of(m.values[0], "difference"), gap_of(m.replicates[0], "difference")) for m in (first, second)]
        value, resampled = (float(gaps[0][0] - gaps[1][0]), gaps[0][1] - gaps[1][1])
        plain += percentile_interval(value, resampled, blocks=40, confidence=0.9).high >= 0.2
        bounds = GapChange(first, second).interval(value=value, independent=40, confidence=0.9, method="test")
        ours += bounds.high >= 0.2
    assert plain <= 48
    assert ours >= 57


def test_change_of_two_groups_has_the_width_of_the_paired_difference():
    """Clear gaps of the same pair: 1.96 standard errors of the paired difference, and not the sum of two widths."""
    rng = np.random.default_rng(3)
    first, second = resampled_models(rng, [0.3, 0.6], [0.3, 0.5], 2_000, 0)
    value = float(gap_of(first.values[0], "difference") - gap_of(second.values[0], "difference"))
    bounds = GapChange(first, second).interval(value=value, independent=2_000, confidence=0.9, method="test")
    paired = np.std(np.diff(first.replicates[0] - second.replicates[0], axis=1))
    assert bounds.high - value == pytest.approx(1.96 * paired, rel=0.1)
    assert GapChange(first, second).p_value() < 0.01


def test_equal_decisions_have_not_changed_the_gap():
    """Change 0, a narrow interval, p-value 1."""
    rng = np.random.default_rng(4)
    labels, decisions = rng.integers(0, 2, 2_000), rng.random(2_000) < 0.4
    groups = {"g": rng.choice(["a", "b", "c"], 2_000)}
    sums = fairness_sums(labels, decisions, groups, champion_decisions=decisions)
    for m in measure_fairness_sums(sums, confidence=0.9, minimum_support=30):
        if m.metric.endswith("_change"):
            assert (m.value, m.p_value) == (0, 1)
            assert -0.03 < m.interval.low <= 0 <= m.interval.high < 0.03


def test_a_change_of_rates_that_resamples_lose_is_anything():
    """A ratio to a rate that is often 0 among resamples: the bounds are those no change exceeds."""
    rates = ResampledRates("ratio", (np.array([0.02, 0.01]),), (np.tile([[0.02, 0.01], [0.0, 0.0]], (500, 1)),))
    bounds = GapChange(rates, rates).interval(value=0.0, independent=100, confidence=0.9, method="test")
    assert (bounds.low, bounds.high) == (-1, 1)


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@given(
    found=st.lists(st.integers(0, 40), min_size=2, max_size=5),
    margin=st.floats(0.01, 0.99),
    confidence=st.floats(0.5, 0.999),
)
@settings(max_examples=60)
def test_equivalence_is_found_where_the_interval_keeps_within_the_margin(kind, found, margin, confidence):
    """The p-value reaches alpha exactly where a rule on the interval would pass."""
    tested = gap(found, [40] * len(found), kind)
    if np.isnan(tested.value):
        assert equivalence_p_value(tested, margin) == 1
        return
    bounds, alpha = gap_interval((tested,), confidence), (1 - confidence) / 2
    p_value = equivalence_p_value(tested, margin)
    if abs(p_value - alpha) > 1e-9:
        passed = bounds.high < margin if kind == "difference" else bounds.low > margin
        assert passed == (p_value < alpha)


def test_equivalence_of_two_groups_is_newcombes_interval_turned_around():
    """At the margin 0.3339 the one-sided p-value of 56 of 70 against 48 of 80 is 0.025."""
    assert equivalence_p_value(gap([56, 48], [70, 80]), 0.33385) == pytest.approx(0.025, abs=2e-4)


@given(st.lists(st.integers(1, 39), min_size=2, max_size=6))
@settings(max_examples=30)
def test_no_difference_is_tested_by_pearsons_chi_square(found):
    """As scipy computes it from the table of successes and failures; times two for the worse of two rates."""
    table = np.array([found, 40 - np.array(found)])
    tested = gap(found, [40] * len(found))
    expected = chi2_contingency(table, correction=False).pvalue
    assert homogeneity_p_value((tested,)) == pytest.approx(expected, rel=1e-9)
    assert homogeneity_p_value((tested, tested)) == pytest.approx(min(1, 2 * expected), rel=1e-9)


def test_no_difference_cannot_be_tested_where_no_rate_varies():
    """All groups are selected whole."""
    assert homogeneity_p_value((gap([9, 9], [9, 9]),)) is None


def test_effective_counts_divide_by_the_design_effect():
    """Twice the binomial variance halves the rows; at 0 and 1 the blocks count; less variance is not believed."""
    rates, counts = np.array([0.5, 0.0, 0.5]), np.array([100.0, 100.0, 100.0])
    spread = np.sqrt(0.25 / 100)
    replicates = rates + np.array([[1.0], [-1.0]]) * spread * np.array([np.sqrt(2), 0, 0.1])
    found = effective_counts(rates, counts, replicates, np.array([40, 40, 40]))
    assert found == pytest.approx([50, 40, 100])


def test_redraws_of_a_group_depend_on_its_own_counts_alone():
    """Another group, or another order, changes nothing; equal groups do not move together."""
    cells = np.array([[5, 20, 3, 9], [8, 8, 8, 8], [8, 8, 8, 8]])
    all_three, one = redrawn(cells, seed=1), redrawn(cells[:1], seed=1)
    assert np.array_equal(all_three[:, 0], one[:, 0])
    assert np.array_equal(redrawn(cells[[1, 0, 2]], seed=1)[:, 1], one[:, 0])
    assert abs(np.corrcoef(all_three[:, 1, 0], all_three[:, 2, 0])[0, 1]) < 0.15
    assert (all_three.sum(axis=-1) == cells.sum(axis=1)).all()
    assert all_three[:, 0].mean(axis=0) == pytest.approx(cells[0], abs=0.5)


def scored(rng, rows, groups, shift):
    scores = rng.beta(2, 5, rows * groups)
    names = np.repeat([f"g{k}" for k in range(groups)], rows)
    labels = rng.random(rows * groups) < np.where(names == "g0", np.clip(scores + shift, 0, 1), scores)
    return fairness_sums(labels, scores >= 0.5, {"g": names}, scores=scores), labels, scores, names


def calibration(sums, **options):
    options = {"confidence": 0.9, "minimum_support": 1, **options}
    return {m.metric: m for m in measure_fairness_sums(sums, **options) if m.metric.startswith("calibration")}


def test_calibration_within_groups_is_the_worst_error_of_a_group_by_hand():
    """Ten bins of equal width: the mean distance of score and rate; overall: that of the group's means."""
    sums, labels, scores, names = scored(np.random.default_rng(5), 300, 3, 0.1)
    errors, large = [], []
    for name in np.unique(names):
        y, s = labels[names == name], scores[names == name]
        bins = np.minimum((10 * s).astype(int), 9)
        errors.append(sum(abs((y[bins == b] - s[bins == b]).sum()) for b in range(10)) / y.size)
        large.append(abs((y - s).mean()))
    found = calibration(sums)
    assert found["calibration_within_groups"].value == pytest.approx(max(errors), abs=1e-8)
    assert found["calibration_in_the_large_within_groups"].value == pytest.approx(max(large), abs=1e-8)


@pytest.mark.parametrize(("rows", "shift"), [(100, 0.0), (200, 0.1)])
def test_bounds_of_calibration_cover_the_true_distance(rows, shift):
    """A group whose rate is ``shift`` above its scores, among three; at least 93 % of 60 samples on each side."""
    rng = np.random.default_rng(6)
    found = [calibration(scored(rng, rows, 3, shift)[0]).values() for _ in range(60)]
    for metric in zip(*found, strict=True):
        assert np.mean([m.interval.high >= shift for m in metric]) >= 0.93
        assert np.mean([m.interval.low <= shift for m in metric]) >= 0.93


def test_calibration_needs_scores_and_support():
    """Without scores it is not measured at all; a small group is named; without any group there is no value."""
    sums, labels, scores, names = scored(np.random.default_rng(7), 50, 2, 0)
    assert not calibration(fairness_sums(labels, scores >= 0.5, {"g": names}))
    few = fairness_sums(labels[:60], scores[:60] >= 0.5, {"g": names[:60]}, scores=scores[:60])
    assert "g1 (10 rows)" in calibration(few, minimum_support=30)["calibration_within_groups"].note
    for m in calibration(sums, minimum_support=51).values():
        assert m.value is None
        assert "no group has support" in m.note


def test_clusters_widen_the_calibration_interval():
    """Every row four times, each copy in its cluster: the same value, the interval of a quarter of the rows."""
    _, labels, scores, names = scored(np.random.default_rng(8), 500, 2, 0.1)
    ids, rows = np.arange(1000), np.tile(np.arange(1000), 4)
    one = calibration(fairness_sums(labels, scores >= 0.5, {"g": names}, scores=scores, clusters=ids))
    four = fairness_sums(labels[rows], scores[rows] >= 0.5, {"g": names[rows]}, scores=scores[rows], clusters=ids[rows])
    for metric, m in calibration(four).items():
        assert m.value == pytest.approx(one[metric].value, abs=1e-8)
        assert m.interval.high - m.value == pytest.approx(one[metric].interval.high - m.value, rel=0.15)


@pytest.mark.parametrize(
    ("rows", "selected", "status"),
    [(1000, (800, 780), Status.PASSED), (100, (80, 70), Status.INCONCLUSIVE), (100, (60, 40), Status.FAILED)],
)
def test_the_four_fifths_rule_is_decided_on_the_interval_of_the_parity_ratio(rows, selected, status):
    """Ratios 0.975, 0.875 with few rows, and 0.667, against 0.8."""
    groups = np.repeat(["a", "b"], rows)
    decisions = np.concatenate([np.arange(rows) < k for k in selected])
    sums = fairness_sums(np.tile([0, 1], rows), decisions, {"g": groups})
    found = {m.metric: m for m in measure_fairness_sums(sums, confidence=0.9, minimum_support=30)}
    ratio = found["demographic_parity_ratio"]
    assert verdict(Limits(0.8, None), ratio.value, ratio.interval, decide_on="interval")[0] is status


def test_too_few_clusters_give_no_interval_and_so_no_pass():
    """Nine households, however many people live in them."""
    rng = np.random.default_rng(9)
    labels, decisions = rng.integers(0, 2, 900), rng.integers(0, 2, 900)
    sums = fairness_sums(
        labels, decisions, {"g": rng.choice(["a", "b"], 900)}, scores=rng.random(900), clusters=np.arange(900) % 9
    )
    for m in measure_fairness_sums(sums, confidence=0.9, minimum_support=30):
        if m.metric != "unsupported_groups":
            assert m.value is None
            assert "too few independent rows" in m.note


def test_equivalence_tests_speak_of_the_slices_that_have_a_margin():
    """One row a slice and metric with a limit; no p-value where a group too few has support."""
    rng = np.random.default_rng(10)
    labels, decisions = rng.integers(0, 2, 4_000), rng.integers(0, 2, 4_000)
    groups = {"a": rng.choice(["u", "v"], 4_000), "b": np.full(4_000, "w")}
    sums = fairness_sums(labels, decisions, groups)
    limits = {("accuracy_difference", "a"): 0.2, ("accuracy_difference", "b"): 0.2, ("equalized_odds_ratio", "a"): 0.5}
    rows = equivalence_tests(sums, lambda metric, slice: limits.get((metric, slice)), minimum_support=30)
    assert [(row["metric"], row["slice"]) for row in rows] == [
        ("equalized_odds_ratio", "a"),
        ("accuracy_difference", "a"),
        ("accuracy_difference", "b"),
    ]
    assert rows[0]["p_value"] < 1e-6
    assert rows[1]["p_value"] < 1e-6
    assert rows[2]["p_value"] is None


def test_trend_shows_each_release_and_what_was_not_measured():
    """Oldest first; a slice that an earlier release did not have leaves a hole, not a lie."""
    rng = np.random.default_rng(11)
    labels, decisions, groups = rng.integers(0, 2, 400), rng.integers(0, 2, 400), rng.choice(["u", "v"], 400)
    first = measure_fairness_sums(fairness_sums(labels, decisions, {"a": groups}), confidence=0.9, minimum_support=30)
    second = measure_fairness_sums(fairness_sums(labels, decisions, {"b": groups}), confidence=0.9, minimum_support=30)
    series = fairness_trend([("r1", first), ("r2", second), ("r3", ())], metrics={"accuracy_difference"})
    assert [(s["metric"], s["slice"]) for s in series] == [("accuracy_difference", "a"), ("accuracy_difference", "b")]
    assert [point["release"] for point in series[0]["points"]] == ["r1", "r2", "r3"]
    known = next(m for m in first if m.metric == "accuracy_difference")
    assert series[0]["points"][0] == {
        "release": "r1",
        "value": known.value,
        "low": known.interval.low,
        "high": known.interval.high,
        "n": known.n,
    }
    assert series[0]["points"][1] == {"release": "r2", "value": None, "low": None, "high": None, "n": None}
