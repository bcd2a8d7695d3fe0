"""Slices of models of several classes and of numbers: the same table, with what these models get wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gatewright.core.checks.slices import Terms, measure_class_slices, measure_number_slices, measure_slices
from gatewright.core.errors import DataError, ModelError
from tests.core.checks.test_checks_slices import people

CLASSES = ("flat", "house", "villa")
TERMS = Terms(("sex", "region"), depth=2, confidence=0.9, minimum_support=30)


def named(measurements):
    return {(m.metric, m.slice): m for m in measurements}


def kinds(rows, seed=0):
    """Columns, true kinds, and the probabilities of two models that are right in most rows."""
    rng = np.random.default_rng(seed)
    frame = {"sex": rng.choice(["f", "m"], rows), "region": rng.choice(["N", "E", "S", "W"], rows)}
    truth = rng.integers(0, 3, rows)
    ours, theirs = rng.dirichlet((1, 1, 1), size=(2, rows)) + np.eye(3)[truth] * 0.8
    return frame, np.array(CLASSES)[truth], *(p / p.sum(axis=1, keepdims=True) for p in (ours, theirs))


def prices(rows, seed=0):
    """Columns, true prices, and what two models say, whose errors differ by sex."""
    rng = np.random.default_rng(seed)
    frame = {"sex": rng.choice(["f", "m"], rows), "region": rng.choice(["N", "E", "S", "W"], rows)}
    truth = rng.normal(100, 10, rows)
    wide = np.where(frame["sex"] == "f", 3.0, 1.0)
    return frame, truth, truth + wide * rng.normal(size=rows), truth + rng.normal(size=rows)


def test_metrics_of_classes_are_those_of_the_slices_rows():
    """Against pandas, row by row; a class is decided by the highest probability."""
    frame, truth, ours, theirs = kinds(2000)
    found = named(measure_class_slices(truth, ours, frame, TERMS, classes=CLASSES, champion_probabilities=theirs))
    places = np.array([CLASSES.index(name) for name in truth])
    rows = pd.DataFrame(frame).assign(
        wrong=ours.argmax(axis=1) != places,
        theirs=theirs.argmax(axis=1) != places,
        loss=-np.log(ours[np.arange(2000), places]),
    )
    for (sex, region), own in rows.groupby(["sex", "region"]):
        name = f"region={region} & sex={sex}"
        assert found["error_rate", name].value == pytest.approx(own.wrong.mean())
        assert found["error_rate_change", name].value == pytest.approx(own.wrong.mean() - own.theirs.mean())
        assert found["log_loss", name].value == pytest.approx(own.loss.mean(), abs=1e-6)
        assert found["error_rate", name].n == len(own)
    assert found["recall", "sex"].value is None
    assert found["recall_change", "region"].note == "not defined for a model of this task"


def test_two_classes_are_measured_as_a_binary_decision():
    """Every number, interval and p-value of what both know is the same."""
    frame, labels, scores = people(2000)
    champion = np.random.default_rng(5).random(2000)
    binary = named(
        measure_slices(
            labels, scores, frame, columns=("sex", "region"), depth=2, threshold=0.5, confidence=0.9,
            minimum_support=30, champion_scores=champion,
        )
    )  # fmt: skip
    ours, theirs = (np.column_stack([1 - one, one]) for one in (scores, champion))
    classes = named(measure_class_slices(labels, ours, frame, TERMS, classes=(0, 1), champion_probabilities=theirs))
    known = {key: m for key, m in binary.items() if not key[0].startswith("recall")}
    assert classes.keys() >= {("worst_slices_found", "all"), ("accuracy", "sex=f")}
    # The halves are chosen by the rows' content, in which two probabilities stand for one score.
    searched = ("worst_",)
    for key, m in known.items():
        if not key[0].startswith(searched):
            assert classes[key] == m


def test_a_class_model_that_fails_in_one_slice_is_caught():
    """Women in the south get any class: the search names them, with a p-value that many looks cannot explain."""
    frame, truth, ours, _ = kinds(4000)
    bad = (frame["sex"] == "f") & (frame["region"] == "S")
    ours = np.where(bad[:, None], np.random.default_rng(1).dirichlet((1, 1, 1), 4000), ours)
    found = named(measure_class_slices(truth, ours, frame, TERMS, classes=CLASSES))
    assert found["worst_slice_gap", "region=S & sex=f"].p_value < 1e-6
    assert found["worst_slices_found", "all"].value >= 1


def test_the_error_of_numbers_is_the_mean_distance_with_students_interval():
    """Against SciPy, by slice; the change is that of the pairs."""
    frame, truth, ours, theirs = prices(1500)
    found = named(measure_number_slices(truth, ours, frame, TERMS, champion_predictions=theirs))
    distance, change = np.abs(ours - truth), np.abs(ours - truth) - np.abs(theirs - truth)
    for sex in ("f", "m"):
        for metric, values in (("mae", distance), ("mae_change", change)):
            own = values[frame["sex"] == sex]
            m = found[metric, f"sex={sex}"]
            low, high = stats.t.interval(0.9, len(own) - 1, loc=own.mean(), scale=stats.sem(own))
            assert m.value == pytest.approx(own.mean(), abs=1e-4)
            assert (m.interval.low, m.interval.high) == pytest.approx((low, high), abs=1e-4)
            assert m.n == len(own)
    assert found["mae_change", "sex=f"].interval.low > 0
    assert found["error_rate", "sex"].value is None


def test_what_is_not_searched_has_no_value():
    """A number is neither right nor wrong: that no worst slice was looked for is no clean bill."""
    frame, truth, ours, theirs = prices(400)
    found = named(measure_number_slices(truth, ours, frame, TERMS, champion_predictions=theirs))
    for metric, place in (
        ("worst_slice_gap", "sex"),
        ("worst_slices_found", "all"),
        ("worst_slice_change", "region"),
        ("worst_changes_found", "all"),
    ):
        assert found[metric, place].value is None
        assert "not defined" in found[metric, place].note


@pytest.mark.parametrize("clustered", [False, True])
def test_the_order_of_rows_never_matters(clustered):
    """Every number of both tasks is the same, to the last digit."""
    clusters, order = np.arange(700) // 3 if clustered else None, np.random.default_rng(1).permutation(700)
    moved = None if clusters is None else clusters[order]
    frame, truth, ours, theirs = prices(700)
    shuffled = {name: values[order] for name, values in frame.items()}
    assert measure_number_slices(
        truth, ours, frame, TERMS, champion_predictions=theirs, clusters=clusters
    ) == measure_number_slices(
        truth[order], ours[order], shuffled, TERMS, champion_predictions=theirs[order], clusters=moved
    )
    frame, truth, ours, theirs = kinds(700)
    shuffled = {name: values[order] for name, values in frame.items()}
    assert measure_class_slices(
        truth, ours, frame, TERMS, classes=CLASSES, champion_probabilities=theirs, clusters=clusters
    ) == measure_class_slices(
        truth[order], ours[order], shuffled, TERMS, classes=CLASSES, champion_probabilities=theirs[order],
        clusters=moved,
    )  # fmt: skip


@given(st.integers(-300, 300))
@settings(max_examples=25)
def test_the_unit_of_the_target_only_scales_the_error(exponent):
    """In any unit, powers of two between 1e-90 and 1e90 of it: the same digits."""
    frame, truth, ours, _ = prices(200)
    scale = 2.0**exponent
    plain = named(measure_number_slices(truth, ours, frame, TERMS))["mae", "sex=f"]
    scaled = named(measure_number_slices(truth * scale, ours * scale, frame, TERMS))["mae", "sex=f"]
    assert scaled.value == plain.value * scale
    assert scaled.interval.low == pytest.approx(plain.interval.low * scale)


def test_perfect_and_nearly_perfect_numbers_are_measured():
    """No distance at all, and distances whose squares are below the smallest float."""
    frame, truth, _, _ = prices(200)
    assert named(measure_number_slices(truth, truth, frame, TERMS))["mae", "sex=f"].value == 0
    tiny = named(measure_number_slices(truth * 0, truth * 0 + 1e-200, frame, TERMS))["mae", "sex=f"]
    assert 0 <= tiny.value <= 2e-200


def test_what_cannot_be_measured_is_refused():
    """NaN and rows that are missing, of either task."""
    frame, truth, ours, _ = prices(200)
    with pytest.raises(ModelError):
        measure_number_slices(truth, np.where(truth > 100, np.nan, ours), frame, TERMS)
    with pytest.raises(DataError):
        measure_number_slices(np.append(truth, np.nan), np.append(ours, 1), frame, TERMS)
    frame, truth, ours, _ = kinds(200)
    with pytest.raises(ModelError):
        measure_class_slices(truth, ours[:, :2], frame, TERMS, classes=CLASSES)
    with pytest.raises(DataError):
        measure_class_slices(np.append(truth[1:], "castle"), ours, frame, TERMS, classes=CLASSES)
