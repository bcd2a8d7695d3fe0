"""The worst slices are found where they are, and not found where there are none."""

from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from gatewright.core.checks.slice_rows import ScoredRows
from gatewright.core.checks.slice_search import SEARCHES, _fisher, search
from gatewright.core.checks.slices import measure_slices
from gatewright.core.errors import DataError
from gatewright.core.statistics.slicing import cells_of, code_column

ALPHA = 0.05
TERMS = {"depth": 2, "threshold": 0.5, "confidence": 1 - 2 * ALPHA, "minimum_support": 30}


def people(rows, *, seed=0):
    """Two columns, scores, and labels that the scores get wrong in a fifth of all rows, wherever they are."""
    rng = np.random.default_rng(seed)
    frame = {"sex": rng.choice(["f", "m"], rows), "region": rng.choice(["N", "E", "S", "W"], rows)}
    scores = rng.random(rows)
    labels = np.where(rng.random(rows) < 0.2, scores < 0.5, scores >= 0.5).astype(int)
    return frame, labels, scores


def measure(frame, labels, scores, **changes):
    found = measure_slices(labels, scores, frame, **{"columns": list(frame), **TERMS, **changes})
    return {(m.metric, m.slice): m for m in found}


def test_a_planted_slice_is_found():
    """Women in the south get coin tosses: that slice is named first, with a p-value that many looks cannot explain."""
    frame, labels, scores = people(4000)
    bad = (frame["sex"] == "f") & (frame["region"] == "S")
    labels = np.where(bad, np.random.default_rng(1).integers(0, 2, 4000), labels)
    found = measure(frame, labels, scores)
    worst = found["worst_slice_gap", "region=S & sex=f"]
    assert worst.p_value < 1e-6
    assert worst.interval.low < 0.3 < worst.interval.high
    assert found["worst_slices_found", "all"].note.startswith("region=S & sex=f")


def test_a_slice_where_the_candidate_got_worse_is_found():
    """The champion is right where the candidate errs in the north; elsewhere they agree."""
    frame, labels, scores = people(4000)
    broken = (frame["region"] == "N") & (np.random.default_rng(1).random(4000) < 0.2)
    found = measure(frame, labels, np.where(broken, 1 - scores, scores), champion_scores=scores)
    assert found["worst_slice_change", "region=N"].value > 0.08
    assert found["worst_slice_change", "region=N"].p_value < 1e-3
    assert found["worst_changes_found", "all"].note.startswith("region=N")


def found_by_chance(seed, *, rows, copies):
    """How many slices are called worse than the rest, and than the champion, in a table without any effect."""
    frame, labels, scores = people(rows, seed=seed)
    rng = np.random.default_rng(seed + 1000)
    wrong, theirs = (scores >= 0.5) != labels, rng.random(rows) < 0.2
    values = {"rows": np.ones(rows), "errors": wrong, "more_errors": wrong & ~theirs, "fewer_errors": theirs & ~wrong}
    coded = [code_column(name, np.repeat(column, copies)) for name, column in frame.items()]
    blocks = np.repeat(np.arange(rows), copies)
    cells = cells_of(
        coded,
        {name: np.repeat(value, copies) for name, value in values.items()},
        half=np.repeat(rng.integers(0, 2, rows), copies),
        blocks=None if copies == 1 else blocks,
    )
    halves = [list(cells.of_half(half).tables(2)) for half in (0, 1)]
    found = [search(halves, kind, confidence=1 - 2 * ALPHA, minimum_support=30)[-1] for kind in SEARCHES]
    return [bool(count.value) for count in found]


@pytest.mark.parametrize(("rows", "copies"), [(500, 1), (200, 5)])
def test_without_an_effect_false_alarms_stay_at_alpha(rows, copies):
    """120 tables in which errors fall anywhere, alone or in clusters: at most 5 % alarm, plus three sigma."""
    alarms = np.sum([found_by_chance(seed, rows=rows, copies=copies) for seed in range(120)], axis=0)
    assert (alarms <= 120 * ALPHA + 3 * (120 * ALPHA * (1 - ALPHA)) ** 0.5).all()


