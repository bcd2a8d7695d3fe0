"""One streaming pass gives Great Expectations' own results, however the rows were written."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatewright.core.errors import DataError
from gatewright.services.onepass import quantiles, table
from gatewright.services.onepass.table import ParquetTable
from tests.services.onepass.hostile import ROWS, hostile_table, one_pass, stock, write

BETWEEN = {"type": "column_values_to_be_between", "kwargs": {"column": "whole", "min_value": 1, "max_value": 3}}
MIXED: list[dict[str, Any]] = [
    BETWEEN,
    {"type": "column_values_to_be_in_set", "kwargs": {"column": "text_with_gaps", "value_set": ["a"]}},
    {"type": "column_values_to_be_increasing", "kwargs": {"column": "real"}},
    {"type": "column_values_to_be_unique", "kwargs": {"column": "text_unique"}},
    {"type": "column_values_to_be_unique", "kwargs": {"column": "whole"}},
    {"type": "compound_columns_to_be_unique", "kwargs": {"column_list": ["text_unique", "day"]}},
    {
        "type": "column_pair_values_to_be_in_set",
        "kwargs": {"column_A": "text", "column_B": "flag", "value_pairs_set": [("a", True)]},
    },
    {"type": "column_median_to_be_between", "kwargs": {"column": "real", "min_value": -1, "max_value": 1}},
    {"type": "column_mean_to_be_between", "kwargs": {"column": "real", "min_value": -1, "max_value": 1}},
    {"type": "column_stdev_to_be_between", "kwargs": {"column": "whole_with_gaps", "min_value": 0, "max_value": 1}},
    {"type": "column_sum_to_be_between", "kwargs": {"column": "whole", "min_value": 0, "max_value": 1}},
    {
        "type": "column_value_z_scores_to_be_less_than",
        "kwargs": {"column": "real", "threshold": 1, "double_sided": True},
    },
    {"type": "column_values_to_not_be_outliers", "kwargs": {"column": "sorted", "method": "iqr", "multiplier": 0.1}},
    {"type": "column_max_to_be_between", "kwargs": {"column": "day", "max_value": "2026-01-02"}},
    {"type": "column_most_common_value_to_be_in_set", "kwargs": {"column": "text", "value_set": ["b"]}},
    {"type": "column_distinct_values_to_equal_set", "kwargs": {"column": "whole_with_gaps", "value_set": [0, 1]}},
]
EACH_ROW = {"condition_parser": "pandas"}
CONDITIONED: list[dict[str, Any]] = [
    {"type": one["type"], "kwargs": {**one["kwargs"], **EACH_ROW, "row_condition": condition}}
    for one in (BETWEEN, MIXED[1], MIXED[8], MIXED[13])
    for condition in ("tiny > 0 and text != 'a'", "real > real.mean()", "whole > 99", "absent > 1")
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(hostile_table(), tmp_path_factory.mktemp("hostile") / "hostile.parquet")


def close(ours: Any, other: Any) -> bool:
    """Equal, but for the last digits of sums of floats."""
    if isinstance(ours, str) and isinstance(other, str):
        try:
            ours, other = float(ours), float(other)
        except ValueError:
            return ours == other
    if isinstance(ours, float) and isinstance(other, float):
        return math.isclose(ours, other, rel_tol=1e-12) or (math.isnan(ours) and math.isnan(other))
    if isinstance(ours, dict) and isinstance(other, dict):
        return ours.keys() == other.keys() and all(close(value, other[key]) for key, value in ours.items())
    if isinstance(ours, list) and isinstance(other, list):
        return len(ours) == len(other) and all(close(a, b) for a, b in zip(ours, other, strict=True))
    return bool(ours == other)


def test_many_blocks_give_stock_results(path: Path) -> None:
    """Sums of floats differ in their last digits at most, all else not at all."""
    ours, outside = one_pass(path, MIXED, block_rows=7)
    assert [(one, other) for one, other in zip(ours, stock(path, MIXED), strict=True) if not close(one, other)] == []
    # Only the rows that are not unique are looked up by Great Expectations.
    assert {name.split(".")[0] + "." + name.split(".")[1] for name in outside} == {"column_values.unique"}


@pytest.mark.parametrize("row_group_size", [1, 16, 1000])
def test_the_result_does_not_depend_on_row_groups(row_group_size: int, path: Path, tmp_path: Path) -> None:
    """The same rows in other row groups give the same result to the last bit."""
    other = write(hostile_table(), tmp_path / "other.parquet", row_group_size=row_group_size)
    assert one_pass(other, MIXED, block_rows=11) == one_pass(path, MIXED, block_rows=11)


def test_row_conditions_are_great_expectations_own(path: Path) -> None:
    """Row by row where the condition is about a row; else, and where no row is left, on the loaded columns."""
    ours, _ = one_pass(path, CONDITIONED, block_rows=13)
    assert [
        (one, other) for one, other in zip(ours, stock(path, CONDITIONED), strict=True) if not close(one, other)
    ] == []


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "COMPLETE"])
def test_other_result_formats_are_great_expectations_own(result_format: str, path: Path) -> None:
    """COMPLETE lists all unexpected rows, which the pass does not keep: Great Expectations lists them."""
    cases = MIXED[:7]
    ours, _ = one_pass(path, cases, block_rows=13, result_format=result_format)
    assert ours == stock(path, cases, result_format=result_format)


def test_unexpected_rows_can_be_named_by_a_key(path: Path) -> None:
    """The key's column is loaded for it."""
    named = {"result_format": "SUMMARY", "unexpected_index_column_names": ["text_unique"]}
    ours, outside = one_pass(path, [BETWEEN], block_rows=13, result_format=named)
    assert ours == stock(path, [BETWEEN], result_format=named)
    assert outside


