"""Profiles and sums: one pass, mergeable, of any type of column; windows of the calendar; what is found by them."""

import itertools
from functools import reduce

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.checks import profile_sums
from gatewright.core.checks.drift import measure_drift, measure_drift_sums
from gatewright.core.checks.drift_verdict import DriftLimits, judge_columns, worst
from gatewright.core.checks.profile import Profile
from gatewright.core.checks.profile_build import build_profile
from gatewright.core.checks.profile_columns import arrow_kind, counted, numbers
from gatewright.core.checks.profile_sums import current_sums, no_sums
from gatewright.core.checks.windows import part_codes, part_name, reference_window
from gatewright.core.errors import DataError
from gatewright.core.results import Status

NIU = "Not in universe"


def found(profile, frame, **given):
    return {(m.metric, m.slice): m for m in measure_drift(profile, frame, confidence=0.9, **given)}


def judged(profile, frame, **limits):
    sums = current_sums(frame, profile)
    columns = judge_columns(profile, sums, measure_drift_sums(profile, sums, confidence=0.9), DriftLimits(**limits))
    return {column.name: column for column in columns}


def table(rows, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(5, 2, rows) * 10.0 ** rng.integers(-3, 4, rows)
    x[rng.random(rows) < 0.1] = np.nan
    kind = rng.choice(["a", "b", "ü", "d"], rows)
    return pd.DataFrame({"x": x, "n": rng.integers(0, 9, rows), "kind": kind, "flag": rng.random(rows) < 0.3})


@pytest.fixture(scope="module")
def profile() -> Profile:
    return build_profile(
        table(2_000), ["x", "n", "kind", "flag"], ["kind"], np.linspace(0, 1, 50), labels=[0, 1] * 1_000
    )


def test_a_category_that_becomes_not_in_universe_without_a_null_is_found():
    """Every row turns to one legal value: no null, nothing new, and still a failure."""
    then = pd.DataFrame({"job": ["clerk"] * 700 + [NIU] * 300, "pay": [1.0, 2.0, 3.0, 0.0] * 250})
    now = pd.DataFrame({"job": [NIU] * 800, "pay": [0.0] * 800})
    profile = build_profile(then, ["job", "pay"], ["job"])
    measured = found(profile, now)
    assert measured["null_rate_change", "job"].value == measured["new_categories", "job"].value == 0
    assert measured["psi", "job"].interval.low > 0.25
    assert measured["vanished_categories", "job"].value == pytest.approx(0.7)
    assert measured["vanished_categories", "job"].note == "vanished: clerk"
    assert {name: column.status for name, column in judged(profile, now).items()} == {
        "job": Status.FAILED,
        "pay": Status.FAILED,
    }


def test_a_sentinel_beyond_the_range_is_found_though_the_index_merges_it():
    """9 stands for 3 in all rows: the bins of the index cannot tell, the range and KS can."""
    profile = build_profile(pd.DataFrame({"x": [1.0, 2.0, 3.0] * 200}), ["x"], [])
    now = pd.DataFrame({"x": [1.0, 2.0, 9.0] * 200})
    measured = found(profile, now)
    assert measured["psi", "x"].value == pytest.approx(0)
    assert measured["out_of_range", "x"].value == pytest.approx(1 / 3)
    assert measured["ks", "x"].value == pytest.approx(1 / 3)
    assert judged(profile, now)["x"].status is Status.FAILED


@given(st.lists(st.integers(0, 400), max_size=6), st.permutations(range(7)))
@settings(max_examples=25)
def test_sums_of_any_parts_in_any_order_are_those_of_the_whole(profile, cuts, order):
    """Integers only: the same numbers, and the same bytes of the measurements, from any partition of the rows."""
    frame = table(400, seed=1)
    scores, labels = np.linspace(0, 1, 400), np.r_[np.nan, np.tile([0.0, 1.0, 1.0], 133)]
    borders = [0, *sorted(cuts), 400]
    parts = [
        current_sums(frame.iloc[a:b], profile, scores[a:b], labels=labels[a:b]) for a, b in itertools.pairwise(borders)
    ]
    shuffled = [parts[i] for i in order if i < len(parts)]
    whole = current_sums(frame, profile, scores, labels=labels)
    joined = reduce(lambda one, other: other + one, shuffled, no_sums(profile))
    one, two = ([m.to_bytes() for m in measure_drift_sums(profile, sums, confidence=0.9)] for sums in (whole, joined))
    assert one == two
    for name, sums in whole.features.items():
        assert vars(sums).keys() == vars(joined.features[name]).keys()
    assert (whole.features["x"].totals == joined.features["x"].totals).all()
    assert whole.features["x"].squares == joined.features["x"].squares


def test_a_profile_from_batches_is_that_of_the_frame(profile):
    """Arrow and pandas give the same sums; the profile itself does not depend on the order of rows."""
    frame = table(700, seed=2)
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    one, two = (measure_drift(profile, rows, confidence=0.9) for rows in (frame, batch))
    assert one == two
    shuffled = frame.sample(frac=1, random_state=0)
    names = list(frame.columns)
    assert build_profile(frame, names, ["kind"]).to_bytes() == build_profile(shuffled, names, ["kind"]).to_bytes()


def test_mean_and_deviation_are_those_of_the_rows():
    """Exact sums in fixed point: to 1 in 100,000 of the deviation, outliers included."""
    values = np.r_[np.random.default_rng(3).normal(1e6, 3, 5_000), 1e6 + 900]
    feature = build_profile(pd.DataFrame({"x": values}), ["x"], []).features["x"]
    assert feature.mean == pytest.approx(values.mean(), abs=1e-4)
    assert feature.deviation == pytest.approx(values.std(), rel=1e-5)
    assert (feature.low, feature.high) == (values.min(), values.max())


def test_huge_and_infinite_numbers_are_counted_not_summed_to_infinity():
    """1e300, infinities and a unit error stay finite and far away."""
    profile = build_profile(pd.DataFrame({"x": np.random.default_rng(4).normal(0, 1, 500)}), ["x"], [])
    measured = found(profile, pd.DataFrame({"x": [1e300, np.inf, -np.inf, 1e9] * 50}))
    assert measured["out_of_range", "x"].value == 1
    assert 1_000 < measured["wasserstein", "x"].value < 1e6
    assert measured["ks", "x"].value == pytest.approx(0.75)


def test_squares_of_large_fixed_point_numbers_are_exact():
    """Beyond what a float holds exactly, against Python's own integers."""
    profile = build_profile(pd.DataFrame({"x": [0.0, 1.0] * 20}), ["x"], []).features["x"]
    values = np.random.default_rng(5).normal(0, 9_000, 3_000)
    sums = profile_sums.numeric_sums(profile, values)
    fixed = np.rint(np.clip((values - profile.center) * (1 / profile.scale), -(2**15), 2**15) * 2**16)
    assert sums.squares == sum(int(one) ** 2 for one in fixed)
    assert int(sums.totals.sum()) == sum(int(one) for one in fixed)


def test_too_many_reference_categories_are_never_a_pass(monkeypatch):
    """An identifier has no dictionary: the metrics have no value, and the column is not passed."""
    monkeypatch.setattr(profile_sums, "MAXIMUM_CATEGORIES", 50)
    frame = pd.DataFrame({"id": [f"id-{n}" for n in range(200)]})
    profile = build_profile(frame, ["id"], ["id"])
    assert (profile.features["id"].counts, profile.features["id"].other) == ({}, 200)
    measured = found(profile, frame)
    assert measured["psi", "id"].value is None
    assert measured["new_categories", "id"].value is None
    assert judged(profile, frame)["id"].status is Status.INCONCLUSIVE


@pytest.mark.parametrize("split", [1, 30, 150])
def test_too_many_new_categories_are_all_counted_as_new(monkeypatch, split):
    """Known ones stay counted by name, in whatever parts the rows come."""
    monkeypatch.setattr(profile_sums, "MAXIMUM_CATEGORIES", 50)
    profile = build_profile(pd.DataFrame({"c": ["a", "b"] * 100}), ["c"], ["c"])
    frame = pd.DataFrame({"c": ["a"] * 40 + [f"new-{n}" for n in range(160)]})
    sums = current_sums(frame[:split], profile) + current_sums(frame[split:], profile)
    assert dict(sums.features["c"].counts) == {"a": 40}
    measured = {m.metric: m for m in measure_drift_sums(profile, sums, confidence=0.9)}
    assert measured["new_categories"].value == pytest.approx(0.8)
    assert measured["new_categories"].note == "new: too many to list"
    assert measured["psi"].interval.low > 1


def test_prevalence_is_compared_for_binary_labels():
    """A tenth positive then, a quarter now; unknown labels are left out."""
    frame = pd.DataFrame({"x": np.arange(400.0)})
    profile = build_profile(frame, ["x"], [], labels=[1] * 40 + [0] * 360)
    change = found(profile, frame, labels=[1.0] * 50 + [0.0] * 150 + [np.nan] * 200)["prevalence_change", "label"]
    assert change.value == pytest.approx(0.15)
    assert (change.n, change.interval.low > 0.05) == (200, True)
    missing = found(profile, frame)["prevalence_change", "label"]
    assert (missing.value, missing.note) == (None, "no labels to compare")


def test_classes_and_numbers_are_compared_as_such():
    """Labels of several classes have a distance of categories, those of a regression one of numbers."""
    frame = pd.DataFrame({"x": np.arange(300.0)})
    classes = found(build_profile(frame, ["x"], [], labels=["a", "b", "c"] * 100), frame, labels=["a"] * 300)
    assert classes["jensen_shannon", "label"].interval.low > 0.3
    values = found(build_profile(frame, ["x"], [], labels=np.arange(300.0)), frame, labels=np.arange(300.0) + 100)
    assert values["ks", "label"].value == pytest.approx(1 / 3, abs=0.01)
    assert ("psi", "label") not in classes | values


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (pa.array([True, None, False]), "boolean", [1, np.nan, 0]),
        (pa.array([0, None, 86_400], pa.timestamp("s")), "date", [0, np.nan, 1]),
        (pa.array([5, None], pa.date32()), "date", [5, np.nan]),
        (pa.array([43_200_000_000_000], pa.timestamp("ns", "UTC")), "date", [0.5]),
        (pa.array([2**53, None, -1]), "numeric", [2.0**53, np.nan, -1]),
        (pa.array([1.5, float("nan"), None], pa.float32()), "numeric", [1.5, np.nan, np.nan]),
        (pa.array(["1.25", None]).cast(pa.decimal128(5, 2)), "numeric", [1.25, np.nan]),
    ],
)
def test_columns_of_every_type_become_numbers(column, kind, expected):
    """Dates are days since 1970, booleans 0 and 1, nulls NaN."""
    batch = pa.RecordBatch.from_arrays([column], ["x"])
    assert arrow_kind(column.type) == kind
    np.testing.assert_array_equal(numbers(batch, "x"), expected)


