"""Fairness: values equal fairlearn's, small groups are named and never decide, intervals are honest."""

import json

import fairlearn.metrics as fl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from gatewright.core.checks.fairness import FAIRNESS_METRICS, decided_sums, measure_fairness
from gatewright.core.checks.groups import group_table
from gatewright.core.errors import DataError

THRESHOLD = 0.4


def drawn(seed=0, n=3_000):
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], n)
    age = rng.choice(["16-24", "25-64", "65+"], n, p=[0.3, 0.5, 0.2])
    labels = (rng.random(n) < 0.3).astype(int)
    scores = np.clip(rng.normal(0.3 + 0.2 * labels + 0.05 * (age == "65+"), 0.15), 0, 1)
    return labels, scores, {"sex": sex, "age_band": age}


def measure(labels, scores, groups, **options):
    options = {"minimum_support": 1, **options}
    measurements = measure_fairness(labels, scores, groups, threshold=THRESHOLD, confidence=0.9, **options)
    return {(m.metric, m.slice): m for m in measurements}


def precision_gap(labels, selected, sensitive_features):
    frame = fl.MetricFrame(
        metrics=precision_score, y_true=labels, y_pred=selected, sensitive_features=sensitive_features
    )
    return frame.difference()


FAIRLEARN = {
    "demographic_parity_difference": fl.demographic_parity_difference,
    "demographic_parity_ratio": fl.demographic_parity_ratio,
    "equalized_odds_difference": fl.equalized_odds_difference,
    "equal_opportunity_difference": fl.equal_opportunity_difference,
    "false_positive_rate_difference": fl.false_positive_rate_difference,
    "predictive_parity_difference": precision_gap,
}


@pytest.mark.parametrize("metric", sorted(FAIRLEARN))
def test_values_equal_fairlearns_on_the_rows_for_features_and_their_intersection(metric):
    """To 1e-12, although only four weighted cells a group are given to fairlearn."""
    labels, scores, groups = drawn()
    found = measure(labels, scores, groups)
    both = np.char.add(groups["age_band"], groups["sex"])
    for name, features in (*groups.items(), ("age_band & sex", both)):
        expected = FAIRLEARN[metric](labels, scores >= THRESHOLD, sensitive_features=features)
        assert found[metric, name].value == pytest.approx(expected, abs=1e-12)


def test_slices_are_the_features_and_their_pairs_only():
    """Three features give three pairs with names in sorted order, and no triple."""
    labels, scores, groups = drawn(n=500)
    found = measure(labels, scores, {**groups, "region": np.where(labels, "a", "b")})
    assert {name for _, name in found} == {
        "age_band", "region", "sex", "age_band & region", "age_band & sex", "region & sex",
    }  # fmt: skip


def test_every_gap_has_an_interval_that_holds_it_within_its_range():
    """Differences and ratios stay within [0, 1]."""
    labels, scores, groups = drawn()
    for (metric, _), found in measure(labels, scores, groups).items():
        if metric != "unsupported_groups":
            assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1


def test_width_of_a_two_group_gap_is_the_analytic_one():
    """Selection rates p and q of two groups: standard error sqrt(p(1-p)/n + q(1-q)/m)."""
    labels, scores, groups = drawn()
    found = measure(labels, scores, {"sex": groups["sex"]})["equal_opportunity_difference", "sex"]
    rates = [(scores >= THRESHOLD)[(labels == 1) & (groups["sex"] == g)] for g in "fm"]
    analytic = 1.645 * sum(r.var() / r.size for r in rates) ** 0.5
    assert found.interval.high - found.value == pytest.approx(analytic, rel=0.15)


def test_a_group_of_three_rows_is_named_and_does_not_decide():
    """Its rate of 0 would be a gap; it is left out of the value, named in the note and counted."""
    labels, scores, groups = drawn()
    age = groups["age_band"].astype(object)
    scores[:3], age[:3] = 0, "unknown"
    found = measure(labels, scores, {"age_band": age}, minimum_support=30)
    kept = age != "unknown"
    expected = fl.demographic_parity_difference(labels[kept], scores[kept] >= THRESHOLD, sensitive_features=age[kept])
    parity = found["demographic_parity_difference", "age_band"]
    assert parity.value == pytest.approx(expected, abs=1e-12)
    assert "unknown (3 rows)" in parity.note
    unsupported = found["unsupported_groups", "age_band"]
    assert unsupported.value == 1
    assert unsupported.interval is None
    assert "unknown" in unsupported.note


