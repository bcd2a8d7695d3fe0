"""Robustness: what a perturbation changes, what it leaves, and how the loss is measured."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gatewright.core.checks.robustness import measure_robustness, perturb
from gatewright.core.errors import DataError, ModelError, SpecError
from gatewright.core.spec import Perturbation

FRAME = pd.DataFrame(
    {
        "age": np.random.default_rng(0).integers(16, 90, 4_000),
        "speed": np.random.default_rng(1).choice(["low", "mid", "high"], 4_000),
        "other": np.arange(4_000.0),
    }
)


def perturbed(kind, column, amount, seed=0):
    perturbation = Perturbation(name="p", kind=kind, columns=(column,), amount=amount)
    return perturb(FRAME, perturbation, categorical=["speed"], seed=seed)


def test_noise_has_the_amount_of_standard_deviations_asked_for():
    """A tenth of the column's own spread, centred on nothing."""
    change = perturbed("noise", "age", 0.1)["age"] - FRAME["age"]
    assert change.std() == pytest.approx(0.1 * FRAME["age"].std(), rel=0.05)
    assert abs(change.mean()) < 0.1


@pytest.mark.parametrize("column", ["age", "speed"])
def test_missing_empties_the_share_of_cells_asked_for(column):
    """A fifth of the cells is null, the others are untouched."""
    values = perturbed("missing", column, 0.2)[column]
    assert values.isna().mean() == pytest.approx(0.2, abs=0.02)
    kept = values.notna()
    assert (values[kept] == FRAME[column][kept]).all()


def test_swap_replaces_the_share_of_categories_by_another_known_one():
    """Three tenths differ, and only names from the data appear."""
    values = perturbed("swap", "speed", 0.3)["speed"]
    assert (values != FRAME["speed"]).mean() == pytest.approx(0.3, abs=0.02)
    assert set(values) == {"low", "mid", "high"}


def test_nulls_are_not_swapped():
    """A missing category is not another category."""
    frame = pd.DataFrame({"kind": ["a", "b", None] * 50})
    swap = Perturbation(name="p", kind="swap", columns=("kind",), amount=1)
    values = perturb(frame, swap, categorical=["kind"], seed=0)["kind"]
    assert values.isna().sum() == 50
    assert (values[frame["kind"] == "a"] == "b").all()


def test_other_columns_and_the_original_stay_as_they_are():
    """Only the named columns of the copy change."""
    before = FRAME.copy()
    changed = perturbed("noise", "age", 0.5)
    pd.testing.assert_frame_equal(FRAME, before)
    pd.testing.assert_frame_equal(changed[["speed", "other"]], FRAME[["speed", "other"]])


def test_equal_seeds_give_equal_perturbations_and_others_do_not():
    """Evidence can be computed again."""
    first, second, other = (perturbed("noise", "age", 0.1, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, second)
    assert (first["age"] != other["age"]).any()


def test_what_does_not_fit_a_column_is_refused():
    """Noise on a category, swapping a constant, a column that is not there."""
    with pytest.raises(SpecError, match="noise needs numbers"):
        perturbed("noise", "speed", 0.1)
    with pytest.raises(DataError, match="missing column"):
        perturbed("noise", "weight", 0.1)
    constant = pd.DataFrame({"kind": ["a"] * 5})
    swap = Perturbation(name="p", kind="swap", columns=("kind",), amount=0.1)
    with pytest.raises(SpecError, match="none to swap with"):
        perturb(constant, swap, categorical=["kind"], seed=0)


def measured(labels, scores, changed, **options):
    found = measure_robustness(labels, scores, changed, threshold=0.5, confidence=0.9, **options)
    return {(m.metric, m.slice): m for m in found}


def drawn(n=2_000):
    rng = np.random.default_rng(2)
    labels = (rng.random(n) < 0.4).astype(int)
    return labels, np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1), rng


def test_auc_drop_is_original_minus_perturbed_and_flips_are_counted():
    """Both equal their definitions and lie within their intervals."""
    labels, scores, rng = drawn()
    worse = np.clip(scores + rng.normal(0, 0.2, scores.size), 0, 1)
    found = measured(labels, scores, {"noise": worse})
    drop, flips = found["auc_drop", "noise"], found["decision_flip_rate", "noise"]
    assert drop.value == pytest.approx(roc_auc_score(labels, scores) - roc_auc_score(labels, worse), abs=1e-12)
    assert 0 < drop.interval.low < drop.value < drop.interval.high
    assert flips.value == pytest.approx(((scores >= 0.5) != (worse >= 0.5)).mean())
    assert flips.interval.low < flips.value < flips.interval.high


def test_unchanged_scores_have_no_drop_and_flips_only_within_doubt():
    """Zero of 2000 flips has Wilson's upper bound."""
    labels, scores, _ = drawn()
    found = measured(labels, scores, {"none": scores})
    assert found["auc_drop", "none"].value == 0
    flips = found["decision_flip_rate", "none"]
    assert flips.value == 0
    assert 0 < flips.interval.high < 0.005


def test_clusters_widen_the_intervals():
    """Rows repeated in a cluster are no new evidence."""
    labels, scores, rng = drawn(500)
    worse = np.clip(scores + rng.normal(0, 0.2, scores.size), 0, 1)
    rows, ids = (np.tile(labels, 4), np.tile(scores, 4), {"n": np.tile(worse, 4)}), np.tile(np.arange(500), 4)
    honest, naive = measured(*rows, clusters=ids), measured(*rows)
    for key in honest:
        wide, narrow = honest[key].interval, naive[key].interval
        assert wide.high - wide.low > 1.7 * (narrow.high - narrow.low)


def test_single_class_and_no_rows_have_no_drop():
    """Neither can pass."""
    assert measured([1] * 20, [0.5] * 20, {"p": [0.4] * 20})["auc_drop", "p"].value is None
    assert measured([], [], {"p": []})["decision_flip_rate", "p"].value is None


def test_bad_scores_name_the_perturbation():
    """A model that answers NaN to missing values is refused."""
    with pytest.raises(ModelError, match="perturbation missing"):
        measured([0, 1], [0.1, 0.9], {"missing": [np.nan, 0.9]})
