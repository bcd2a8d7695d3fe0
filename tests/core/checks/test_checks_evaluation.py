"""Evaluation: values equal scikit-learn's, intervals are honest, bad input never passes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn import metrics as sk

from gatewright.core.checks.evaluation import METRICS, SCORE_METRICS, measure_evaluation
from gatewright.core.errors import DataError, ModelError
from gatewright.core.statistics.auc import delong_difference
from gatewright.core.statistics.paired import mcnemar, tango

THRESHOLD = 0.3
CHANGES = tuple(f"{metric}_change" for metric in METRICS if metric != "brier_uncertainty")
NEEDY = frozenset(
    {"auc", "average_precision", "calibration_slope", "calibration_intercept", "precision", "recall", "specificity",
     "balanced_accuracy", "f1", "matthews_correlation", "false_positive_rate", "lift"}
)  # fmt: skip


def drawn(seed=0, n=1_500):
    rng = np.random.default_rng(seed)
    scores = rng.beta(1, 6, n)
    labels = (rng.random(n) < scores).astype(int)
    champion = np.clip(scores + rng.normal(0, 0.1, n), 0.001, 0.999)
    return labels, scores, champion


def by_metric(measurements):
    return {measurement.metric: measurement for measurement in measurements}


def measure(labels, scores, **options):
    return by_metric(measure_evaluation(labels, scores, threshold=THRESHOLD, confidence=0.9, **options))


REFERENCE = {
    "auc": lambda y, s: sk.roc_auc_score(y, s),
    "average_precision": lambda y, s: sk.average_precision_score(y, s),
    "log_loss": lambda y, s: sk.log_loss(y, s),
    "brier": lambda y, s: sk.brier_score_loss(y, s),
    "precision": lambda y, s: sk.precision_score(y, s >= THRESHOLD),
    "recall": lambda y, s: sk.recall_score(y, s >= THRESHOLD),
    "specificity": lambda y, s: sk.recall_score(y, s >= THRESHOLD, pos_label=0),
    "accuracy": lambda y, s: sk.accuracy_score(y, s >= THRESHOLD),
    "balanced_accuracy": lambda y, s: sk.balanced_accuracy_score(y, s >= THRESHOLD),
    "f1": lambda y, s: sk.f1_score(y, s >= THRESHOLD),
    "matthews_correlation": lambda y, s: sk.matthews_corrcoef(y, s >= THRESHOLD),
    "selection_rate": lambda y, s: (s >= THRESHOLD).mean(),
    "false_positive_rate": lambda y, s: 1 - sk.recall_score(y, s >= THRESHOLD, pos_label=0),
    "lift": lambda y, s: sk.precision_score(y, s >= THRESHOLD) / y.mean(),
}


@pytest.mark.parametrize("metric", sorted(REFERENCE))
def test_values_and_changes_equal_scikit_learn(metric):
    """To 1e-12, and a change is the candidate's value minus the champion's."""
    labels, scores, champion = drawn()
    found = measure(labels, scores, champion_scores=champion)
    expected, other = REFERENCE[metric](labels, scores), REFERENCE[metric](labels, champion)
    assert found[metric].value == pytest.approx(expected, abs=1e-12)
    assert found[f"{metric}_change"].value == pytest.approx(expected - other, abs=1e-12)


def test_every_metric_and_change_has_an_interval_that_holds_it():
    """All metrics and changes, at the confidence asked for; no model changes the labels' uncertainty."""
    labels, scores, champion = drawn()
    found = measure(labels, scores, champion_scores=champion)
    assert set(found) == {*METRICS, *CHANGES}
    for measurement in found.values():
        assert measurement.interval.low <= measurement.value <= measurement.interval.high
        assert measurement.interval.low < measurement.interval.high
        assert measurement.interval.confidence == 0.9


def test_without_a_champion_nothing_is_said_of_changes():
    """A first release has one measurement for each metric."""
    labels, scores, _ = drawn()
    assert tuple(measure(labels, scores)) == METRICS


def test_n_is_the_denominator_of_the_rate():
    """Recall counts positives, specificity negatives, precision selected rows, the others all rows."""
    labels, scores, _ = drawn()
    found = measure(labels, scores)
    assert found["recall"].n == labels.sum()
    assert found["specificity"].n == (1 - labels).sum()
    assert found["precision"].n == (scores >= THRESHOLD).sum()
    assert found["auc"].n == found["accuracy"].n == labels.size


def test_a_score_at_the_threshold_is_selected():
    """The decision is score >= threshold."""
    labels = np.array([0, 1] * 20)
    assert measure(labels, np.where(labels == 1, THRESHOLD, 0.1))["accuracy"].value == 1