def test_categories_are_counted_alike_from_text_and_dictionaries():
    """Nulls apart, an unused dictionary entry is no category, codes become text."""
    text = pa.array(["b", "a", None, "b"])
    unused = pa.DictionaryArray.from_arrays(pa.array([0, None, 0], pa.int8()), pa.array(["a", "zzz"]))
    for column, expected in ((text, ({"a": 1, "b": 2}, 1)), (unused, ({"a": 2}, 1)), (pa.array([7, 7]), ({"7": 2}, 0))):
        batch = pa.RecordBatch.from_arrays([column], ["x"])
        assert counted(batch, "x") == expected


def test_lists_cannot_be_compared_and_text_is_no_number():
    """They have no kind; asking for numbers names the column."""
    assert arrow_kind(pa.list_(pa.int8())) is None
    with pytest.raises(DataError, match="`x` holds string"):
        numbers(pa.RecordBatch.from_arrays([pa.array(["a"])], ["x"]), "x")


# --- the calendar

JULY, JANUARY = np.datetime64("2025-07-10"), np.datetime64("2025-01-10")


def seasonal(rng, times):
    warm = (times.astype("datetime64[M]").astype(int) % 12) == 6
    return pd.DataFrame({"sales": np.where(warm, rng.normal(50, 5, times.size), rng.normal(10, 5, times.size))})


