"""Great Expectations decides which expectation holds; nothing that is masked, unknown or unmeasured slips by."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gatewright.core.errors import DataError
from gatewright.core.spec import ModelSpec
from gatewright.core.strict_yaml import parse_yaml
from gatewright.services.expectations import (
    FailedExpectation,
    ValidationOutcome,
    masked_columns_of,
    validate,
    validate_files,
    validation_measurements,
)
from gatewright.services.expectations_masking import MASK, SAMPLE_ROWS, jsonable

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "expectations/crash_triage/evaluation.json"
SPEC = parse_yaml((ROOT / "examples/crash_triage/model.yaml").read_text(), ModelSpec, where="model.yaml")
SECRET = "a-secret-value"


@pytest.fixture
def year() -> pd.DataFrame:
    return pd.read_parquet(ROOT / "examples/crash_triage/data/1999.parquet")


def run(frame: pd.DataFrame, suite: Path = SUITE, **parameters: Any) -> ValidationOutcome:
    return validate(
        frame,
        suite,
        dataset_name="evaluation",
        masked_columns=masked_columns_of(SPEC),
        parameters=parameters or {"period": 1999},
    )


def streamed(frame: pd.DataFrame, folder: Path, suite: Path = SUITE) -> ValidationOutcome:
    """As ``run``, from a Parquet file in one pass."""
    path = folder / "rows.parquet"
    frame.reset_index(drop=True).to_parquet(path, row_group_size=700)
    return validate_files(
        [path],
        suite,
        dataset_name="evaluation",
        masked_columns=masked_columns_of(SPEC),
        parameters={"period": 1999},
        plain=True,
    )


def suite_of(path: Path, *expectations: dict[str, Any]) -> Path:
    file = path / "suite.json"
    file.write_text(json.dumps({"name": "small", "expectations": list(expectations)}))
    return file


def not_null(column: str, severity: str = "critical") -> dict[str, Any]:
    return {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}, "severity": severity}


def failed(outcome: ValidationOutcome) -> set[tuple[str, str]]:
    return {(one.expectation.removeprefix("expect_"), one.column) for one in outcome.summary.failures}


def everything_shown(outcome: ValidationOutcome) -> str:
    pages = [page.decode() for page in outcome.data_docs.values()]
    return "".join([json.dumps(outcome.result), outcome.summary.model_dump_json(), *pages])


def put(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        if isinstance(value, float) and pd.api.types.is_integer_dtype(frame[column]):
            frame[column] = frame[column].astype(float)
        frame.loc[[3, 7], column] = value
        return frame

    return change


BROKEN: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], tuple[str, str]]] = {
    "a category nobody knows": (put("dvcat", "warp"), ("column_values_to_be_in_set", "dvcat")),
    "a missing category": (put("seatbelt", None), ("column_values_to_not_be_null", "seatbelt")),
    "an age out of range": (put("ageOFocc", 7), ("column_values_to_be_between", "ageOFocc")),
    "a car from the future": (put("yearVeh", 2001.0), ("column_values_to_be_between", "yearVeh")),
    "ages that became floats": (put("ageOFocc", 40.0), ("column_values_to_be_of_type", "ageOFocc")),
    "an identifier of another form": (put("caseid", "x"), ("column_values_to_match_regex", "caseid")),
    "a negative weight": (put("weight", -1.0), ("column_values_to_be_between", "weight")),
    "an airbag that deployed but is not there": (
        lambda frame: frame.assign(airbag="none"),
        ("column_pair_values_to_be_in_set", "airbag, abcat"),
    ),
    "an occupant twice": (
        lambda frame: pd.concat([frame, frame.iloc[:1]]),
        ("compound_columns_to_be_unique", "yearacc, caseid, occRole"),
    ),
    "last year's rows": (put("yearacc", 1998), ("column_min_to_be_between", "yearacc")),
    "half the rows lost": (lambda frame: frame.iloc[:1500], ("table_row_count_to_be_between", "")),
    "a column too many": (lambda frame: frame.assign(name="x"), ("table_columns_to_match_set", "")),
    "everybody survives": (lambda frame: frame.assign(dead="alive"), ("column_values_to_not_be_in_set", "dead")),
    "too many die": (
        lambda frame: frame.assign(dead=["dead", *["alive"] * 4] * 903 + ["dead"]),
        ("column_values_to_be_in_set", "dead"),
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_data_fail_the_critical_expectation_that_is_about_them(fault: str, year: pd.DataFrame) -> None:
    """Each fault is found by the expectation written for it, and blocks."""
    change, expected = BROKEN[fault]
    outcome = run(change(year))
    critical = {
        (one.expectation.removeprefix("expect_"), one.column)
        for one in outcome.summary.failures
        if one.severity == "critical"
    }
    assert expected in critical


@pytest.mark.parametrize("fault", ["a missing category", "an occupant twice", "a column too many", "last year's rows"])
def test_the_one_pass_gives_the_evidence_that_pandas_gives(fault: str, year: pd.DataFrame, tmp_path: Path) -> None:
    """Summary, sampled rows, masks and Great Expectations' result are the same; only the engine's name differs."""
    broken = BROKEN[fault][0](year)
    plain, one_pass = run(broken), streamed(broken, tmp_path)
    other = {"engine": "pandas", "outside": ()}
    assert one_pass.summary.model_copy(update=other) == plain.summary
    assert one_pass.result["results"] == plain.result["results"]
    assert one_pass.data_docs == plain.data_docs


def test_the_evidence_says_what_was_computed_outside_the_pass(year: pd.DataFrame, tmp_path: Path) -> None:
    """Nothing for the good year; for rows that occur twice, the search for them."""
    assert streamed(year, tmp_path).summary.outside == ()
    twice = streamed(pd.concat([year, year.iloc[:1]]), tmp_path)
    assert "compound_columns.unique.condition of yearacc, caseid, occRole" in twice.summary.outside
    assert twice.result["outside_the_pass"] == list(twice.summary.outside)
    assert twice.result["engine"] == "onepass"


def test_a_file_without_rows_is_refused(year: pd.DataFrame, tmp_path: Path) -> None:
    """As a frame without rows is."""
    with pytest.raises(DataError, match="no rows"):
        streamed(year.iloc[:0], tmp_path)


def test_an_outlier_is_only_a_warning(year: pd.DataFrame) -> None:
    """An age of 112 is possible, and worth a look."""
    outcome = run(put("ageOFocc", 112)(year))
    assert outcome.summary.failed["critical"] == 0
    assert ("column_value_z_scores_to_be_less_than", "ageOFocc") in failed(outcome)
    assert outcome.summary.failed["warning"] == 1


def test_a_failure_says_what_was_found_where(year: pd.DataFrame) -> None:
    """Count, percentage and failing rows are those of the data."""
    failure = next(one for one in run(put("dvcat", "warp")(year)).summary.failures if one.column == "dvcat")
    assert failure.unexpected_count == 2
    assert failure.unexpected_percent == pytest.approx(100 * 2 / len(year))
    assert [row["dvcat"] for row in failure.sample] == ["warp", "warp"]
    assert failure.sample[0]["weight"] == year["weight"].iloc[3]


def test_failing_rows_show_no_sensitive_value_and_no_identifier(year: pd.DataFrame) -> None:
    """Sex, age and case are masked in every sampled row."""
    rows = [row for one in run(put("dvcat", "warp")(year)).summary.failures for row in one.sample]
    assert rows
    assert {row[name] for row in rows for name in ("sex", "ageOFocc", "caseid")} == {MASK}


@pytest.mark.parametrize("column", ["sex", "caseid"])
def test_an_unexpected_value_of_a_masked_column_is_nowhere_in_the_evidence(column: str, year: pd.DataFrame) -> None:
    """Not in the summary, not in Great Expectations' result, not in the Data Docs."""
    outcome = run(put(column, SECRET)(year))
    assert any(one.column == column for one in outcome.summary.failures)
    assert SECRET not in everything_shown(outcome)