def test_paired_changes_are_narrower_than_the_two_models_apart():
    """On the same rows most noise is shared."""
    labels, scores, _ = drawn()
    champion = np.clip(scores * 0.98 + 0.001, 0, 1)
    found = measure(labels, scores, champion_scores=champion)
    for metric in ("auc", "average_precision", "log_loss", "brier"):
        change, alone = found[f"{metric}_change"].interval, found[metric].interval
        assert change.high - change.low < 0.5 * (alone.high - alone.low)


def test_copies_within_clusters_do_not_narrow_the_intervals():
    """Each row three times in its cluster: widths as for single rows, and much narrower when not told."""
    labels, scores, _ = drawn(1, 800)
    ids = np.array([f"case {k}" for k in range(800)])
    single = measure(labels, scores, clusters=ids)
    copies = measure(np.tile(labels, 3), np.tile(scores, 3), clusters=np.tile(ids, 3))
    naive = measure(np.tile(labels, 3), np.tile(scores, 3))
    for metric in METRICS:
        widths = [m[metric].interval.high - m[metric].interval.low for m in (single, copies, naive)]
        assert widths[1] == pytest.approx(widths[0], rel=0.05)
        assert widths[2] < 0.75 * widths[0]


@given(st.permutations(range(80)))
@settings(max_examples=15)
def test_the_order_of_rows_does_not_matter(order):
    """Values, and intervals of rows with ids, are the same for any order."""
    labels, scores, champion = drawn(2, 80)
    order, ids = np.array(order), np.arange(80)
    one = measure(labels, scores, champion_scores=champion, clusters=ids)
    other = measure(labels[order], scores[order], champion_scores=champion[order], clusters=ids[order])
    for metric, measurement in one.items():
        found = other[metric]
        expected = (measurement.value, measurement.interval.low, measurement.interval.high)
        assert (found.value, found.interval.low, found.interval.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("label", [0, 1])
def test_a_single_class_leaves_out_what_needs_both(label):
    """What needs both has no value and says why, and neither have the changes; the others are measured."""
    scores = np.random.default_rng(0).random(200)
    found = measure(np.full(200, label), scores, champion_scores=scores[::-1])
    missing = {metric for metric, measurement in found.items() if measurement.value is None}
    assert missing == NEEDY | {f"{metric}_change" for metric in NEEDY}
    assert found["auc"].note == f"all 200 labels are {label}: needs both classes"


def test_no_rows_give_no_values():
    """Every metric and change says so."""
    found = measure([], [], champion_scores=[])
    assert set(found) == {*METRICS, *CHANGES}
    assert all(m.value is None and m.n == 0 and m.note == "no rows" for m in found.values())


def test_nothing_selected_leaves_precision_undefined():
    """Zero of zero is not zero."""
    labels = np.array([0, 1] * 50)
    precision = measure(labels, np.full(100, 0.1))["precision"]
    assert precision.value is None
    assert "no row was selected" in precision.note


def test_too_few_clusters_give_no_values_but_the_reason():
    """A thousand rows of five clusters are five observations."""
    labels, scores, _ = drawn(3, 1_000)
    found = measure(labels, scores, clusters=np.arange(1_000) % 5)
    assert found["accuracy"].value is None
    assert "too few independent rows" in found["accuracy"].note


def test_a_perfect_model_on_few_rows_is_not_certain():
    """Thirty rows without an error: no interval is a point."""
    labels = np.array([0, 0, 1] * 10)
    scores = np.where(labels == 1, 0.9, 0.1)
    found = measure(labels, scores)
    errorless = ("auc", "average_precision", "precision", "recall", "accuracy", "balanced_accuracy", "f1")
    for metric in (*errorless, "matthews_correlation"):
        assert found[metric].value == pytest.approx(1, abs=1e-12)
        assert found[metric].interval.low < 0.95
    assert found["lift"].value == pytest.approx(3)
    assert found["lift"].interval.low < 2.85


@pytest.mark.parametrize("clusters", [None, np.arange(30) // 2])
@pytest.mark.parametrize(
    "metric", ["recall", "accuracy", "precision", "f1", "balanced_accuracy", "matthews_correlation", "lift"]
)
def test_equal_decisions_on_few_rows_do_not_prove_equal_models(metric, clusters):
    """Thirty rows decided alike leave a doubt of many points, and no p-value against equality."""
    labels = np.array([0, 0, 1] * 10)
    found = measure(labels, labels * 0.5 + 0.2, champion_scores=labels * 0.6 + 0.2, clusters=clusters)
    change = found[f"{metric}_change"]
    assert change.value == 0
    assert change.interval.low < -0.08
    assert change.interval.high > 0.08
    assert change.p_value == 1


def test_p_values_agree_with_the_intervals():
    """At 90 % confidence an interval without zero has a p-value below 0.1, and only such a one."""
    labels, scores, champion = drawn(4)
    found = measure(labels, scores, champion_scores=champion)
    for metric in CHANGES:
        change = found[metric]
        if not 0.08 < change.p_value < 0.12:
            assert (change.p_value < 0.1) == (not change.interval.low <= 0 <= change.interval.high), metric
    assert all(found[metric].p_value is None for metric in METRICS)


def test_changes_of_accuracy_and_of_the_area_have_the_closed_forms():
    """Tango's interval with mid-p McNemar on the discordant rows, and DeLong's test."""
    labels, scores, champion = drawn()
    found = measure(labels, scores, champion_scores=champion)
    ours, theirs = ((model >= THRESHOLD) == labels for model in (scores, champion))
    only = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    expected = tango(*only, labels.size, confidence=0.9)
    assert found["accuracy_change"].interval == expected
    assert found["accuracy_change"].p_value == mcnemar(*only).mid_p
    area = delong_difference(labels, scores, champion)
    assert found["auc_change"].p_value == pytest.approx(2 * norm.sf(abs(area.value) / area.variance**0.5), rel=1e-9)


def test_decisions_given_as_predictions_are_measured_without_scores():
    """The same numbers as from scores at the threshold; nothing is said of ranking and calibration."""
    labels, scores, champion = drawn()
    decided = measure(
        labels, None, predictions=scores >= THRESHOLD, champion_predictions=(champion >= THRESHOLD).astype(int)
    )
    scored = measure(labels, scores, champion_scores=champion)
    decisions = [metric for metric in METRICS if metric not in SCORE_METRICS]
    assert set(decided) == {*decisions, *(f"{metric}_change" for metric in decisions)}
    assert all(decided[name].value == scored[name].value for name in decided)
    assert decided["accuracy"].interval == scored["accuracy"].interval


def test_predictions_decide_where_scores_are_given_too():
    """A threshold is not applied to what was already decided."""
    labels, scores, _ = drawn()
    found = measure(labels, scores, predictions=labels)
    assert found["accuracy"].value == 1
    assert found["auc"].value < 1


@pytest.mark.parametrize("predictions", [[0, 1, 2, 0], [0, 1, np.nan, 0], [0.5, 0, 1, 1], [0, 1]])
@pytest.mark.parametrize("whose", ["predictions", "champion_predictions"])
def test_predictions_other_than_0_and_1_are_refused(predictions, whose):
    """The error names the model."""
    with pytest.raises(ModelError, match="predictions"):
        measure([0, 1, 0, 1], [0.1] * 4, **{whose: predictions})


def test_a_candidate_without_scores_and_predictions_is_refused():
    """There is nothing to evaluate."""
    with pytest.raises(ModelError, match="neither scores nor predictions"):
        measure([0, 1], None)


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        ([0.1, np.nan, 0.2, np.nan], "2 of 4 scores are NaN"),
        ([0.1, 1.5, -0.1, 0.2], "2 are outside"),
        ([0.1, np.inf, 0.2, 0.3], "1 are outside"),
        ([0.1, 0.2], "for 4 rows"),
    ],
)
@pytest.mark.parametrize("whose", ["candidate", "champion"])
def test_bad_scores_are_refused_with_their_number_and_a_remedy(scores, says, whose):
    """NaN, scores outside [0, 1] and a wrong length name the model at fault."""
    good = [0.1, 0.2, 0.3, 0.4]
    ours, theirs = (scores, good) if whose == "candidate" else (good, scores)
    with pytest.raises(ModelError, match=f"{whose} scores") as caught:
        measure([0, 1, 0, 1], ours, champion_scores=theirs)
    assert says in caught.value.problem
    assert "predict_proba" in caught.value.remedy or "one probability" in caught.value.remedy


@pytest.mark.parametrize("labels", [[0, 2], [0, np.nan], ["dead", "alive"]])
def test_labels_other_than_0_and_1_are_refused(labels):
    """The error counts them."""
    with pytest.raises(DataError, match="neither 0 nor 1"):
        measure(labels, [0.1, 0.2])


def test_clusters_of_another_length_are_refused():
    """They cannot belong to these rows."""
    with pytest.raises(DataError, match="clusters"):
        measure([0, 1], [0.1, 0.2], clusters=[1])


def test_equal_seeds_give_equal_measurements():
    """Evidence can be computed again."""
    labels, scores, champion = drawn()
    first, second = (measure(labels, scores, champion_scores=champion, seed=3) for _ in range(2))
    assert first == second