def test_months_and_weekdays_are_numbered_from_one():
    """1970-01-01 was a Thursday; a missing time has no part."""
    times = np.array(["1970-01-01", "2024-02-29", "NaT", "1969-12-28"], dtype="datetime64[ns]")
    assert part_codes(times, "month").tolist() == [1, 2, 0, 12]
    assert part_codes(times, "weekday").tolist() == [4, 4, 0, 7]
    assert [part_name(code, "weekday") for code in (0, 1, 7)] == ["unknown", "Mondays", "Sundays"]


def test_a_july_is_compared_with_last_years_july():
    """What drifts against the whole year does not drift against the same month."""
    rng = np.random.default_rng(6)
    times = np.datetime64("2024-01-01") + rng.integers(0, 365, 12_000)
    july = np.datetime64("2025-07-01") + rng.integers(0, 31, 900)
    then, now = seasonal(rng, times), seasonal(rng, july)
    profile = build_profile(then, ["sales"], [], times=times, calendar="month")
    alike, whole = found(profile, now, times=july)["psi", "sales"], found(profile, now)["psi", "sales"]
    assert alike.value < 0.2 < 1 < whole.value
    assert alike.note.endswith("the reference's July")
    assert "no times" in whole.note
    assert Profile.from_bytes(profile.to_bytes(), where="test") == profile


