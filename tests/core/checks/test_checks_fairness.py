"""Fairness: values equal fairlearn's, small groups are named and never decide, intervals are honest."""

import json

import fairlearn.metrics as fl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from gatewright.core.checks.fairness import FAIRNESS_METRICS, decided_sums, measure_fairness
from gatewright.core.checks.groups import group_rates, group_table
from gatewright.core.errors import DataError
from gatewright.core.judging import Limits, verdict
from gatewright.core.results import Status

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


def of_metric(metric, kind):
    def gap(labels, selected, sensitive_features):
        frame = fl.MetricFrame(metrics=metric, y_true=labels, y_pred=selected, sensitive_features=sensitive_features)
        return getattr(frame, kind)()

    return gap


FAIRLEARN = {
    "demographic_parity_difference": fl.demographic_parity_difference,
    "demographic_parity_ratio": fl.demographic_parity_ratio,
    "equalized_odds_difference": fl.equalized_odds_difference,
    "equalized_odds_ratio": fl.equalized_odds_ratio,
    "equal_opportunity_difference": fl.equal_opportunity_difference,
    "equal_opportunity_ratio": fl.equal_opportunity_ratio,
    "false_positive_rate_difference": fl.false_positive_rate_difference,
    "false_positive_rate_ratio": fl.false_positive_rate_ratio,
    "false_negative_rate_ratio": fl.false_negative_rate_ratio,
    "predictive_parity_difference": of_metric(precision_score, "difference"),
    "accuracy_difference": fl.accuracy_score_difference,
}


def test_every_metric_has_its_word_from_fairlearn():
    """None is left out of the comparison."""
    assert set(FAIRLEARN) == set(FAIRNESS_METRICS)


@pytest.mark.parametrize("metric", sorted(FAIRLEARN))
def test_values_equal_fairlearns_on_the_rows_for_features_and_their_intersection(metric):
    """To 1e-12, although only counts are left of the rows."""
    labels, scores, groups = drawn()
    found = measure(labels, scores, groups)
    both = np.char.add(groups["age_band"], groups["sex"])
    for name, features in (*groups.items(), ("age_band & sex", both)):
        expected = FAIRLEARN[metric](labels, scores >= THRESHOLD, sensitive_features=features)
        assert found[metric, name].value == pytest.approx(expected, abs=1e-12)