def test_support_is_counted_in_the_denominator_of_the_rate():
    """A large group with few positives counts for selection rates but not for true positive rates."""
    labels, scores, groups = drawn()
    old = np.flatnonzero((groups["age_band"] == "65+") & (labels == 1))
    labels[old[10:]] = 0
    found = measure(labels, scores, groups, minimum_support=30)
    assert found["demographic_parity_difference", "age_band"].note == ""
    assert "65+ (10 positives)" in found["equal_opportunity_difference", "age_band"].note
    assert "65+ (10 positives)" in found["equalized_odds_difference", "age_band"].note
    assert found["unsupported_groups", "age_band"].value == 1


def test_n_is_the_smallest_supported_denominator():
    """A rule's minimum number of rows is held against the weakest group."""
    labels, scores, groups = drawn()
    found = measure(labels, scores, groups)
    positives = min(((groups["sex"] == g) & (labels == 1)).sum() for g in "fm")
    assert found["equal_opportunity_difference", "sex"].n == positives


@pytest.mark.parametrize("groups", [np.full(200, "f"), np.repeat(["f", "m"], [190, 10])])
def test_fewer_than_two_supported_groups_give_no_value(groups):
    """One group, or one group large enough, cannot show fairness."""
    rng = np.random.default_rng(0)
    found = measure(rng.integers(0, 2, 200), rng.random(200), {"sex": groups}, minimum_support=20)
    for metric in FAIRNESS_METRICS:
        assert found[metric, "sex"].value is None
        assert "fewer than 2 groups have support" in found[metric, "sex"].note


def test_no_rows_give_no_value():
    """An empty evaluation set shows nothing."""
    found = measure([], [], {"sex": []})
    assert all(found[metric, "sex"].value is None for metric in FAIRNESS_METRICS)


def test_missing_groups_are_a_group_of_their_own():
    """None and NaN rows are audited together."""
    labels, scores, groups = drawn(n=300)
    sex = groups["sex"].astype(object)
    sex[:30], sex[30:60] = None, np.nan
    rows = group_table(decided_sums(labels, scores, {"sex": sex}, threshold=THRESHOLD), confidence=0.9)
    assert {row["group"]: row["n"] for row in rows}["(missing)"] == 60


def test_group_table_marks_groups_below_the_minimum_support():
    """Sixty rows suffice for a minimum of 60, not of 61."""
    labels, scores, _ = drawn(n=200)
    sex = np.repeat(["f", "m"], [60, 140])
    for minimum, supported in ((60, True), (61, False)):
        table = group_table(
            decided_sums(labels, scores, {"sex": sex}, threshold=THRESHOLD), confidence=0.9, minimum_support=minimum
        )
        assert [row["supported"] for row in table] == [supported, True]


def test_groups_without_any_error_still_leave_doubt():
    """All twenty positives found in both groups: the true gap may be several points."""
    labels, groups = np.tile([1, 0], 40), np.repeat(["a", "b"], 40)
    found = measure(labels, labels * 0.9, {"g": groups})
    gap = found["equal_opportunity_difference", "g"]
    assert gap.value == 0
    assert gap.interval.high > 0.05


def test_selecting_everybody_leaves_the_parity_ratio_in_doubt():
    """Rates of one in small groups: the ratio is 1, its lower bound is not."""
    found = measure(np.tile([1, 0], 20), np.full(40, 0.9), {"g": np.repeat(["a", "b"], 20)})
    assert found["demographic_parity_ratio", "g"].value == 1
    assert found["demographic_parity_ratio", "g"].interval.low < 0.95


def test_selecting_nobody_leaves_the_parity_ratio_undefined():
    """Zero over zero never passes."""
    found = measure(np.tile([1, 0], 20), np.full(40, 0.1), {"g": np.repeat(["a", "b"], 20)})
    assert found["demographic_parity_ratio", "g"].value is None