def test_a_window_weighs_months_as_the_current_data_do():
    """Nine rows of July to one of June: so is the reference, as many rows as that mixture is worth."""
    rng = np.random.default_rng(7)
    times = np.repeat(np.array(["2024-06-05", "2024-07-05", "2024-08-05"], dtype="datetime64[D]"), 1_000)
    profile = build_profile(seasonal(rng, times), ["sales"], [], times=times, calendar="month")
    window = reference_window(profile, {"July": 900, "June": 100})
    assert window.words == "the reference's June, July"
    assert window.profile.features["sales"].mean == pytest.approx(0.9 * 50 + 0.1 * 10, abs=1)
    # Kish: 1 / (0.9 ** 2 / 1000 + 0.1 ** 2 / 1000).
    assert window.profile.rows == pytest.approx(1_220, abs=1)


def test_a_month_the_reference_hardly_has_is_compared_with_all_of_it():
    """And the words say so."""
    times = np.array([JULY] * 500 + [JANUARY] * 5)
    profile = build_profile(pd.DataFrame({"x": np.arange(505.0)}), ["x"], [], times=times, calendar="month")
    for parts in ({"January": 9}, {"March": 3}, {"unknown": 1, "July": 99}):
        window = reference_window(profile, parts)
        assert window.profile is profile
        assert "too few rows" in window.words


# --- verdicts on columns


def test_an_index_that_is_usual_for_few_rows_is_inconclusive_not_failed():
    """150 rows over 50 bins are above 0.25 by chance; a true shift of the same data is a failure."""
    rng = np.random.default_rng(8)
    profile = build_profile(pd.DataFrame({"x": rng.normal(0, 1, 5_000)}), ["x"], [])
    same, moved = (pd.DataFrame({"x": rng.normal(shift, 1, 150)}) for shift in (0, 2))
    column = judged(profile, same)["x"]
    assert column.measurements["psi"].value > 0.25
    assert column.status is Status.INCONCLUSIVE
    assert "without any drift" in column.reason
    assert judged(profile, moved)["x"].status is Status.FAILED


def test_what_few_rows_add_to_the_index_decides_nothing():
    """Of 40 files of 1,000 rows without drift all pass; of 40 just as far away as the limit hardly any does."""
    rng = np.random.default_rng(12)
    profile = build_profile(pd.DataFrame({"x": rng.normal(0, 1, 20_000)}), ["x"], [])
    # The index of two normals a shift apart is the shift's square; bins lose a little of it.
    same, shifted = (
        [judged(profile, pd.DataFrame({"x": rng.normal(shift, 1, 1_000)}))["x"].status for _ in range(40)]
        for shift in (0.0, 0.51)
    )
    assert set(same) == {Status.PASSED}
    assert shifted.count(Status.PASSED) <= 5


