"""Which evaluation rows the champion has learned from: by hand, and whatever the order or the parts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewright.core.checks.champion_seen import measure_champion_seen
from gatewright.core.errors import DataError, IntegrityError, NotFoundError, StoreError

EVALUATION = pd.DataFrame({"year": [2000] * 8, "case": list("aabbccdd"), "role": ["driver", "pass"] * 4})
KEY, CLUSTER = ("year", "case", "role"), ("year", "case")
ROWS = st.lists(st.tuples(st.integers(1998, 2000), st.sampled_from("abcde"), st.sampled_from("dp")), max_size=12)


def measured(parts, *, evaluation=EVALUATION, key=KEY, cluster=CLUSTER):
    return measure_champion_seen(evaluation, parts, key=key, cluster=cluster, confidence=0.9)


def rows_of(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(KEY))


def test_shares_by_hand():
    """3 of 8 rows in 2 of 4 cases stand in training; the same case of another year does not."""
    training = pd.concat([EVALUATION.iloc[[0, 1, 2]], EVALUATION.iloc[6:].assign(year=1999)])
    rows, entities = measured([training])
    assert (rows.metric, rows.value, rows.n, rows.note) == ("champion_seen_rows", 3 / 8, 8, "3 of 8 rows")
    assert (entities.metric, entities.value, entities.note) == ("champion_seen_entities", 1 / 2, "2 of 4 entities")
    # Wilson's 90 % interval of 3 in 8, by hand: (3 + z^2/2 -+ z sqrt(3 * 5 / 8 + z^2 / 4)) / (8 + z^2), z = 1.6449.
    assert (rows.interval.low, rows.interval.high) == pytest.approx((0.1612, 0.6520), abs=1e-4)


def test_a_champion_that_learned_from_other_years_has_seen_nothing():
    """The usual case passes a maximum of 0."""
    rows, entities = measured([EVALUATION.assign(year=1998), EVALUATION.assign(year=1999)])
    assert (rows.value, entities.value) == (0, 0)


@settings(max_examples=40)
@given(ROWS, ROWS, ROWS, st.randoms(use_true_random=False))
def test_neither_order_nor_parts_change_a_share(asked, first, second, random):
    """It is the share of a plain search in a set, between 0 and 1."""
    evaluation, known = rows_of([(2000, "a", "d"), *asked]), {*first, *second, (1997, "z", "d")}
    shuffled = [*first, *second, (1997, "z", "d")]
    random.shuffle(shuffled)
    one = measured([rows_of(first), rows_of(second), rows_of([(1997, "z", "d")])], evaluation=evaluation)
    other = measured([rows_of(shuffled)], evaluation=evaluation.sample(frac=1, random_state=0))
    assert one == other
    assert one[0].value == np.mean([row in known for row in evaluation.itertuples(index=False, name=None)])
    cases = {row[:2] for row in evaluation.itertuples(index=False, name=None)}
    assert one[1].value == np.mean([case in {row[:2] for row in known} for case in cases])


def broken(error):
    """A part that can be read, all of it seen, and one that cannot."""
    yield EVALUATION
    raise error("it is damaged.", where="data/1999.parquet", remedy="restore it.")


@pytest.mark.parametrize("error", [DataError, IntegrityError, NotFoundError])
def test_data_that_cannot_be_read_leave_no_value(error):
    """Not even the share of what could be read: unknown is not none."""
    for found in measured(broken(error)):
        assert (found.value, found.interval) == (None, None)
        assert "data/1999.parquet: it is damaged." in found.note


def test_a_store_that_does_not_answer_is_an_error():
    """The stage is tried again; nothing is measured of what nobody could see."""
    with pytest.raises(StoreError):
        measured(broken(StoreError))


@pytest.mark.parametrize(
    ("training", "says"),
    [
        (EVALUATION.drop(columns="role"), "role"),
        (EVALUATION.astype({"year": str}), "`year` holds text, in the evaluation data numbers"),
        (EVALUATION.assign(year=pd.Timestamp("2000-01-01")), "`year` holds times"),
        (EVALUATION.assign(case=1), "`case` holds numbers"),
        (EVALUATION.head(0), "no rows"),
    ],
)
def test_columns_that_have_changed_leave_no_value(training, says):
    """Values of another kind would never be equal, and the share would be 0 whatever the champion saw."""
    for found in measured([training]):
        assert found.value is None
        assert says in found.note


def test_a_column_of_nulls_is_no_other_kind():
    """A file without a single known role holds them as floats; its rows are other rows."""
    training = pd.concat([EVALUATION.head(2), EVALUATION.tail(2).assign(role=np.nan)])
    assert measured([training, EVALUATION.assign(role=np.nan)])[0].value == 2 / 8


def test_no_part_at_all_is_no_proof():
    """Nothing was looked at."""
    assert all(found.value is None for found in measured([]))


def test_without_cluster_columns_only_rows_are_counted():
    """As for the entities that candidate and evaluation share."""
    rows, entities = measured([EVALUATION.head(4)], cluster=())
    assert rows.value == 0.5
    assert (entities.value, entities.note) == (None, "the spec names no cluster columns")


def test_no_evaluation_rows_have_no_share():
    """And the evaluation data must have the columns."""
    assert measured([EVALUATION], evaluation=EVALUATION.head(0))[0].value is None
    with pytest.raises(DataError, match="evaluation data"):
        measured([EVALUATION], evaluation=EVALUATION.drop(columns="case"))
