"""A target in a feature's values or name; rows and entities of the evaluation that stand in training."""

import math

import numpy as np
import pandas as pd
import pytest

from gatewright.core.checks.encodings import encoded_target, levels_of, named_after, target_classes
from gatewright.core.checks.leakage import measure_leakage
from gatewright.core.spec import Target

N = 4_000
RNG = np.random.default_rng(5)
LABELS = (RNG.random(N) < 0.3).astype(int)
UNITS = pd.util.hash_array(np.arange(N))
FOLDS = UNITS % 2 == 0
DEAD = Target(column="dead", positive="dead")


def encoded(column, classes=LABELS, units=UNITS):
    levels = levels_of(pd.Series(column))
    return encoded_target("f", levels, np.asarray(classes), units % 2 == 0, units=units, confidence=0.9)


def leakage(frame, features, **options):
    options = {"not_features": {}, "key": ["id"], "confidence": 0.9, **options}
    found = measure_leakage(frame, options.pop("labels", LABELS), features, **options)
    return {(m.metric, m.slice): m for m in found}


def test_a_code_of_the_label_removes_all_of_its_entropy():
    """Whatever the code looks like: one value for each label."""
    found = encoded(np.where(LABELS == 1, "x7", "x2"))
    assert found.value > 0.99
    assert found.interval.low > 0.99


def test_the_coefficient_is_theils_u_of_the_population():
    """Of a label with entropy H and a feature that says it with 10 % error, 1 - H(error) / H(label)."""
    labels = (np.random.default_rng(0).random(200_000) < 0.5).astype(int)
    errors = np.random.default_rng(1).random(labels.size) < 0.1
    units = pd.util.hash_array(np.arange(labels.size))
    found = encoded(labels ^ errors, labels, units)
    expected = 1 - -(0.1 * math.log2(0.1) + 0.9 * math.log2(0.9))
    assert found.value == pytest.approx(expected, abs=0.005)
    assert found.interval.low < expected < found.interval.high


@pytest.mark.parametrize("column", [np.arange(N).astype(str), RNG.normal(size=N), RNG.integers(0, 3, N)])
def test_identifiers_and_noise_remove_none(column):
    """Each value of an identifier has one label, but the other half of the data has never seen it."""
    assert encoded(column).value < 0.01


def test_a_target_of_several_classes_or_a_number_is_found_too():
    """Three classes, and a number in ten bins."""
    kinds = RNG.integers(0, 3, N)
    assert encoded(np.array(list("abc"))[kinds], target_classes(kinds, numeric=False)).value > 0.99
    amounts = RNG.lognormal(size=N)
    assert encoded(2 * amounts + 1, target_classes(amounts, numeric=True)).value > 0.7
    frame = pd.DataFrame({"id": np.arange(N), "twice": 2 * amounts})
    found = leakage(frame, ("twice",), labels=amounts, task="regression")
    assert found["encoded_target", "twice"].value > 0.7
    assert ("single_feature_auc", "twice") not in found


def test_one_class_has_no_entropy_to_remove():
    """So there is no value."""
    assert encoded(np.arange(N), np.zeros(N, dtype=int)).value is None


@pytest.mark.parametrize("name", ["dead", "isDead", "dead_30d", "DEAD2", "target", "y_true", "ground_truth"])
def test_names_that_hold_the_target_are_found(name):
    """By its words, whatever their case and joints, or by what people call an answer."""
    assert named_after(DEAD, pd.DataFrame({name: [1]}), [name]) != []


@pytest.mark.parametrize("name", ["deadline", "age", "deploy", "targeted"])
def test_names_that_only_share_letters_are_not(name):
    """A deadline is not dead."""
    assert named_after(DEAD, pd.DataFrame({name: [1]}), [name]) == []


def test_a_misspelt_name_of_the_target_is_found():
    """`defualt_flag` against `default_flag`."""
    target = Target(column="default_flag", positive=1)
    assert named_after(target, pd.DataFrame({"defualt_flag": [1]}), ["defualt_flag"]) != []


def test_values_that_hold_the_positive_label_are_found():
    """`found dead` in a report; a label such as yes stands in too many columns to mean anything."""
    frame = pd.DataFrame({"report": ["walks", "found dead", None], "smoker": ["yes", "no", "no"]})
    assert named_after(DEAD, frame, ["report", "smoker"]) == ["report: its values hold `dead`"]
    assert named_after(Target(column="dead", positive="yes"), frame, ["report", "smoker"]) == []


def coarse(rows, seed, levels=6):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"f{k}": rng.integers(0, levels, rows) for k in range(4)})
    return frame.assign(id=np.arange(rows) + 1_000_000 * seed)


def test_coarse_data_repeat_rows_without_alarm():
    """Half of the rows of four dice recur by chance, and the excess over that holds zero."""
    train, evaluation = coarse(N, 1), coarse(2_000, 2)
    found = leakage(train, ("f0", "f1", "f2", "f3"), frame_evaluation=evaluation)
    assert found["near_duplicate_rows", "all"].value > 0.9
    excess = found["near_duplicate_excess", "all"]
    assert excess.interval.low < 0 < excess.interval.high
    assert found["duplicate_rows", "all"].value == 0