def test_a_masked_extreme_is_nowhere_in_the_evidence(tmp_path: Path, year: pd.DataFrame) -> None:
    """The maximum of a column is one person's value."""
    maximum = {
        "type": "expect_column_max_to_be_between",
        "kwargs": {"column": "ageOFocc", "max_value": 1},
        "severity": "info",
    }
    outcome = run(put("ageOFocc", 98765)(year), suite_of(tmp_path, maximum))
    assert outcome.summary.failures[0].observed == MASK
    assert "98765" not in everything_shown(outcome)


def test_a_value_of_a_masked_column_quoted_by_an_exception_is_hidden(tmp_path: Path, year: pd.DataFrame) -> None:
    """Comparing text with a number raises, and the message may quote the text."""
    mean = {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "sex", "max_value": 1}, "severity": "info"}
    outcome = run(put("sex", SECRET)(year), suite_of(tmp_path, mean))
    assert outcome.summary.failures[0].exception
    assert SECRET not in everything_shown(outcome)


def test_at_most_twenty_failing_rows_are_sampled(year: pd.DataFrame) -> None:
    """Evidence stays small however much fails."""
    outcome = run(year.assign(dvcat="warp"))
    failure = next(one for one in outcome.summary.failures if one.column == "dvcat")
    assert failure.unexpected_count == len(year)
    assert len(failure.sample) == SAMPLE_ROWS


