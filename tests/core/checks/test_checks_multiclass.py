"""Several classes: points equal scikit-learn's, sums forget the partition, areas carry DeLong's variance."""

import itertools

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.checks.class_labels import aligned
from gatewright.core.checks.multiclass import (
    CLASS_METRICS,
    MULTICLASS_METRICS,
    measure_multiclass,
    measure_multiclass_sums,
    multiclass_sums,
)
from gatewright.core.errors import DataError, ModelError, SpecError
from gatewright.core.statistics.auc import delong, delong_difference
from gatewright.core.statistics.blocks import EXACT_ROWS
from gatewright.core.statistics.calibration import expected_calibration_error

CLASSES = ("bus", "car", "tram", "walk")


def drawn(rows=2_000, seed=0, signal=1.5):
    """Labels and calibrated-ish probabilities of four classes, the last one rare."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])
    logits = rng.normal(size=(rows, 4))
    logits[np.arange(rows), codes] += signal
    odds = np.exp(logits)
    return np.array(CLASSES)[codes], odds / odds.sum(axis=1, keepdims=True)


def measure(labels, predictions=None, probabilities=None, **options):
    options = {"classes": CLASSES, "confidence": 0.9, **options}
    return {(m.metric, m.slice): m for m in measure_multiclass(labels, predictions, probabilities, **options)}


def top(probabilities):
    return np.array(CLASSES)[probabilities.argmax(axis=1)]


def reference(labels, probabilities):
    predicted = top(probabilities)
    macro = {"average": "macro", "labels": list(CLASSES), "zero_division": 0}
    return {
        "accuracy": sk.accuracy_score(labels, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "macro_precision": sk.precision_score(labels, predicted, **macro),
        "macro_recall": sk.recall_score(labels, predicted, **macro),
        "macro_f1": sk.f1_score(labels, predicted, **macro),
        "matthews_correlation": sk.matthews_corrcoef(labels, predicted),
        "log_loss": sk.log_loss(labels, probabilities, labels=CLASSES),
        "brier": sk.brier_score_loss(labels, probabilities, labels=CLASSES),
        "expected_calibration_error": expected_calibration_error(predicted == labels, probabilities.max(axis=1)),
        "macro_auc": sk.roc_auc_score(labels, probabilities, multi_class="ovr", labels=CLASSES),
    }


@pytest.mark.parametrize("metric", MULTICLASS_METRICS)
def test_values_equal_scikit_learns(metric):
    """To 1e-12; the top label's calibration equals the binary one of confidence against correctness."""
    labels, probabilities = drawn()
    found = measure(labels, probabilities=probabilities)[metric, "all"]
    assert found.value == pytest.approx(reference(labels, probabilities)[metric], abs=1e-12)
    assert found.interval.low < found.value < found.interval.high


@pytest.mark.parametrize("name", CLASSES)
def test_values_of_each_class_equal_scikit_learns(name):
    """Recall, precision and F1 of one class against the rest, with the class as slice."""
    labels, probabilities = drawn()
    found = measure(labels, probabilities=probabilities)
    precision, recall, f1, support = (
        values[0] for values in sk.precision_recall_fscore_support(labels, top(probabilities), labels=[name])
    )
    for metric, value in {"precision": precision, "recall": recall, "f1": f1}.items():
        assert found[metric, f"class={name}"].value == pytest.approx(value, abs=1e-12)
    assert found["recall", f"class={name}"].n == support


def test_a_worked_example():
    """Labels 0 1 2 2 0 against 0 0 2 1 0, tenfold: recalls 1, 0, 1/2; precisions 2/3, 0, 1."""
    labels, predicted = np.tile([0, 1, 2, 2, 0], 10), np.tile([0, 0, 2, 1, 0], 10)
    found = measure(labels, predicted, classes=[0, 1, 2])
    assert found["accuracy", "all"].value == pytest.approx(3 / 5)
    assert found["balanced_accuracy", "all"].value == pytest.approx(1 / 2)
    assert found["macro_precision", "all"].value == pytest.approx(5 / 9)
    assert found["recall", "class=1"].value == 0
    assert found["recall", "class=1"].interval.high > 0.1