def test_metrics_are_those_of_the_slices_rows():
    """Against pandas, row by row, for one column and two."""
    frame, labels, scores = people(3000)
    champion = np.clip(scores + np.random.default_rng(1).normal(0, 0.2, 3000), 0.01, 0.99)
    found = measure(frame, labels, scores, champion_scores=champion)
    table = pd.DataFrame(frame).assign(
        right=(scores >= 0.5) == labels, theirs=(champion >= 0.5) == labels, label=labels, score=scores
    )
    for (sex, region), rows in table.groupby(["sex", "region"]):
        name = f"region={region} & sex={sex}"
        loss = -np.log(np.where(rows.label == 1, rows.score, 1 - rows.score)).mean()
        assert found["accuracy", name].value == pytest.approx(rows.right.mean())
        assert found["recall", name].value == pytest.approx(rows.right[rows.label == 1].mean())
        assert found["log_loss", name].value == pytest.approx(loss)
        assert found["accuracy_change", name].value == pytest.approx(rows.right.mean() - rows.theirs.mean())
        assert found["error_rate", name].n == len(rows)
    assert found["accuracy", "sex=f"].value == pytest.approx(table.right[table.sex == "f"].mean())


@pytest.mark.parametrize("clustered", [False, True])
def test_the_order_of_rows_never_matters(clustered):
    """Every number is the same, to the last digit."""
    frame, labels, scores = people(700)
    champion, clusters = scores[::-1].copy(), np.arange(700) // 3 if clustered else None
    order = np.random.default_rng(1).permutation(700)
    first = measure(frame, labels, scores, champion_scores=champion, clusters=clusters)
    moved = {name: values[order] for name, values in frame.items()}
    assert first == measure(
        moved,
        labels[order],
        scores[order],
        champion_scores=champion[order],
        clusters=None if clusters is None else clusters[order],
    )


@given(st.lists(st.integers(1, 699), max_size=4, unique=True).map(sorted), st.booleans())
@settings(max_examples=20)
def test_any_partition_of_the_rows_adds_up_to_the_same_bytes(cuts, clustered):
    """Tables of parts, added from the left or from the right, are those of all rows."""
    frame, labels, scores = people(700)
    coded = [code_column(name, column) for name, column in frame.items()]
    rows = ScoredRows(labels.astype(float), scores, scores[::-1].copy(), None, threshold=0.5)
    half, blocks = np.arange(700) % 2, np.arange(700) // 3

    def table(part):
        columns, own = [column[part] for column in coded], blocks[part] if clustered else None
        return list(cells_of(columns, rows[part].values(), half=half[part], blocks=own).tables(2))[-1]

    def as_bytes(one):
        by_block = one.by_block.sums if clustered else {}
        return {name: values.tobytes() for name, values in [*one.sums.items(), *by_block.items()]}

    parts = [table(slice(*bounds)) for bounds in pairwise([0, *cuts, 700])]
    whole = as_bytes(table(slice(0, 700)))
    assert as_bytes(reduce(add, parts)) == whole
    assert as_bytes(reduce(lambda right, left: left + right, reversed(parts))) == whole


def test_slices_of_other_columns_are_not_added():
    """The same code would mean another value."""
    one, other = (
        next(cells_of([code_column("x", v)], {"rows": np.ones(2)}, half=np.zeros(2, int), blocks=None).tables(1))
        for v in (["a", "b"], ["a", "c"])
    )
    with pytest.raises(ValueError, match="different codings"):
        one + other


def test_copies_of_rows_in_clusters_bring_no_certainty():
    """Each row five times, in a cluster of its own: intervals as wide as before, not narrower by sqrt(5)."""
    frame, labels, scores = people(1000)
    alone = measure(frame, labels, scores, depth=1)
    copies = {name: np.repeat(values, 5) for name, values in frame.items()}
    clusters = np.repeat(np.arange(1000), 5)
    many = measure(copies, np.repeat(labels, 5), np.repeat(scores, 5), depth=1, clusters=clusters)
    for metric in ("accuracy", "log_loss", "recall"):
        one, other = alone[metric, "sex=f"].interval, many[metric, "sex=f"].interval
        assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.1)