@pytest.mark.parametrize("how", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_quantiles_of_many_values_are_exact(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The histogram and the second reading find pandas' own quantiles, of floats and of integers."""
    monkeypatch.setattr(quantiles, "KEPT", 100)
    rng = np.random.default_rng(1)
    data = pa.table(
        {"f": rng.standard_cauchy(5000), "i": rng.integers(-(2**60), 2**60, 5000), "s": rng.integers(0, 9, 5000)}
    )
    file = write(data, tmp_path / "q.parquet", row_group_size=999)
    asked = {"quantiles": [0.0, 0.1, 0.333, 0.5, 0.99, 1.0], "value_ranges": [[0, 1]] * 6}
    cases = [
        *(
            {
                "type": "column_quantile_values_to_be_between",
                "kwargs": {"column": name, "quantile_ranges": asked, "allow_relative_error": how},
            }
            for name in data.column_names
        ),
        *(
            {"type": "column_median_to_be_between", "kwargs": {"column": name, "min_value": 0}}
            for name in data.column_names
        ),
        *(
            {"type": "column_values_to_not_be_outliers", "kwargs": {"column": name, "method": "iqr"}}
            for name in data.column_names
        ),
    ]
    ours, outside = one_pass(file, cases, block_rows=500)
    assert ours == stock(file, cases)
    assert outside == ()


@pytest.mark.parametrize("block_rows", [7, 1000])
def test_comparisons_of_numbers_are_pandas_own(block_rows: int, tmp_path: Path) -> None:
    """Strict and open bounds, integers no float can hold, pairs without gaps, one- and two-sided deviations."""
    rng = np.random.default_rng(2)
    gaps = pa.array(rng.normal(size=60), mask=rng.random(60) < 0.2)
    data = pa.table({"f": rng.normal(size=60), "g": gaps, "i": rng.integers(-2, 3, 60), "b": 2**53 + np.arange(60)})
    file = write(data, tmp_path / "numbers.parquet")
    bounds: list[dict[str, Any]] = [
        {"min_value": 0, "strict_min": True},
        {"max_value": 1.0, "strict_max": True},
        {"min_value": -1, "max_value": float(2**53 + 10)},
    ]
    sides = [{"threshold": 1, "double_sided": True}, {"threshold": -0.5, "double_sided": False}]
    cases = [
        *({"type": "column_values_to_be_between", "kwargs": {"column": c, **one}} for c in "fgib" for one in bounds),
        *(
            {"type": "column_value_z_scores_to_be_less_than", "kwargs": {"column": c, **one}}
            for c in "fgi"
            for one in sides
        ),
        *(
            {
                "type": "column_pair_values_a_to_be_greater_than_b",
                "kwargs": {"column_A": a, "column_B": b, "or_equal": equal},
            }
            for a, b in ("fi", "if", "bi", "fg")
            for equal in (True, False)
        ),
    ]
    ours, outside = one_pass(file, cases, block_rows=block_rows)
    assert [(one, other) for one, other in zip(ours, stock(file, cases), strict=True) if not close(one, other)] == []
    assert outside == ()


def test_integers_numbered_by_counting_give_stock_results(tmp_path: Path) -> None:
    """Whatever range each block brings, downwards, upwards, or too wide to be counted."""
    data = pa.table({"i": [5, 6, 5, 1, 2, 9, 8, -3, -3, 10**12, 4, 5], "n": [3, 3, 3, 2, 2, 2, 1, 1, 1, 7, 7, 7]})
    file = write(data, tmp_path / "integers.parquet")
    kinds: dict[str, dict[str, Any]] = {
        "column_values_to_be_in_set": {"value_set": [1, 2, 5, -3]},
        "column_values_to_not_be_in_set": {"value_set": [7, 10**12]},
        "column_distinct_values_to_equal_set": {"value_set": [1, 2, 3]},
        "column_unique_value_count_to_be_between": {"min_value": 1, "max_value": 3},
        "column_most_common_value_to_be_in_set": {"value_set": [5]},
        "column_kl_divergence_to_be_less_than": {
            "partition_object": {"values": [1, 2, 3, 7], "weights": [0.25] * 4},
            "threshold": 0.1,
        },
    }
    cases = [{"type": kind, "kwargs": {"column": c, **given}} for kind, given in kinds.items() for c in "in"]
    ours, outside = one_pass(file, cases, block_rows=3)
    assert [(one, other) for one, other in zip(ours, stock(file, cases), strict=True) if not close(one, other)] == []
    assert outside == ()


VALUES = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-3, 3)), min_size=1, max_size=25).map(lambda v: pa.array(v, pa.int64())),
    st.lists(st.one_of(st.none(), st.floats(-5, 5), st.just(math.nan)), min_size=1, max_size=25).map(
        lambda v: pa.array(v, pa.float64())
    ),
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "", "ü"])), min_size=1, max_size=25).map(
        lambda v: pa.array(v, pa.string())
    ),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=25).map(lambda v: pa.array(v, pa.bool_())),
)
ON_ANY: list[dict[str, Any]] = [
    {"type": "column_values_to_be_in_set", "kwargs": {"column": "x", "value_set": [0, 1, "a", True]}},
    {"type": "column_values_to_be_between", "kwargs": {"column": "x", "min_value": -1, "max_value": 2}},
    {"type": "column_values_to_not_be_null", "kwargs": {"column": "x"}},
    {"type": "column_values_to_match_regex", "kwargs": {"column": "x", "regex": "^[a1]"}},
    {"type": "column_values_to_be_unique", "kwargs": {"column": "x"}},
    {"type": "column_values_to_be_increasing", "kwargs": {"column": "x"}},
    {"type": "column_median_to_be_between", "kwargs": {"column": "x", "min_value": 0}},
    {"type": "column_max_to_be_between", "kwargs": {"column": "x", "max_value": 1}},
    {"type": "column_unique_value_count_to_be_between", "kwargs": {"column": "x", "max_value": 2}},
]