def test_the_halved_brier_score_of_two_classes_is_scikit_learns():
    """With two classes both squared errors are the same number, counted once."""
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 500), rng.random(500)
    found = measure(labels, probabilities=np.column_stack([1 - scores, scores]), classes=[0, 1])
    assert found["brier", "all"].value == pytest.approx(sk.brier_score_loss(labels, scores), abs=1e-12)
    assert found["log_loss", "all"].value == pytest.approx(sk.log_loss(labels, scores), abs=1e-12)


@pytest.mark.parametrize("clusters", [None, np.arange(600) // 2])
def test_the_area_of_two_classes_has_delongs_interval(clusters):
    """One against the other is the same curve twice: value, width and p-value are those of the binary area."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    ours, theirs = (1 / (1 + np.exp(-rng.normal(labels, spread))) for spread in (1.0, 1.1))
    found = measure(
        labels,
        probabilities=np.column_stack([1 - ours, ours]),
        champion_probabilities=np.column_stack([1 - theirs, theirs]),
        classes=[0, 1],
        clusters=clusters,
    )
    width = 2 * 1.6448536269514722
    for metric, expected in {
        "macro_auc": delong(labels, ours, clusters=clusters),
        "macro_auc_change": delong_difference(labels, ours, theirs, clusters=clusters),
    }.items():
        interval = found[metric, "all"].interval
        assert found[metric, "all"].value == pytest.approx(expected.value, abs=1e-12)
        tolerance = 1e-9 if clusters is None else 0.02
        assert interval.high - interval.low == pytest.approx(width * expected.variance**0.5, rel=tolerance)


def test_areas_from_bins_are_those_from_rows():
    """Value to 1e-7 at few rows, width within a tenth (the exact one is normal, the other resampled)."""
    labels, probabilities = drawn(20_000)
    _, champion = drawn(20_000, signal=1.4)
    exact = measure(labels, probabilities=probabilities, champion_probabilities=champion)
    sums = multiclass_sums(
        labels, probabilities=probabilities, champion_probabilities=champion, classes=CLASSES
    )  # fmt: skip
    binned = {(m.metric, m.slice): m for m in measure_multiclass_sums(sums, confidence=0.9)}
    for metric in ("macro_auc", "macro_auc_change"):
        ours, theirs = binned[metric, "all"], exact[metric, "all"]
        assert ours.value == pytest.approx(theirs.value, abs=1e-7)
        widths = [m.interval.high - m.interval.low for m in (ours, theirs)]
        assert widths[0] == pytest.approx(widths[1], rel=0.1)


def test_many_rows_take_the_way_over_the_sums():
    """At 100,000 rows points still equal scikit-learn's."""
    labels, probabilities = drawn(EXACT_ROWS)
    found = measure(labels, probabilities=probabilities)
    for metric, value in reference(labels, probabilities).items():
        tolerance = 1e-8 if metric == "macro_auc" else 1e-12
        assert found[metric, "all"].value == pytest.approx(value, abs=tolerance)


@settings(max_examples=5)
@given(st.lists(st.integers(0, 300), max_size=3), st.permutations(range(4)))
def test_any_partition_gives_the_same_sums(cuts, order):
    """Batches of any size, merged in any order: equal to the last bit."""
    rng = np.random.default_rng(0)
    labels, ours, theirs = rng.integers(0, 2, 300), rng.dirichlet([1, 2], 300), rng.dirichlet([2, 1], 300)

    def batch(a, b):
        return multiclass_sums(
            labels[a:b], probabilities=ours[a:b], champion_probabilities=theirs[a:b], classes=[0, 1], start=a
        )

    batches = [batch(a, b) for a, b in itertools.pairwise([0, *sorted(cuts), 300])]
    chosen = [batches[k] for k in order if k < len(batches)]
    merged, whole = sum(chosen[1:], chosen[0]), batch(0, 300)
    assert merged.only_right.tolist() == whole.only_right.tolist()
    for first, second in ((merged.candidate, whole.candidate), (merged.champion, whole.champion)):
        assert first.losses.sums == second.losses.sums
        for part, name in itertools.product(("decisions", "areas"), ("labelled", "hits", "fine", "coarse")):
            arrays = [getattr(getattr(model, part), name, None) for model in (first, second)]
            assert np.array_equal(*arrays)


@pytest.mark.parametrize("clustered", [True, False])
def test_the_order_of_rows_never_matters(clustered):
    """A permuted table gives identical measurements, with and without clusters."""
    labels, probabilities = drawn(500)
    _, champion = drawn(500, signal=1.0)
    clusters = np.arange(500) // 4
    order = np.random.default_rng(3).permutation(500)
    options = {"champion_probabilities": champion}
    shuffled = {"champion_probabilities": champion[order]}
    if clustered:
        options["clusters"], shuffled["clusters"] = clusters, clusters[order]
    first = measure(labels, probabilities=probabilities, **options)
    second = measure(labels[order], probabilities=probabilities[order], **shuffled)
    for key, found in first.items():
        if "auc" in key[0]:  # the rows' influences are floats, added in the rows' order
            assert second[key].value == pytest.approx(found.value, abs=1e-12)
            assert second[key].interval.low == pytest.approx(found.interval.low, abs=1e-12)
        else:
            assert second[key] == found


def test_the_change_is_paired():
    """Accuracy of two models that differ on few rows: McNemar's mid-p and an interval of the discordant width."""
    labels, probabilities = drawn()
    ours = top(probabilities)
    theirs = ours.copy()
    right = np.flatnonzero(ours == labels)
    theirs[right[:8]] = "walk"
    wrong = np.flatnonzero((ours != labels) & (labels != "walk"))
    theirs[wrong[:1]] = labels[wrong[:1]]
    discordant = int((labels[right[:8]] != "walk").sum())
    change = measure(labels, ours, champion_predictions=theirs)["accuracy_change", "all"]
    assert discordant in (7, 8)
    assert change.value == pytest.approx((discordant - 1) / labels.size)
    assert change.p_value == pytest.approx({7: 0.0391, 8: 0.0215}[discordant], abs=5e-5)
    assert 0 < change.interval.low < change.interval.high < 0.01


def test_a_champion_that_answers_alike_is_no_change():
    """Every change is 0, and none is called one."""
    labels, probabilities = drawn()
    found = measure(labels, probabilities=probabilities, champion_probabilities=probabilities)
    changes = {key: m for key, m in found.items() if key[0].endswith("_change")}
    assert len(changes) == len(MULTICLASS_METRICS) + len(CLASSES) * len(CLASS_METRICS)
    for change in changes.values():
        assert change.value == 0
        assert change.interval.low <= 0 <= change.interval.high
        assert change.p_value == 1


def test_no_errors_leave_doubt():
    """A model that is always right on 200 rows is not shown to be always right."""
    labels, _ = drawn(200)
    sure = (labels[:, None] == np.array(CLASSES)) * 1.0
    for key, found in measure(labels, probabilities=sure).items():
        if key[0] not in ("log_loss", "brier", "expected_calibration_error"):
            assert found.value == 1
            assert found.interval.low < 0.999


def test_a_class_without_rows_leaves_no_macro_metric():
    """What the class would have scored is unknown; the others keep their values."""
    labels, probabilities = drawn()
    kept = labels != "walk"
    found = measure(labels[kept], probabilities=probabilities[kept])
    for metric in ("balanced_accuracy", "macro_f1", "macro_precision", "macro_auc"):
        assert found[metric, "all"].value is None
        assert "walk" in found[metric, "all"].note
    assert found["recall", "class=walk"].value is None
    assert found["accuracy", "all"].value is not None


def test_a_class_that_is_never_predicted_is_named():
    """It counts as precision 0 in the mean, as in scikit-learn, and has no precision of its own."""
    labels, probabilities = drawn()
    predicted = np.where(top(probabilities) == "walk", "bus", top(probabilities))
    found = measure(labels, predicted)
    expected = sk.precision_score(labels, predicted, average="macro", zero_division=0)
    assert found["macro_precision", "all"].value == pytest.approx(expected, abs=1e-12)
    assert "walk" in found["macro_precision", "all"].note
    assert found["precision", "class=walk"].value is None


def test_without_probabilities_their_metrics_have_no_value():
    """Predictions alone are no probabilities, and that never passes."""
    labels, probabilities = drawn()
    found = measure(labels, top(probabilities), champion_predictions=labels)
    for metric in ("log_loss", "brier", "expected_calibration_error", "macro_auc", "macro_auc_change"):
        assert found[metric, "all"].value is None
        assert "no probabilities" in found[metric, "all"].note


@pytest.mark.parametrize("rows", [0, 4])
def test_too_few_rows_are_never_a_value(rows):
    """Nothing, and nothing an interval could be made of."""
    labels, probabilities = drawn(rows)
    for (metric, _), found in measure(labels, probabilities=probabilities).items():
        assert found.value is None or metric == "macro_auc"
        assert found.value is not None or found.note


def test_labels_may_be_held_in_any_way():
    """Text, categories and numbers with the same text are the same classes."""
    labels, probabilities = drawn(300)
    codes = np.array([CLASSES.index(label) for label in labels])
    plain = measure(codes, probabilities=probabilities, classes=range(4))
    for values in (codes.astype(float), pd.Categorical(codes), codes.astype(str), pd.Series(codes)):
        assert measure(values, probabilities=probabilities, classes=range(4)) == plain
    assert measure(codes, probabilities=probabilities, classes=np.arange(4.0)) == plain


def test_models_of_other_classes_are_brought_to_the_same_columns():
    """Columns follow their names; a class the model lacks has probability 0; one that nobody knows is refused."""
    probabilities = np.array([[0.7, 0.3], [0.1, 0.9]])
    assert aligned(probabilities, ("b", "a"), ("a", "b", "c")).tolist() == [[0.3, 0.7, 0], [0.9, 0.1, 0]]
    with pytest.raises(ModelError, match="b, z"):
        aligned(probabilities, ("b", "z"), ("a", "b", "c"))
    with pytest.raises(ModelError, match="shape"):
        aligned(probabilities, ("a", "b", "c"), ("a", "b", "c"))


def test_what_cannot_be_measured_is_refused():
    """Each refusal names who must act."""
    labels, probabilities = drawn(100)
    with pytest.raises(DataError, match="no class: plane"):
        measure(np.append(labels[1:], "plane"), probabilities=probabilities)
    with pytest.raises(DataError, match=r"\(missing\)"):
        measure(np.append(labels[1:].astype(object), None), probabilities=probabilities)
    with pytest.raises(ModelError, match="no class: plane"):
        measure(labels, np.append(labels[1:], "plane"))
    with pytest.raises(ModelError, match="neither"):
        measure(labels)
    with pytest.raises(ModelError, match="shape"):
        measure(labels, probabilities=probabilities[:, :3])
    with pytest.raises(ModelError, match="100 of 100 rows do not sum"):
        measure(labels, probabilities=probabilities / 2)
    with pytest.raises(ModelError, match="1 of 100 rows have"):
        measure(labels, probabilities=np.vstack([probabilities[1:], [[np.nan, 0, 0, 1]]]))
    with pytest.raises(SpecError, match="twice"):
        measure(labels, probabilities=probabilities, classes=["bus", "car", "tram", "bus"])
    with pytest.raises(SpecError, match="1 classes"):
        measure(labels, probabilities=probabilities, classes=["bus"])


def test_sums_that_do_not_belong_together_are_not_merged():
    """Other classes, and a batch without probabilities."""
    labels, probabilities = drawn(50)
    ours = multiclass_sums(labels, probabilities=probabilities, classes=CLASSES)
    with pytest.raises(ValueError, match="classes"):
        ours + multiclass_sums(labels, probabilities=probabilities[:, ::-1], classes=CLASSES[::-1])
    with pytest.raises(ValueError, match="probabilities"):
        ours + multiclass_sums(labels, top(probabilities), classes=CLASSES)


def test_the_calibration_error_of_a_calibrated_model_may_be_nothing():
    """Noise alone opens gaps in every bin; the interval still reaches down to about no error."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1, 1, 1], 1_000)
    codes = (probabilities.cumsum(axis=1) < rng.random((1_000, 1))).sum(axis=1)
    found = measure(codes, probabilities=probabilities, classes=range(4))["expected_calibration_error", "all"]
    assert found.value > 0.01
    assert found.interval.low < 0.002
