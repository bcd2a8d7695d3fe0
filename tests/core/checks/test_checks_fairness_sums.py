"""Fairness sums: the same bytes from any partition, no group lost or merged, memory bounded."""

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fairlearn import metrics as fairlearn
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.checks import group_tables
from gatewright.core.checks.fairness import group_rates, group_table, measure_fairness_sums
from gatewright.core.checks.fairness_metrics import GROUP_RATES
from gatewright.core.checks.fairness_sums import FairnessSums, fairness_sums
from gatewright.core.checks.group_codes import group_codes, joined
from gatewright.core.checks.groups import metric_frame
from gatewright.core.errors import DataError, IntegrityError, ModelError

ROWS = 200


def drawn(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "labels": rng.integers(0, 2, rows),
        "decisions": rng.random(rows) < 0.4,
        "groups": {
            "sex": rng.choice(np.array(["f", "m"], dtype=object), rows),
            "age": rng.choice(np.array(["old", "young", "(missing)"], dtype=object), rows),
            "region": rng.choice(np.array(["N", "S"], dtype=object), rows),
        },
        "champion_decisions": rng.random(rows) < 0.5,
        "scores": rng.random(rows),
        "clusters": rng.integers(0, 80, rows),
    }


def part(data, rows):
    groups = {name: values[rows] for name, values in data["groups"].items()}
    return {key: groups if key == "groups" else values[rows] for key, values in data.items()}


def counted(data, *, clustered=True):
    return fairness_sums(**{**data, "clusters": data["clusters"] if clustered else None})


@pytest.mark.parametrize("clustered", [False, True])
@given(cuts=st.lists(st.integers(0, ROWS), max_size=4), order=st.permutations(range(ROWS)))
@settings(max_examples=8)
def test_any_partition_in_any_order_gives_the_same_bytes(clustered, cuts, order):
    """Batches may be empty, and need not hold all groups."""
    data, edges = drawn(), sorted({0, ROWS, *cuts})
    parts = [counted(part(data, np.array(order[a:b])), clustered=clustered) for a, b in itertools.pairwise(edges)]
    forwards = parts[0]
    for other in parts[1:]:
        forwards = forwards + other
    backwards = parts[-1]
    for other in parts[-2::-1]:
        backwards = other + backwards
    whole = counted(data, clustered=clustered)
    assert forwards == whole
    assert forwards.to_bytes() == backwards.to_bytes() == whole.to_bytes()


@pytest.mark.parametrize("clustered", [False, True])
def test_merging_is_the_same_where_the_joint_table_is_too_large_for_the_whole(monkeypatch, clustered):
    """Small batches keep one table, their sum one for each pair: as one batch of all rows would."""
    data = drawn()
    first, second = data["groups"]["sex"] == "f", data["groups"]["sex"] != "f"
    whole = counted(data, clustered=clustered)
    entries = (1000 if clustered else 1) * 38
    monkeypatch.setattr(group_tables, "JOINT_ENTRIES", entries * 6)
    parts = counted(part(data, first), clustered=clustered), counted(part(data, second), clustered=clustered)
    merged, tabled = parts[0] + parts[1], counted(data, clustered=clustered)
    assert [len(sums.tables) for sums in (*parts, merged, whole)] == [1, 1, 3, 1]
    assert merged.to_bytes() == tabled.to_bytes()
    options = {"confidence": 0.9, "minimum_support": 1}
    assert measure_fairness_sums(merged, **options) == measure_fairness_sums(whole, **options)
    assert group_table(merged, confidence=0.9) == group_table(whole, confidence=0.9)


@pytest.mark.parametrize("joint", [0, 1 << 22])
def test_a_pair_with_too_many_groups_is_named_and_not_measured(monkeypatch, joint):
    """Whether counts of it exist or not: its columns are audited, and no rule on the pair can pass."""
    monkeypatch.setattr(group_tables, "JOINT_ENTRIES", joint)
    monkeypatch.setattr(group_tables, "MAXIMUM_GROUPS", 5)
    monkeypatch.setattr("gatewright.core.checks.fairness_sums.MAXIMUM_GROUPS", 5)
    data = drawn()
    sums = counted(data, clustered=False)
    assert set(sums.tables) == ({("age", "region", "sex")} if joint else {("age",), ("region", "sex")})
    found = {(m.metric, m.slice): m for m in measure_fairness_sums(sums, confidence=0.9, minimum_support=1)}
    names = {metric for metric, slice in found if slice == "age & sex"}
    assert names == {metric for metric, slice in found if slice == "age"}
    for name in names:
        assert found[name, "age & sex"].value is None
        assert "too many groups" in found[name, "age & sex"].note
    assert found["accuracy_difference", "age"].value is not None