def test_copied_rows_under_other_keys_are_an_excess():
    """A fifth of the evaluation is copied from training; fine data do not repeat by chance."""
    train, evaluation = coarse(N, 1, levels=1000), coarse(2_000, 2, levels=1000)
    evaluation.loc[:399, ["f0", "f1", "f2", "f3"]] = train.loc[:399, ["f0", "f1", "f2", "f3"]]
    found = leakage(train, ("f0", "f1", "f2", "f3"), frame_evaluation=evaluation)
    excess = found["near_duplicate_excess", "all"]
    assert excess.value == pytest.approx(0.2)
    assert 0.17 < excess.interval.low < 0.2 < excess.interval.high < 0.23


def test_occupants_of_one_car_are_no_chance_repetition():
    """Rows that repeat within a cluster only do not raise what is expected of other clusters."""
    train = pd.concat([coarse(N, 1, levels=1000)] * 2, ignore_index=True)
    found = leakage(
        train,
        ("f0", "f1", "f2", "f3"),
        labels=np.tile(LABELS, 2),
        clusters=np.tile(np.arange(N), 2),
        frame_evaluation=coarse(100, 2),
        clusters_evaluation=np.arange(100),
    )
    assert "0.0% are expected" in found["near_duplicate_excess", "all"].note


def test_entities_seen_in_training_are_counted_once():
    """Of three evaluation patients one was in training, with however many rows."""
    train, evaluation = coarse(N, 1), coarse(5, 2)
    ids, theirs = np.arange(N).astype(str), np.array(["7", "7", "7", "new", "newer"])
    found = leakage(train, ("f0",), frame_evaluation=evaluation, clusters=ids, clusters_evaluation=theirs)
    overlap = found["entity_overlap", "all"]
    assert overlap.value == pytest.approx(1 / 3)
    assert (overlap.n, overlap.note) == (3, "1 of 3 entities")
    assert leakage(train, ("f0",), frame_evaluation=evaluation)["entity_overlap", "all"].value is None


def test_dates_after_the_rows_own_time_are_future_values():
    """Three of four decisions were recorded after the day of the row; a missing one is left out."""
    frame = pd.DataFrame(
        {
            "id": range(5),
            "day": pd.to_datetime(["2026-01-01"] * 5),
            "decided": pd.to_datetime(["2026-01-02", "2026-03-01", "2027-01-01", "2025-12-31", None]),
        }
    )
    found = leakage(frame, ("decided",), labels=[0, 1, 0, 1, 0], time_column="day")["future_values", "decided"]
    assert (found.value, found.n) == (0.75, 4)
    years = frame.assign(day=2026)
    found = leakage(years, ("decided",), labels=[0, 1, 0, 1, 0], time_column="day")["future_values", "decided"]
    assert found.value == 0.25
    odd = frame.assign(day=range(5))
    assert (
        leakage(odd, ("decided",), labels=[0, 1, 0, 1, 0], time_column="day")["future_values", "decided"].value is None
    )


def test_single_features_of_many_rows_are_measured_on_a_part_of_them(monkeypatch):
    """Whichever rows they are does not depend on their order; time travel looks at all."""
    monkeypatch.setattr("gatewright.core.checks.leakage.FEATURE_ROWS", 1_000)
    train = coarse(N, 1).assign(f0=LABELS)
    shuffle = np.random.default_rng(0).permutation(N)
    found = leakage(train, ("f0",), frame_evaluation=coarse(500, 2))
    shuffled = leakage(train.iloc[shuffle], ("f0",), labels=LABELS[shuffle], frame_evaluation=coarse(500, 2))
    assert found["encoded_target", "f0"].n == found["single_feature_auc", "f0"].n == 1_000
    assert found["encoded_target", "f0"].value > 0.95
    assert found["encoded_target", "f0"].value == pytest.approx(shuffled["encoded_target", "f0"].value, abs=1e-12)
    assert found["time_travel", "all"].n == N


def test_the_order_of_rows_does_not_matter():
    """Folds and blocks go by what a row holds."""
    train, evaluation = coarse(N, 1), coarse(500, 2)
    train["f0"] += LABELS
    shuffle = np.random.default_rng(0).permutation(N)
    straight = leakage(train, ("f0", "f1"), frame_evaluation=evaluation)
    shuffled = leakage(
        train.iloc[shuffle], ("f0", "f1"), labels=LABELS[shuffle], frame_evaluation=evaluation.iloc[::-1]
    )
    for key, m in straight.items():
        assert m.value == pytest.approx(shuffled[key].value, abs=1e-12) if m.value is not None else True
        assert (m.interval is None) == (shuffled[key].interval is None)
        if m.interval is not None:
            assert m.interval.low == pytest.approx(shuffled[key].interval.low, abs=1e-12)