def test_an_expectation_that_raised_counts_as_critical_and_is_named(tmp_path: Path, year: pd.DataFrame) -> None:
    """A rule that could not be measured never passes, however mild it was meant to be."""
    outcome = run(year.drop(columns="weight"), suite_of(tmp_path, not_null("weight", "info"), not_null("sex")))
    assert outcome.summary.failed == {"critical": 1, "warning": 0, "info": 0}
    measured = {one.metric: one for one in validation_measurements(outcome, "evaluation")}
    assert measured["failed_critical_expectations"].value == 1
    assert measured["failed_critical_expectations"].note == "expect_column_values_to_not_be_null (weight) raised"
    assert outcome.summary.failures[0].exception == "the column `weight` is missing"


def test_measurements_are_exact_counts(year: pd.DataFrame) -> None:
    """They have no interval, because nothing was estimated."""
    outcome = run(year)
    measured = {one.metric: one for one in validation_measurements(outcome, "evaluation")}
    expectations = json.loads(SUITE.read_text())["expectations"]
    assert measured["expectations_evaluated"].value == len(expectations)
    assert measured["rows"].value == len(year)
    assert measured["failed_critical_expectations"].value == 0
    assert all(one.interval is None and one.slice == "evaluation" for one in measured.values())


def test_a_frame_without_rows_is_refused(year: pd.DataFrame) -> None:
    """Great Expectations would say that all of its values are as expected."""
    with pytest.raises(DataError, match="no rows"):
        run(year.iloc[:0])


def test_validation_leaves_the_frame_as_it_was(year: pd.DataFrame) -> None:
    """Stages share nothing through the data."""
    before = copy.deepcopy(year)
    run(year)
    pd.testing.assert_frame_equal(year, before)


def test_equal_data_give_equal_evidence(year: pd.DataFrame) -> None:
    """Order, times and identities of a run do not enter the result."""
    first, second = run(put("dvcat", "warp")(year)), run(put("dvcat", "warp")(year))
    assert json.dumps(first.result) == json.dumps(second.result)
    assert first.summary.digest == second.summary.digest


def test_data_docs_need_no_network_and_run_no_script(year: pd.DataFrame) -> None:
    """Values are escaped, nothing is loaded, and the page forbids scripts."""
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    page = run(put("dvcat", hostile)(year)).data_docs["index.html"].decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page


def test_data_docs_name_every_column_and_the_verdict(year: pd.DataFrame) -> None:
    """The page can be read without the data."""
    page = run(put("dvcat", "warp")(year)).data_docs["index.html"].decode()
    assert all(name in page for name in year.columns)
    assert "Unsuccessful Expectations" in page
    assert "warp" in page


def test_the_masked_columns_of_the_example_are_its_sensitive_ones_and_the_case() -> None:
    """`occRole` and `yearacc` are part of the key, but identify nobody."""
    assert masked_columns_of(SPEC) == ("sex", "ageOFocc", "caseid")


def test_a_failed_expectation_survives_its_canonical_form(year: pd.DataFrame) -> None:
    """What is stored can be read back unchanged."""
    failure = run(put("dvcat", "warp")(year)).summary.failures[0]
    assert FailedExpectation.from_bytes(failure.to_bytes(), where="here") == failure


def test_values_without_a_json_form_become_none_or_text() -> None:
    """NaN and infinities have no JSON form and must not stop the evidence."""
    assert jsonable({"a": float("nan"), "b": [float("inf"), pd.Timestamp("1999-01-01")], "c": pd.NA}) == {
        "a": None,
        "b": [None, "1999-01-01T00:00:00"],
        "c": None,
    }