def test_infinities_of_the_reference_are_within_its_range():
    """They may come again; in another column they are out of range."""
    then = pd.DataFrame({"x": [np.inf, 1.0, 2.0] * 100, "y": [0.0, 1.0, 2.0] * 100})
    now = pd.DataFrame({"x": [np.inf, 1.0, 2.0] * 100, "y": [np.inf, 1.0, 2.0] * 100})
    measured = found(build_profile(then, ["x", "y"], []), now)
    assert measured["out_of_range", "x"].value == 0
    assert measured["out_of_range", "y"].value == pytest.approx(1 / 3)


def test_the_largest_and_the_smallest_numbers_have_bins():
    """Neither overflows nor divides by nothing, and nothing drifts from itself."""
    columns = {
        "largest": np.full(300, np.finfo(float).max),
        "huge": [1e308, -1e308, 0.0] * 100,
        "tiny": [5e-324, 0.0, 1e-310] * 100,
        "infinite": np.full(300, np.inf),
    }
    frame = pd.DataFrame(columns)
    with np.errstate(all="raise", under="ignore"):
        columns = judged(build_profile(frame, list(frame), []), frame)
    statuses = {name: column.status for name, column in columns.items()}
    assert statuses == dict.fromkeys(("largest", "huge", "tiny"), Status.PASSED) | {"infinite": Status.INCONCLUSIVE}


def test_few_rows_on_either_side_are_inconclusive():
    """Below the minimum nothing is said of any column."""
    few, many = pd.DataFrame({"x": np.arange(99.0)}), pd.DataFrame({"x": np.arange(500.0)})
    for then, now in ((few, many), (many, few)):
        column = judged(build_profile(then, ["x"], []), now)["x"]
        assert (column.status, column.reason) == (
            Status.INCONCLUSIVE,
            "99 rows are too few to tell; 100 are asked for",
        )


def test_an_emptied_column_fails_and_a_never_filled_one_cannot_be_told():
    """All null now: the null rate fails; all null on both sides: nothing to compare is no pass."""
    full, empty = pd.DataFrame({"x": np.arange(300.0)}), pd.DataFrame({"x": np.full(300, np.nan)})
    assert judged(build_profile(full, ["x"], []), empty)["x"].status is Status.FAILED
    assert judged(build_profile(empty, ["x"], []), empty)["x"].status is Status.INCONCLUSIVE


def test_a_null_rate_that_falls_fails_too():
    """Half null then, none now: something fills in values."""
    then = pd.DataFrame({"x": np.where(np.arange(600) % 2, np.nan, np.arange(600))})
    now = pd.DataFrame({"x": np.arange(600)[np.arange(600) % 2 == 0].astype(float)})
    column = judged(build_profile(then, ["x"], []), now)["x"]
    assert column.status is Status.FAILED
    assert column.reason.startswith("null_rate_change")
    assert column.null_rates == (0.5, 0.0)


def test_limits_that_are_given_decide():
    """KS alone may fail a column; without any limit nothing can pass."""
    rng = np.random.default_rng(9)
    profile = build_profile(pd.DataFrame({"x": rng.normal(0, 1, 4_000)}), ["x"], [])
    now = pd.DataFrame({"x": rng.normal(0.3, 1, 4_000)})
    assert judged(profile, now)["x"].status is Status.PASSED
    assert judged(profile, now, ks=0.05)["x"].status is Status.FAILED
    none = dict.fromkeys(("psi", "null_rate_change", "new_categories", "out_of_range"))
    assert judged(profile, now, **none)["x"].status is Status.ERROR


def test_the_worst_of_nothing_is_an_error():
    """No column at all must not pass."""
    assert worst([]) is Status.ERROR
    assert worst([Status.PASSED, Status.INCONCLUSIVE, Status.FAILED]) is Status.FAILED