# The inputs and the results that fairlearn's user guide prints, "Common fairness metrics".
GUIDE = {
    "labels": [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    "predictions": [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0],
    "groups": {"sf": list("bbabbcccaacabccbcc")},
}
PUBLISHED = {
    "demographic_parity_difference": 0.25,
    "demographic_parity_ratio": 2 / 3,
    "equalized_odds_difference": 1.0,
    "equalized_odds_ratio": 0.0,
}


def test_fairlearns_documented_example_gives_the_documented_values():
    """The user guide's eighteen rows; accuracy by group is 0.25, 0.667 and 0.375."""
    found = measure(scores=None, **GUIDE)
    for metric, value in PUBLISHED.items():
        assert found[metric, "sf"].value == pytest.approx(value, abs=1e-12)
    rates = group_rates(decided_sums(scores=None, threshold=THRESHOLD, **GUIDE))["sf"]
    assert [rates[g]["accuracy"] for g in "abc"] == pytest.approx([0.25, 2 / 3, 0.375], abs=1e-12)


def test_the_example_in_metric_frames_docstring_gives_its_values():
    """Selection rates 0.8 and 0.4, accuracies 0.8 and 0.6."""
    found = measure(
        labels=[1, 1, 1, 1, 1, 0, 0, 1, 1, 0],
        scores=None,
        groups={"sex": ["Female"] * 5 + ["Male"] * 5},
        predictions=[0, 1, 1, 1, 1, 0, 0, 0, 1, 1],
    )
    assert found["demographic_parity_difference", "sex"].value == pytest.approx(0.4, abs=1e-12)
    assert found["demographic_parity_ratio", "sex"].value == pytest.approx(0.5, abs=1e-12)
    assert found["accuracy_difference", "sex"].value == pytest.approx(0.2, abs=1e-12)


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
@settings(max_examples=6)
def test_relabelling_the_groups_leaves_gaps_and_intervals_as_they_are(names):
    """A gap knows no order of groups, nor does its change to the champion."""
    labels, scores, groups = drawn(n=600)
    renamed = dict(zip(["16-24", "25-64", "65+"], names, strict=True))
    other = np.array([renamed[group] for group in groups["age_band"]])
    champion = np.clip(scores + 0.1 * labels - 0.03, 0, 1)
    one = measure(labels, scores, {"age_band": groups["age_band"]}, champion_scores=champion)
    two = measure(labels, scores, {"age_band": other}, champion_scores=champion)
    for key, first in one.items():
        assert numbers(two[key]) == pytest.approx(numbers(first), abs=1e-12, nan_ok=True)


def numbers(m):
    bounds = (m.interval.low, m.interval.high) if m.interval else (np.nan, np.nan)
    return (np.nan if m.value is None else m.value, *bounds, np.nan if m.p_value is None else m.p_value)


@pytest.mark.parametrize("clustered", [False, True])
@given(order=st.permutations(range(120)))
@settings(max_examples=5)
def test_the_order_of_rows_does_not_matter(clustered, order):
    """Measurements are the same to the last bit, with and without clusters."""
    labels, scores, groups = drawn(n=120)
    order, ids = np.array(order), np.arange(120) // 2
    champion = np.clip(scores + 0.1 * labels - 0.03, 0, 1)
    shuffled = {name: values[order] for name, values in groups.items()}
    one = measure(labels, scores, groups, champion_scores=champion, clusters=ids if clustered else None)
    two = measure(
        labels[order],
        scores[order],
        shuffled,
        champion_scores=champion[order],
        clusters=ids[order] if clustered else None,
    )
    assert one == two


def test_a_group_below_support_changes_nothing_but_the_note_and_the_count():
    """Not even the last digit of an interval or a p-value."""
    labels, scores, groups = drawn(n=1_000)
    champion = np.clip(scores + 0.1 * labels - 0.03, 0, 1)
    sex = np.append(groups["sex"].astype(object), ["x"] * 5)
    more, also = np.append(labels, [0, 1, 0, 1, 1]), [0.9, 0.1, 0.9, 0.1, 0.1]
    one = measure(labels, scores, {"sex": groups["sex"]}, champion_scores=champion, minimum_support=10)
    two = measure(
        more, np.append(scores, also), {"sex": sex}, champion_scores=np.append(champion, also), minimum_support=10
    )
    for key, first in one.items():
        if key[0] == "unsupported_groups":
            assert (first.value, two[key].value) == (0, 1)
            continue
        assert numbers(two[key]) == numbers(first)
        assert two[key].n == first.n
        assert "x (" in two[key].note


@given(st.lists(st.tuples(*[st.integers(2, 30)] * 4), min_size=2, max_size=4), st.floats(0.02, 0.9))
@settings(max_examples=40)
def test_fewer_rows_never_turn_a_fail_into_a_pass(cells, limit):
    """The same shares in a third of the rows: what failed fails, and intervals only grow."""
    few, many = ({(m.metric, m.slice): m for m in of_cells(np.array(cells) * times)} for times in (1, 3))
    for metric in FAIRNESS_METRICS:
        first, second = few[metric, "g"], many[metric, "g"]
        assert first.value == pytest.approx(second.value, abs=1e-12)
        assert first.interval.low <= second.interval.low + 1e-12
        assert first.interval.high >= second.interval.high - 1e-12
        limits = Limits(None, limit) if metric.endswith("difference") else Limits(limit, None)
        if judged(limits, second) is Status.FAILED:
            assert judged(limits, first) is Status.FAILED


def judged(limits, m):
    return verdict(limits, m.value, m.interval, decide_on="interval")[0]


def of_cells(cells):
    """Measurements of rows given as counts: group x (label, decision) = (0, 0), (0, 1), (1, 0), (1, 1)."""
    cells = np.array(cells)
    group = np.repeat(np.arange(len(cells)), cells.sum(axis=1))
    cell = np.concatenate([np.repeat(np.arange(4), row) for row in cells])
    return measure_fairness(
        cell // 2, None, {"g": group}, threshold=0.5, predictions=cell % 2, confidence=0.9, minimum_support=1
    )


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