def test_small_slices_are_counted_not_judged():
    """Three rows from the islands have no metric of their own, and the count says so."""
    frame, labels, scores = people(600)
    frame["region"][:3] = "islands"
    found = measure(frame, labels, scores, columns=["region"])
    assert ("accuracy", "region=islands") not in found
    assert found["unsupported_slices", "region"].value == 1
    assert found["unsupported_slices", "region"].note == "3 rows in slices of fewer than 30"


def test_without_any_slice_of_enough_rows_nothing_is_claimed():
    """No search took place: that is no clean bill."""
    frame, labels, scores = people(40)
    found = measure(frame, labels, scores)
    assert found["worst_slices_found", "(none)"].value is None


def test_without_rows_nothing_is_claimed():
    """An empty evaluation set has no slices, and nothing passes."""
    found = measure({"sex": np.array([], dtype=object)}, [], [], columns=["sex"])
    assert all(m.value is None or m.metric == "unsupported_slices" for m in found.values())


def test_a_slice_of_one_class_has_no_recall():
    """Nobody to find: too little to tell, whatever the accuracy."""
    frame, labels, scores = people(600)
    labels = np.where(frame["sex"] == "f", 0, labels)
    found = measure(frame, labels, scores)
    assert found["recall", "sex=f"].value is None
    assert found["recall", "sex=m"].value is not None


def test_a_missing_column_is_refused():
    """Nothing is sliced by what is not there."""
    frame, labels, scores = people(100)
    with pytest.raises(DataError, match="`age` is missing"):
        measure(frame, labels, scores, columns=["age"])
    with pytest.raises(DataError, match="no column was named"):
        measure(frame, labels, scores, columns=[])
    with pytest.raises(DataError, match="99 values for 100 rows"):
        measure({"sex": frame["sex"][1:]}, labels, scores, columns=["sex"])


def test_numbers_are_cut_at_their_quartiles_and_nothing_vanishes():
    """1 to 100 gives four bins of 25; a gap, an infinity and a rare category keep their rows."""
    coded = code_column("n", [*range(1, 101), np.nan, np.inf])
    counts = dict(zip(coded.values, np.bincount(coded.codes), strict=True))
    assert counts == {"[-inf, 26)": 25, "[26, 51)": 25, "[51, 76)": 25, "[76, inf)": 26, "(missing)": 1}
    few = code_column("n", [1, 2, 2, None])
    assert dict(zip(few.values, np.bincount(few.codes), strict=True)) == {"1": 1, "2": 2, "(missing)": 1}
    many = code_column("n", [f"c{k}" for k in range(30) for _ in range(30 - k)])
    assert many.values[0] == "(other)"
    assert len(many.values) == 21


@given(st.lists(st.one_of(st.none(), st.text(), st.floats(), st.booleans(), st.integers()), min_size=1, max_size=40))
@settings(max_examples=50)
def test_any_values_are_coded(values):
    """Whatever a column holds, every row is in one slice with a name."""
    coded = code_column("column", np.array([*values, None], dtype=object)[:-1])
    assert coded.codes.shape == (len(values),)
    assert set(coded.codes) == set(range(len(coded.values)))


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=50)
def test_the_test_of_a_gap_is_fishers(wrong, rows, others_wrong, others):
    """Against SciPy's exact test of the 2 x 2 table."""
    wrong, others_wrong = min(wrong, rows), min(others_wrong, others)
    table = [[wrong, rows - wrong], [others_wrong, others - others_wrong]]
    expected = fisher_exact(table, alternative="greater").pvalue
    assert _fisher(wrong, rows, wrong + others_wrong, rows + others) == pytest.approx(expected, abs=1e-9)


def test_the_test_of_a_change_is_the_exact_binomial():
    """McNemar's: k rows that only the champion gets right, and none the other way, have p = 1 / 2^k."""
    broken, scores = np.random.default_rng(1).random((2, 400)) - [[0.1], [0]]
    broken, labels = broken < 0, (scores >= 0.5).astype(int)
    found = measure({"all_of": ["x"] * 400}, labels, np.where(broken, 1 - scores, scores), champion_scores=scores)
    tested = found["worst_slice_change", "all_of=x"]
    discordant = round(tested.value * tested.n)
    assert discordant > 5
    assert tested.p_value == pytest.approx(0.5**discordant)
