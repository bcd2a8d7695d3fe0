"""Drift: hand histograms, flags and constants, new categories, nulls."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.checks.drift import measure_drift
from gatewright.core.checks.profile import Profile
from gatewright.core.checks.profile_build import build_profile
from gatewright.core.errors import DataError, ModelError


def measure(reference, current, categorical=(), **options):
    then, now = pd.DataFrame(reference), pd.DataFrame(current)
    profile = build_profile(then, list(then.columns), categorical)
    measurements = measure_drift(profile, now, confidence=0.9, **options)
    return {(m.metric, m.slice): m for m in measurements}


def test_psi_of_a_flag_is_that_of_its_hand_histogram():
    """Half ones against 20 % ones: 0.3 ln 4; quantile bins would have merged the two levels."""
    found = measure({"flag": [0, 1] * 50}, {"flag": [0] * 160 + [1] * 40})["psi", "flag"]
    assert found.value == pytest.approx(0.3 * math.log(4))
    assert found.interval.low < found.value < found.interval.high
    assert found.n == 200
    assert "without any drift" in found.note


def test_psi_of_a_number_uses_fifty_quantile_bins_of_the_reference():
    """Against the definition: inner distinct quantiles, value on an edge to the right, shares at least 1e-4."""
    rng = np.random.default_rng(0)
    then, now = np.round(rng.normal(1990, 6, 9_000)), np.round(rng.normal(1993, 6, 4_000))
    edges = np.unique(np.quantile(then, np.linspace(0, 1, 51)))[1:-1]
    p, q = (
        np.maximum(np.bincount(np.searchsorted(edges, x, side="right"), minlength=edges.size + 1) / x.size, 1e-4)
        for x in (then, now)
    )
    found = measure({"year": then}, {"year": now})["psi", "year"]
    assert found.value == pytest.approx(((q - p) * np.log(q / p)).sum(), abs=1e-12)
    assert found.value > 0.2


# Model years of cars in 1997-1999 and in 2000: counts of 1980-1999 and of 1980-2000, newest last.
YEARS_THEN = [60, 60, 120, 160, 340, 420, 520, 560, 640, 680, 660, 700, 680, 760, 840, 960, 860, 760, 480, 140]
YEARS_NOW = [10, 10, 30, 40, 80, 90, 120, 140, 150, 180, 180, 200, 210, 250, 280, 350, 330, 380, 420, 500, 370]


def test_psi_of_model_years_is_that_of_the_hand_histograms():
    """Twenty values have a bin each, the unseen year joins the newest one."""
    then = np.repeat(np.arange(1980, 2000), YEARS_THEN)
    now = np.repeat(np.arange(1980, 2001), YEARS_NOW)
    p = np.array(YEARS_THEN) / sum(YEARS_THEN)
    q = np.array([*YEARS_NOW[:-2], YEARS_NOW[-2] + YEARS_NOW[-1]]) / sum(YEARS_NOW)
    expected = sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))
    assert measure({"year": then}, {"year": now})["psi", "year"].value == pytest.approx(expected)


def test_a_constant_that_changes_is_seen():
    """A feature that was always 3 and is now 4 drifts, above or below; one that stays does not."""
    for value, drifted in ((4, True), (2, True), (3, False)):
        found = measure({"x": [3.0] * 100}, {"x": [float(value)] * 100})["psi", "x"]
        assert (found.value > 1) == drifted


def test_a_number_that_is_nearly_always_zero_is_not_blind():
    """When all quantiles coincide, values on either side of the usual one are bins of their own."""
    then = np.r_[np.zeros(9_970), np.arange(1, 31)]
    now = np.r_[np.zeros(700), np.full(300, 7)]
    assert measure({"x": then}, {"x": now})["psi", "x"].value > 1


def test_categories_are_compared_by_name_and_new_ones_are_counted():
    """A category of 10 % that the reference never had is named, counted and adds to the index."""
    found = measure({"kind": ["a"] * 60 + ["b"] * 40}, {"kind": ["a"] * 54 + ["b"] * 36 + ["c"] * 10}, ["kind"])
    new = found["new_categories", "kind"]
    assert new.value == 0.1
    assert new.note == "new: c"
    expected = 0.06 * math.log(60 / 54) + 0.04 * math.log(40 / 36) + (0.1 - 1e-4) * math.log(1000)
    assert found["psi", "kind"].value == pytest.approx(expected)


def test_nulls_are_measured_apart_from_the_distribution():
    """A fifth of the values vanishes at random: no drift of the rest, a null rate higher by 0.2."""
    values = np.tile([1.0, 2.0, 3.0, 4.0], 100)
    now = values.copy()
    now[::5] = np.nan
    found = measure({"x": values}, {"x": now})
    assert found["psi", "x"].value == pytest.approx(0, abs=1e-9)
    assert found["null_rate_change", "x"].value == pytest.approx(0.2)
    assert found["null_rate_change", "x"].interval.low > 0.15


@pytest.mark.parametrize("current", [[], [np.nan] * 50])
def test_no_values_give_no_index(current):
    """An empty or an all-null column never passes."""
    found = measure({"x": np.arange(100.0)}, {"x": np.array(current, dtype=float)})["psi", "x"]
    assert found.value is None
    assert found.note == "no values that are not null"


def test_scores_have_a_slice_of_their_own():
    """Prediction drift is the index of the score's histogram."""
    frame, rng = pd.DataFrame({"x": np.arange(500.0)}), np.random.default_rng(1)
    profile = build_profile(frame, ["x"], [], rng.beta(2, 8, 500))
    same, moved = (
        {m.slice: m for m in measure_drift(profile, frame, scores, confidence=0.9)}["score"]
        for scores in (rng.beta(2, 8, 500), rng.beta(4, 8, 500))
    )
    assert same.interval.low < 0.3 < moved.interval.low


