"""``gatewright validate`` works on files alone; its exit code is the verdict."""

import json
import re
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
    """Critical before warning: what was expected, how many rows do not hold, and which values they have."""
    suite = suite_of(
        tmp_path,
        ("column_values_to_not_be_null", "warning", {"column": "name"}),
        ("column_mean_to_be_between", "info", {"column": "age", "max_value": 70}),
        ages("critical"),
    )
    call(app, "--suite", suite, data(tmp_path))
    assert capsys.readouterr().out == (
        "FAILED  people.parquet, 4 rows\n"
        "  0 of 3 expectations hold; 1 critical, 1 warning, 1 info do not.\n"
        "\n"
        "What does not hold\n"
        "critical age: values at most 120\n"
        "         1 of 4 rows (25 %) ███ such as 200\n"
        "warning  name: values never missing\n"
        "         1 of 4 rows (25 %) ███\n"
        "info     age: mean at most 70\n"
        "         72.75, 2.750 too high\n"
        "\n"
        "Next correct the data at their source, or the suite where it asks too much; --report FILE shows the rows.\n"
    )


def test_the_report_shows_what_was_expected_and_found_and_masks_as_the_data_docs_do(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One offline page, named as the next step; values are text, masked ones are nowhere; what holds is listed too."""
    suite = suite_of(
        tmp_path,
        ages("critical"),
        ("column_values_to_be_in_set", "warning", {"column": "name", "value_set": ["ann", "bob"]}),
        ("column_values_to_not_be_null", "info", {"column": "when"}),
    )
    page = tmp_path / "report.html"
    assert call(app, "--suite", suite, data(tmp_path), "--mask", "age", "--report", page) == 2
    assert f"; {page} shows the rows." in capsys.readouterr().out
    html = page.read_text()
    assert re.search(r"<h1><span class=.fail.>FAIL</span> people.parquet</h1>", html)
    for words in ("values at most 120", "1 of 4 rows (25 %)", "values one of ann, bob", "values never missing", "***"):
        assert words in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert ">200<" not in html
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert "://" not in html.replace("http://www.w3.org/2000/svg", "")


def test_values_of_the_data_cannot_move_the_cursor(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are shown as examples of what does not hold."""
    pd.DataFrame({"name": ["ann", "\x1b[2Jevil"]}).to_parquet(tmp_path / "people.parquet")
    suite = suite_of(tmp_path, ("column_values_to_be_in_set", "info", {"column": "name", "value_set": ["ann"]}))
    call(app, "--suite", suite, tmp_path / "people.parquet")
    out = capsys.readouterr().out
    assert "such as [2Jevil" in out
    assert "\x1b" not in out


def test_a_report_that_cannot_be_written_is_an_error(app: App, tmp_path: Path) -> None:
    """With its path, and after the verdict was computed."""
    suite = suite_of(tmp_path, ages("info"))
    with pytest.raises(SpecError, match="cannot be written"):
        call(app, "--suite", suite, data(tmp_path), "--report", tmp_path / "none" / "report.html")


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