def test_a_column_of_identifiers_is_refused_by_name():
    """Five hundred and one different values are no groups."""
    with pytest.raises(DataError, match=r"groups of `id`: 501 different values"):
        fairness_sums(np.zeros(501), np.zeros(501), {"id": np.arange(501)})


def test_sums_survive_their_bytes():
    """Written, read and written again."""
    sums = counted(drawn())
    body = sums.to_bytes()
    assert FairnessSums.from_bytes(body) == sums
    assert FairnessSums.from_bytes(body).to_bytes() == body


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: b"",
        lambda body: body[:-8],
        lambda body: body + b"\0" * 8,
        lambda body: body[:-1],
        lambda body: body.replace(b"sums 1", b"sums 2"),
        lambda body: body.replace(b'"clustered": false', b'"clustered": 0'),
        lambda body: body.replace(b'"scored": true', b'"scored": false'),
        lambda body: body[:-8] + b"\xff" * 8,
        lambda body: b"[]\n",
    ],
)
def test_damaged_bytes_are_refused(damage):
    """Cut, longer, of another format, negative."""
    with pytest.raises(IntegrityError):
        FairnessSums.from_bytes(damage(counted(drawn(), clustered=False).to_bytes()))


def test_sums_of_different_questions_do_not_add():
    """Other columns, without a champion, without clusters."""
    data = drawn()
    sums = counted(data)
    others = [{**data, "champion_decisions": None}, {**data, "clusters": None}, {**data, "scores": None}]
    others.append({**data, "groups": {"sex": data["groups"]["sex"]}})
    for other in others:
        with pytest.raises(ValueError, match="do not add"):
            sums + fairness_sums(**other)


def test_names_that_look_like_pairs_stay_apart():
    """("a & b", "c") and ("a", "b & c") are two groups with two names."""
    first, second = np.array(["a & b", "a"], dtype=object), np.array(["c", "b & c"], dtype=object)
    labels = np.tile([0, 1], 20)
    sums = fairness_sums(labels, labels, {"x": np.repeat(first, 20), "y": np.repeat(second, 20)})
    rows = [row for row in group_table(sums, confidence=0.9) if row["slice"] == "x & y"]
    assert {row["group"]: row["n"] for row in rows} == {'"a & b" & c': 20, 'a & "b & c"': 20}
    assert set(group_rates(sums)["x"]) == {"a & b", "a"}


@given(st.lists(st.lists(st.text(alphabet='ab& "', max_size=6), min_size=2, max_size=2), min_size=2, max_size=2))
def test_different_parts_never_join_to_one_name(pairs):
    """Quotes, ampersands and blanks included."""
    one, two = pairs
    assert (joined(one) == joined(two)) == (one == two)


def test_a_column_named_like_a_pair_is_a_slice_of_its_own():
    """Its name is quoted."""
    labels, values = np.tile([0, 1], 20), np.repeat(["u", "v"], 20)
    sums = fairness_sums(labels, labels, {"a": values, "b": values, "a & b": values})
    names = [slice if isinstance(slice, str) else slice.name for slice in sums.slices()]
    assert len(set(names)) == len(names) == 6
    assert "a & b" in names
    assert '"a & b"' in names


@pytest.mark.parametrize(
    "values",
    [
        np.array(["f", "m", None, "f"], dtype=object),
        ["f", "m", np.nan, "f"],
        pd.Series(["f", "m", None, "f"]),
        pd.Categorical(["f", "m", None, "f"], categories=["x", "m", "f"]),
        pa.array(["f", "m", None, "f"]),
        pa.array(["f", "m", None, "f"]).dictionary_encode(),
        pa.chunked_array([pa.array(["f"]).dictionary_encode(), pa.array(["m", None, "f"]).dictionary_encode()]),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 0]), pa.array(["f", "m", None, "unused"])),
        ([1, 2, -1, 1], ["unused", "f", "m"]),
    ],
    ids=["numpy", "list", "series", "categorical", "arrow", "dictionary", "chunked", "null-in-dictionary", "codes"],
)
def test_groups_are_the_same_whatever_holds_them(values):
    """Sorted names that have rows, and one group for rows without a value."""
    found = group_codes(values, 4, where="groups of `sex`")
    assert found.names == ("(missing)", "f", "m")
    assert found.codes.tolist() == [1, 2, 0, 1]


