"""Labels, groups and clusters: which row belongs where."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.errors import DataError, SpecError
from gatewright.core.frames import MISSING, OTHER, clusters_of, groups_of, labels_of, targets_of
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml

SPEC_FILE = Path(__file__).parents[2] / "examples/crash_triage/model.yaml"
SPEC = parse_yaml(SPEC_FILE.read_text(), ModelSpec, where=str(SPEC_FILE))


def rows(**changed: object) -> pd.DataFrame:
    columns = {
        "dead": ["dead", "alive", "alive"],
        "sex": ["f", "m", "f"],
        "ageOFocc": [16, 64, 65],
        "yearacc": [1997, 1997, 1998],
        "caseid": ["2:3:1", "2:3:1", "2:3:1"],
    }
    return pd.DataFrame({**columns, **changed})


def test_the_positive_value_is_one_and_all_others_are_zero() -> None:
    """`dead` is the positive value of the example."""
    assert labels_of(rows(), SPEC).tolist() == [1, 0, 0]


def test_a_numeric_positive_value_is_compared_as_a_number() -> None:
    """A target of 0/1 works as well as one of text."""
    spec = SPEC.model_copy(update={"target": SPEC.target.model_copy(update={"positive": 1})})
    assert labels_of(rows(dead=[1, 0, 1]), spec).tolist() == [1, 0, 1]


def test_a_missing_label_is_refused_and_its_row_is_named() -> None:
    """A row without a label must not count as negative."""
    with pytest.raises(DataError, match=r"1 of 3 rows have no label: rows 1\."):
        labels_of(rows(dead=["dead", None, "alive"]), SPEC)


def test_a_missing_target_column_is_named() -> None:
    """The error says which column and which there are."""
    with pytest.raises(DataError, match="`dead` is missing"):
        labels_of(rows().drop(columns="dead"), SPEC)


def test_bands_include_their_lower_bound_and_exclude_their_upper_one() -> None:
    """16 and 64 are inside the first two bands, 65 begins the third."""
    assert groups_of(rows(), SPEC)["age_band"].tolist() == ["16-24", "25-64", "65+"]


def test_a_missing_number_gives_the_others_no_other_group() -> None:
    """pandas makes floats of whole numbers where one is missing; 1.0 is the group 1."""
    whole, holed = (groups_of(rows(sex=column), SPEC)["sex"].tolist() for column in ([1, 2, 1], [1, 2, np.nan]))
    assert (whole, holed) == (["1", "2", "1"], ["1", "2", MISSING])
    assert groups_of(rows(sex=[None, None, None]), SPEC)["sex"].tolist() == [MISSING] * 3


def test_a_missing_or_outlying_value_stays_in_the_audit() -> None:
    """No row vanishes: missing and out-of-band rows have groups of their own."""
    groups = groups_of(rows(ageOFocc=[np.nan, 15, 130], sex=["f", None, "m"]), SPEC)
    assert groups["age_band"].tolist() == [MISSING, OTHER, OTHER]
    assert groups["sex"].tolist() == ["f", MISSING, "m"]


def test_a_banded_column_of_text_is_refused() -> None:
    """Ages that arrive as text cannot be cut into bands."""
    with pytest.raises(DataError, match="is text"):
        groups_of(rows(ageOFocc=["16", "17", "18"]), SPEC)


def test_a_case_id_names_a_vehicle_only_within_its_year() -> None:
    """The same caseid in another year is another cluster."""
    clusters = clusters_of(rows(), SPEC)
    assert clusters is not None
    assert clusters[0] == clusters[1] != clusters[2]
    turned = clusters_of(rows().iloc[::-1], SPEC)
    assert turned is not None
    assert turned[::-1].tolist() == clusters.tolist()


def test_without_cluster_columns_there_are_no_clusters() -> None:
    """None says that rows are independent."""
    spec = SPEC.model_copy(update={"data": SPEC.data.model_copy(update={"cluster": ()})})
    assert clusters_of(rows(), spec) is None


def test_a_missing_cluster_is_refused() -> None:
    """Rows of unknown vehicles must not become one big cluster."""
    with pytest.raises(DataError, match="no cluster"):
        clusters_of(rows(caseid=["2:3:1", None, "2:3:1"]), SPEC)


@given(st.lists(st.one_of(st.none(), st.integers(-10, 200)), min_size=1, max_size=40))
def test_every_row_is_in_exactly_one_group(ages: list[int | None]) -> None:
    """Groups cover the rows: there are as many as rows and each has a known name."""
    frame = pd.DataFrame({"sex": ["f"] * len(ages), "ageOFocc": pd.Series(ages, dtype=float)})
    groups = groups_of(frame, SPEC)["age_band"]
    assert len(groups) == len(ages)
    assert set(groups) <= {"16-24", "25-64", "65+", MISSING, OTHER}


def spec_of(task: str) -> ModelSpec:
    """The example as another task."""
    return SPEC.model_copy(update={"task": task, "target": SPEC.target.model_copy(update={"positive": None})})


def test_targets_of_a_binary_classification_are_its_labels() -> None:
    """One reader for all tasks."""
    assert targets_of(rows(), SPEC).tolist() == [1, 0, 0]


def test_targets_of_several_classes_are_their_names() -> None:
    """Text, and whole numbers whether a file holds them as integers or floats."""
    spec = spec_of("multiclass_classification")
    assert targets_of(rows(), spec).tolist() == ["dead", "alive", "alive"]
    for values in ([1, 2, 1], [1.0, 2.0, 1.0], pd.Categorical([1, 2, 1])):
        assert targets_of(rows(dead=values), spec).tolist() == ["1", "2", "1"]


def test_targets_of_a_regression_are_finite_floats() -> None:
    """Integers, floats and nullable numbers; text, flags, gaps and infinity are refused."""
    spec = spec_of("regression")
    for values in ([1, 2, 3], [1.0, 2.0, 3.0], pd.array([1, 2, 3], dtype="Int64")):
        found = targets_of(rows(dead=values), spec)
        assert found.dtype == np.float64
        assert found.tolist() == [1, 2, 3]
    for wrong in (["1", "2", "3"], [True, False, True], [1.0, np.inf, 2.0]):
        with pytest.raises(DataError, match=r"not numbers|1 of 3 targets are infinite"):
            targets_of(rows(dead=wrong), spec)
    with pytest.raises(DataError, match="1 of 3 rows have no target"):
        targets_of(rows(dead=[1.0, np.nan, 2.0]), spec)


def test_labels_of_another_task_are_refused() -> None:
    """Without a positive value every row would be a 0."""
    with pytest.raises(SpecError, match="regression has no positive value"):
        labels_of(rows(), spec_of("regression"))


def test_a_positive_value_is_found_however_the_column_holds_it() -> None:
    """A column with a null was read as floats: 1.0 is 1, and the text "1" means it too."""
    columns = (("1", [1.0, 0.0]), (1, [1.0, 0.0]), ("1", [1, 0]), ("1", ["1", "0"]), (1, [True, False]))
    for positive, values in columns:
        target = SPEC.target.model_copy(update={"positive": positive})
        frame = pd.DataFrame({SPEC.target.column: values})
        assert labels_of(frame, SPEC.model_copy(update={"target": target})).tolist() == [1, 0]
