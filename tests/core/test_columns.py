"""Columns of a file become labels, scores and groups, or one clear error."""

import pyarrow as pa
import pytest

from gatewright.core.columns import Column, binary, numbers, probabilities
from gatewright.core.errors import DataError, ModelError


def column(values: list, kind: pa.DataType | None = None, start: int = 0) -> Column:
    return Column("c", pa.array(values, kind), "file.parquet", start)


@pytest.mark.parametrize("values", [[0, 1, 1], [0.0, 1.0, 1.0], [False, True, True]])
def test_zeros_and_ones_are_labels_whatever_their_type(values: list) -> None:
    """Integers, floats and booleans."""
    assert binary(column(values), positive=None).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("values", "positive"), [(["no", "yes"], "yes"), ([1, 2], "2"), ([1.0, 2.0], "2"), ([3, 1], "1")]
)
def test_the_positive_value_is_compared_as_text(values: list, positive: str) -> None:
    """A command line has only text."""
    assert binary(column(values), positive=positive).tolist() == [
        float(str(v).rstrip(".0") == positive) for v in values
    ]


@pytest.mark.parametrize("bad", [[0, None], [0.0, float("nan")], [0, 2], [0.5, 1.0], ["0", "1"]])
def test_other_labels_are_refused(bad: list) -> None:
    """Missing, NaN, other numbers, and text without a positive value."""
    with pytest.raises(DataError):
        binary(column(bad), positive=None)


def test_an_error_names_file_column_and_row() -> None:
    """Rows count from 1 over the whole file."""
    with pytest.raises(ModelError, match=r"row 1002 holds 1\.5") as error:
        probabilities(column([0.5, 1.5], start=1000))
    assert error.value.where == "file.parquet, column c"


@pytest.mark.parametrize("bad", [[0.5, None], [float("nan")], [-0.1], [float("inf")], ["0.5"]])
def test_scores_that_are_no_probabilities_are_refused(bad: list) -> None:
    """NaN compares with nothing, so the comparison is written to catch it."""
    with pytest.raises(ModelError):
        probabilities(column(bad))


def test_numbers_may_be_large_but_not_infinite() -> None:
    """Regression targets."""
    assert numbers(column([1e300, -2])).tolist() == [1e300, -2]
    with pytest.raises(ModelError):
        numbers(column([1.0, float("inf")]))