def test_scores_on_one_side_only_are_a_measurement_without_value():
    """A comparison that was asked for and cannot be made is not skipped."""
    frame, scores = pd.DataFrame({"x": np.arange(50.0)}), np.linspace(0, 1, 50)
    with_scores, without = (build_profile(frame, ["x"], [], s) for s in (scores, None))
    for profile, current in ((with_scores, None), (without, scores)):
        found = measure_drift(profile, frame, current, confidence=0.9)[-1]
        assert (found.metric, found.slice, found.value) == ("psi", "score", None)
        assert "scores are missing" in found.note


def test_the_scores_of_a_profile_may_be_those_of_other_rows():
    """Features of 50 training rows, scores of 200 rows that the model did not learn from."""
    profile = build_profile(pd.DataFrame({"x": np.arange(50.0)}), ["x"], [], np.linspace(0, 1, 200))
    assert (profile.rows, sum(profile.score.counts)) == (50, 200)


def test_a_profile_survives_its_json():
    """Written to the store and read back it measures the same."""
    frame = pd.DataFrame({"x": [1.0, 2.0, None] * 20, "n": range(60), "kind": ["a", "b", None] * 20})
    profile = build_profile(frame, ["x", "n", "kind"], ["kind"], np.linspace(0, 1, 60))
    again = Profile.from_bytes(profile.to_bytes(), where="profile")
    assert again == profile
    assert profile.features["x"].nulls == profile.features["kind"].nulls == 20


def test_flags_integers_and_nullable_columns_are_numbers():
    """Booleans and nullable integers are profiled like floats."""
    frame = pd.DataFrame({"b": [True, False] * 10, "i": pd.array([1, None] * 10, dtype="Int64")})
    profile = build_profile(frame, ["b", "i"], [])
    assert profile.features["b"].index_counts(profile.features["b"].counts).tolist() == [10, 10]
    assert profile.features["i"].nulls == 10


@given(st.permutations(range(60)))
@settings(max_examples=15)
def test_the_order_of_rows_does_not_matter(order):
    """Profile and measurements are the same for any order of rows."""
    frame = pd.DataFrame({"x": np.arange(60.0) ** 2, "kind": list("abc") * 20})
    shuffled = frame.iloc[list(order)]
    one, two = (build_profile(f, ["x", "kind"], ["kind"]) for f in (frame, shuffled))
    assert one == two
    assert measure_drift(one, frame, confidence=0.9) == measure_drift(one, shuffled, confidence=0.9)


def test_a_missing_column_is_named():
    """Neither reference nor current data may lack a feature."""
    profile = build_profile(pd.DataFrame({"x": [1.0]}), ["x"], [])
    with pytest.raises(DataError, match="missing column\\(s\\): x"):
        measure_drift(profile, pd.DataFrame({"y": [1.0]}), confidence=0.9)


def test_text_in_a_numeric_feature_is_refused():
    """The remedy says where to declare a category."""
    with pytest.raises(DataError, match="categorical"):
        build_profile(pd.DataFrame({"x": ["1", "two"]}), ["x"], [])


def test_bad_scores_are_refused():
    """NaN scores have no histogram."""
    with pytest.raises(ModelError, match="reference scores"):
        build_profile(pd.DataFrame({"x": [1.0]}), ["x"], [], [np.nan])
