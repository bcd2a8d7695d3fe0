"""``gatewright validate`` works on files alone; its exit code is the verdict."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cyclopts import App

from gatewright.cli.validate import validate
from gatewright.core.errors import DataError, SpecError

ROWS = pd.DataFrame(
    {
        "age": [20, 30, 200, 41],
        "name": ["ann", "bob", None, "<b>"],
        "when": ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"],
    }
)


@pytest.fixture
def app() -> App:
    app = App()
    app.command(validate)
    return app


def suite_of(path: Path, *expectations: tuple[str, str, dict[str, Any]]) -> Path:
    file = path / "suite.json"
    entries = [
        {"type": f"expect_{kind}", "severity": one, "kwargs": arguments} for kind, one, arguments in expectations
    ]
    file.write_text(json.dumps({"name": "small", "expectations": entries}))
    return file


def ages(severity: str, most: Any = 120) -> tuple[str, str, dict[str, Any]]:
    return "column_values_to_be_between", severity, {"column": "age", "max_value": most}


def data(path: Path, kind: str = "parquet") -> Path:
    file = path / f"people.{kind}"
    if kind == "csv":
        ROWS.to_csv(file, index=False)
    else:
        ROWS.to_parquet(file)
    return file


def call(app: App, *arguments: object) -> Any:
    return app(["validate", *map(str, arguments)], exit_on_error=False, result_action="return_value")


@pytest.mark.parametrize(("severity", "code"), [("critical", 2), ("warning", 0), ("info", 0)])
def test_only_a_failed_critical_expectation_blocks(severity: str, code: int, app: App, tmp_path: Path) -> None:
    """Exit code 2; others are shown and pass."""
    assert call(app, "--suite", suite_of(tmp_path, ages(severity)), data(tmp_path)) == code


def test_an_expectation_that_raised_blocks(app: App, tmp_path: Path) -> None:
    """However mild it was meant to be."""
    suite = suite_of(tmp_path, ("column_values_to_not_be_null", "info", {"column": "nobody"}))
    assert call(app, "--suite", suite, data(tmp_path)) == 2


@pytest.mark.parametrize("engine", ["onepass", "gx"])
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_json_holds_great_expectations_result_and_our_status(
    engine: str, kind: str, app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same from either engine and either kind of file."""
    suite = suite_of(
        tmp_path,
        ages("critical"),
        ("column_values_to_not_be_null", "warning", {"column": "name"}),
        ("column_values_to_match_strftime_format", "info", {"column": "when", "strftime_format": "%Y-%m-%d"}),
    )
    assert call(app, "--suite", suite, data(tmp_path, kind), "--engine", engine, "--json") == 2
    shown = json.loads(capsys.readouterr().out)
    assert shown["status"] == "failed"
    assert shown["rows"] == 4
    assert shown["failed"] == {"critical": 1, "warning": 1, "info": 0}
    assert shown["engine"] == {"onepass": "onepass", "gx": "pandas"}[engine]
    assert shown["outside_the_pass"] == []
    results = {one["expectation_config"]["type"]: one for one in shown["result"]["results"]}
    assert [one["success"] for one in results.values()].count(True) == 1
    assert results["expect_column_values_to_be_between"]["result"]["partial_unexpected_list"] == [200]
    assert results["expect_column_values_to_not_be_null"]["result"]["unexpected_percent"] == 25.0


def test_people_read_the_verdict_first_then_the_worst(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Critical before warning, with counts and percentages."""
    suite = suite_of(tmp_path, ("column_values_to_not_be_null", "warning", {"column": "name"}), ages("critical"))
    call(app, "--suite", suite, data(tmp_path))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAILED  people.parquet  4 rows")
    rows = [line for line in lines if line.startswith(("critical", "warning"))]
    assert [row.split()[0] for row in rows] == ["critical", "warning"]
    assert rows[0].split()[-3:] == ["1", "25", "%"]


def test_parameters_fill_the_suite(app: App, tmp_path: Path) -> None:
    """A number is a number."""
    suite = suite_of(tmp_path, ages("critical", {"$PARAMETER": "oldest"}))
    assert call(app, "--suite", suite, data(tmp_path), "--parameter", "oldest=200") == 0
    assert call(app, "--suite", suite, data(tmp_path), "--parameter", "oldest=199") == 2
    with pytest.raises(SpecError, match="a name and a value"):
        call(app, "--suite", suite, data(tmp_path), "--parameter", "oldest")


def test_masked_columns_are_not_shown(app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their values are nowhere in the output."""
    suite = suite_of(tmp_path, ages("critical"))
    call(app, "--suite", suite, data(tmp_path), "--mask", "age", "--json")
    assert json.loads(capsys.readouterr().out)["result"]["results"][0]["result"]["partial_unexpected_list"] == ["***"]


def test_a_file_that_is_not_there_is_an_error(app: App, tmp_path: Path) -> None:
    """The command line turns it into exit code 1."""
    with pytest.raises(DataError):
        call(app, "--suite", suite_of(tmp_path, ages("critical")), tmp_path / "none.parquet")
    with pytest.raises(DataError):
        call(app, "--suite", suite_of(tmp_path, ages("critical")), tmp_path / "none.csv")