def test_numbers_are_the_same_groups_in_batches_with_and_without_nulls():
    """A null makes floats of a column of integers."""
    assert group_codes([1, 2, 10], 3, where="g").names == ("1", "10", "2")
    assert group_codes([1.0, np.nan, 10.0], 3, where="g").names == ("(missing)", "1", "10")
    assert group_codes([True, False], 2, where="g").names == ("False", "True")
    assert group_codes(np.array(["1", "2"]), 2, where="g").names == ("1", "2")


@pytest.mark.parametrize("values", [["a"], np.zeros((2, 2)), ([0, 2], ["a", "b"]), ([0, -2], ["a", "b"])])
def test_columns_that_do_not_fit_the_rows_are_refused(values):
    """Another length, two dimensions, codes without a name."""
    with pytest.raises(DataError, match="groups of `g`"):
        fairness_sums([0, 1], [0, 1], {"g": values})


@pytest.mark.parametrize("decisions", [[0, 1], [0, 1, 2], [0, 1, np.nan], [0.5, 0, 1], ["0", "1", "1"]])
def test_decisions_are_zero_or_one_for_every_row(decisions):
    """NaN, text and probabilities are no decisions."""
    for wrong in ({"decisions": decisions}, {"decisions": [0, 1, 1], "champion_decisions": decisions}):
        with pytest.raises(ModelError):
            fairness_sums([0, 1, 1], groups={"g": ["a", "b", "b"]}, **wrong)


def test_score_sums_do_not_depend_on_the_order_of_additions():
    """Numbers that floats round differently in each order; their mean is right to half a unit."""
    scores = np.array([0.1, 0.7, 1e-9, 0.3, 1.0, 0.2]).repeat(500)
    labels, groups = np.zeros(3000), {"g": np.full(3000, "a")}
    one = fairness_sums(labels, labels, groups, scores=scores)
    two = fairness_sums(labels, labels, groups, scores=scores[::-1])
    assert one.to_bytes() == two.to_bytes()
    assert group_table(one, confidence=0.9)[0]["mean_score"] == pytest.approx(scores.mean(), abs=2**-29)


def test_group_rates_are_fairlearns_by_group_from_the_rows():
    """All six rates of every group, to 1e-12, and so is fairlearn's own frame of the weighted cells."""
    data = drawn(2_000)
    sums = counted(data)
    for column, groups in data["groups"].items():
        truth, decided = data["labels"], data["decisions"].astype(int)
        for rate, metric in (
            ("selection_rate", fairlearn.selection_rate),
            ("true_positive_rate", fairlearn.true_positive_rate),
            ("false_positive_rate", fairlearn.false_positive_rate),
            ("false_negative_rate", fairlearn.false_negative_rate),
        ):
            frame = fairlearn.MetricFrame(metrics=metric, y_true=truth, y_pred=decided, sensitive_features=groups)
            weighted = metric_frame(sums, (column,)).by_group[rate]
            for group, value in frame.by_group.items():
                assert group_rates(sums)[column][group][rate] == pytest.approx(value, abs=1e-12)
                assert weighted[group] == pytest.approx(value, abs=1e-12)


def test_rates_without_a_row_in_their_denominator_are_none():
    """No positives: no true positive rate, no bounds."""
    sums = fairness_sums([0, 0, 1], [0, 1, 0], {"g": ["a", "a", "b"]})
    rates = group_rates(sums, confidence=0.9)["g"]
    assert rates["a"]["true_positive_rate"] is rates["a"]["false_negative_rate_low"] is None
    assert rates["b"]["precision"] is rates["b"]["false_positive_rate"] is None
    assert rates["a"] | {"selection_rate": 0.5, "n": 2, "false_positive_rate": 0.5, "accuracy": 0.5} == rates["a"]
    assert group_rates(sums)["g"]["b"].keys() == {"n", *GROUP_RATES}
