"""Perturbations: what each kind changes, and what it leaves."""

import numpy as np
import pandas as pd
import pytest

from gatewright.core.checks.perturbations import perturb
from gatewright.core.errors import DataError, SpecError
from gatewright.core.spec import Perturbation

FRAME = pd.DataFrame(
    {
        "age": np.random.default_rng(0).integers(16, 90, 4_000),
        "speed": np.random.default_rng(1).choice(["low", "mid", "high"], 4_000),
        "other": np.arange(4_000.0),
    }
)


def perturbed(kind, column, amount, seed=0, frame=FRAME, **given):
    perturbation = Perturbation(name="p", kind=kind, columns=(column,), amount=amount, **given)
    return perturb(frame, perturbation, categorical=["speed"], seed=seed)


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


def test_unit_errors_multiply_the_share_of_numbers_asked_for():
    """Two in a hundred ages are given in months."""
    values = perturbed("unit_error", "age", 0.02, factor=12)["age"]
    hit = values != FRAME["age"]
    assert hit.mean() == pytest.approx(0.02, abs=0.008)
    assert (values[hit] == 12 * FRAME["age"][hit]).all()


def test_a_shift_moves_all_numbers_or_those_of_a_slice():
    """By half a standard deviation; rows of other values of `where` stay."""
    spread = FRAME["age"].to_numpy().std()
    np.testing.assert_allclose(perturbed("shift", "age", 0.5)["age"], FRAME["age"] + 0.5 * spread)
    moved = perturbed("shift", "age", 0.5, where="speed", values=("low", "mid"))["age"] - FRAME["age"]
    np.testing.assert_allclose(moved[FRAME["speed"] == "high"], 0)
    np.testing.assert_allclose(moved[FRAME["speed"] != "high"], 0.5 * spread)


def test_out_of_range_puts_numbers_beyond_the_largest():
    """Two ranges of 16 to 89 beyond 89 are 235."""
    values = perturbed("out_of_range", "age", 0.1, factor=2)["age"]
    hit = values != FRAME["age"]
    assert hit.mean() == pytest.approx(0.1, abs=0.02)
    assert set(values[hit]) == {235.0}


@pytest.mark.parametrize("kind", ["missing", "swap", "unit_error", "out_of_range"])
def test_a_smaller_share_hits_a_part_of_the_same_cells(kind):
    """So that a degradation curve follows the same rows."""
    column = "speed" if kind == "swap" else "age"
    given = {"factor": 3} if kind in ("unit_error", "out_of_range") else {}
    small, large = ((perturbed(kind, column, a, **given)[column] != FRAME[column]) for a in (0.05, 0.2))
    assert small.sum() > 0
    assert not (small & ~large).any()


@pytest.mark.parametrize("kind", ["noise", "missing", "unit_error"])
def test_a_rows_fault_does_not_depend_on_its_place(kind):
    """Shuffled rows get the faults they had."""
    given = {"factor": 3} if kind == "unit_error" else {}
    shuffled = FRAME.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(
        perturbed(kind, "age", 0.3, **given), perturbed(kind, "age", 0.3, frame=shuffled, **given).sort_index()
    )


def test_what_would_change_nothing_is_refused():
    """A slice without rows and a column without spread would look robust for ever."""
    with pytest.raises(SpecError, match="no row has a value"):
        perturbed("shift", "age", 0.5, where="speed", values=("warp",))
    constant = FRAME.assign(age=40)
    for kind, given in (("noise", {}), ("shift", {}), ("out_of_range", {"factor": 1})):
        with pytest.raises(SpecError, match="no two different numbers"):
            perturbed(kind, "age", 0.5, frame=constant, **given)
    with pytest.raises(SpecError, match="unit_error needs numbers"):
        perturbed("unit_error", "speed", 0.5, factor=2)
    with pytest.raises(DataError, match="region"):
        perturbed("shift", "age", 0.5, where="region", values=("north",))