@settings(max_examples=10, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=VALUES, block_rows=st.integers(1, 30))
def test_any_small_column_gives_stock_results(values: pa.Array, block_rows: int, tmp_path: Path) -> None:
    """Whatever the values, gaps, and blocks."""
    file = write(pa.table({"x": values}), tmp_path / "any.parquet", row_group_size=4)
    ours, _ = one_pass(file, ON_ANY, block_rows=block_rows)
    assert [(one, other) for one, other in zip(ours, stock(file, ON_ANY), strict=True) if not close(one, other)] == []


def test_several_files_are_one_table(tmp_path: Path) -> None:
    """In their order; an integer column with a gap in one file is a column of floats, as pandas concatenates it."""
    parts = [pa.table({"x": [1, 2], "t": ["a", "b"]}), pa.table({"x": [None, 4], "t": ["b", None]})]
    paths = [write(part, tmp_path / f"{n}.parquet") for n, part in enumerate(parts)]
    whole = ParquetTable(paths, plain=True)
    expected = pd.concat([part.to_pandas() for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(whole.frame(["x", "t"]), expected)
    assert whole.take([3, 0])["x"].tolist() == [4.0, 1.0]
    assert [len(block) for block in ParquetTable(paths, block_rows=3).blocks(["x"])] == [3, 1]


def test_a_footer_that_hides_missing_values_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A type was decided by it; nothing that follows could be trusted."""
    monkeypatch.setattr(table, "_footer_nulls", lambda *_: 0)
    with pytest.raises(DataError, match="footer says that none is"):
        list(ParquetTable([path]).blocks(["whole_with_gaps"]))


@pytest.mark.parametrize(("body", "problem"), [(b"no parquet", "cannot be read as Parquet"), (b"", "cannot be read")])
def test_what_is_no_parquet_is_refused(body: bytes, problem: str, tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "bad.parquet"
    file.write_bytes(body)
    with pytest.raises(DataError, match=problem):
        ParquetTable([file])


def test_a_truncated_file_stops_the_validation(path: Path, tmp_path: Path) -> None:
    """Bad bytes met on the way are an error of the data, not a failed expectation."""
    body = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(0).column(0).data_page_offset
    body[start : start + 40] = b"\xff" * 40
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(bytes(body))
    with pytest.raises(DataError):
        one_pass(broken, [BETWEEN], block_rows=7)


def test_rows_are_the_tables(path: Path) -> None:
    """Blocks cover each row once, in order."""
    positions = [block.positions.tolist() for block in ParquetTable([path], block_rows=13).blocks(["whole"])]
    assert [position for one in positions for position in one] == list(range(ROWS))