def test_change_is_the_candidates_gap_minus_the_champions():
    """On the same rows, and exactly nothing for the same model."""
    labels, scores, groups = drawn()
    fair = np.where(groups["age_band"] == "65+", scores - 0.05, scores).clip(0, 1)
    found = measure(labels, fair, groups, champion_scores=scores)
    alone = measure(labels, scores, groups)
    key = ("demographic_parity_difference", "age_band")
    change = found["demographic_parity_difference_change", "age_band"]
    assert change.value == pytest.approx(found[key].value - alone[key].value, abs=1e-12)
    assert change.interval.high < 0
    same = measure(labels, scores, groups, champion_scores=scores)
    assert same["equalized_odds_difference_change", "sex"].value == 0


@given(st.permutations(["16-24", "25-64", "65+"]))
@settings(max_examples=6, deadline=None)
def test_relabelling_the_groups_leaves_gaps_and_intervals_as_they_are(names):
    """A gap knows no order of groups."""
    labels, scores, groups = drawn(n=600)
    renamed = dict(zip(["16-24", "25-64", "65+"], names, strict=True))
    other = np.array([renamed[group] for group in groups["age_band"]])
    one = measure(labels, scores, {"age_band": groups["age_band"]})
    two = measure(labels, scores, {"age_band": other})
    for metric in FAIRNESS_METRICS:
        first, second = one[metric, "age_band"], two[metric, "age_band"]
        found = (second.value, second.interval.low, second.interval.high)
        assert found == pytest.approx((first.value, first.interval.low, first.interval.high), abs=1e-12)


@given(st.permutations(range(120)))
@settings(max_examples=5, deadline=None)
def test_the_order_of_rows_does_not_matter(order):
    """With ids as clusters, values and intervals are the same for any order of rows."""
    labels, scores, groups = drawn(n=120)
    groups = {"sex": groups["sex"]}
    order, ids = np.array(order), np.arange(120)
    one = measure(labels, scores, groups, clusters=ids)
    shuffled = {name: values[order] for name, values in groups.items()}
    two = measure(labels[order], scores[order], shuffled, clusters=ids[order])
    for key, first in one.items():
        assert two[key].value == pytest.approx(first.value, abs=1e-12)
        if first.interval:
            assert two[key].interval.high == pytest.approx(first.interval.high, abs=1e-12)


def test_copies_within_clusters_do_not_narrow_the_intervals():
    """Rows repeated within their cluster bring nothing new."""
    labels, scores, groups = drawn(n=1_000)
    ids = np.arange(1_000)
    twice = {name: np.tile(values, 2) for name, values in groups.items()}
    one = measure(labels, scores, groups, clusters=ids)
    two = measure(np.tile(labels, 2), np.tile(scores, 2), twice, clusters=np.tile(ids, 2))
    for metric in ("demographic_parity_difference", "false_positive_rate_difference"):
        first, second = one[metric, "sex"].interval, two[metric, "sex"].interval
        assert second.high - second.low == pytest.approx(first.high - first.low, rel=0.1)


def test_groups_of_another_length_are_refused_by_name():
    """The error names the sensitive feature."""
    with pytest.raises(DataError, match="groups of `sex`"):
        measure([0, 1], [0.1, 0.2], {"sex": ["f"]})


def test_group_table_is_json_and_its_rates_lie_within_their_bounds():
    """Every slice's groups add up to all rows; a rate without rows is None."""
    labels, scores, groups = drawn()
    labels[groups["age_band"] == "65+"] = 0
    table = group_table(decided_sums(labels, scores, groups, threshold=THRESHOLD), confidence=0.95)
    json.dumps(table, allow_nan=False)
    for name in ("sex", "age_band", "age_band & sex"):
        assert sum(row["n"] for row in table if row["slice"] == name) == labels.size
    old = next(row for row in table if row["group"] == "65+")
    assert old["true_positive_rate"] is old["true_positive_rate_low"] is None
    women = next(row for row in table if row["group"] == "f")
    assert women["selection_rate"] == pytest.approx((scores >= THRESHOLD)[groups["sex"] == "f"].mean())
    for rate in ("observed_rate", "selection_rate", "true_positive_rate", "precision", "accuracy"):
        assert women[f"{rate}_low"] <= women[rate] <= women[f"{rate}_high"]
