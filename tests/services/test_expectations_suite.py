"""A suite is read strictly: Great Expectations would log a mistake, drop the expectation, and report success."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatewright.core.errors import SpecError
from gatewright.services.expectations_suite import read_suite

EXAMPLE = Path(__file__).parents[2] / "expectations/crash_triage/evaluation.json"


def suite_of(path: Path, *expectations: dict[str, Any]) -> Path:
    file = path / "suite.json"
    file.write_text(json.dumps({"name": "small", "expectations": list(expectations)}))
    return file


def not_null(column: str, severity: str = "critical") -> dict[str, Any]:
    return {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}, "severity": severity}


def test_a_suite_keeps_every_expectation_with_its_severity(tmp_path: Path) -> None:
    """Nothing is dropped, merged or made milder."""
    suite = read_suite(suite_of(tmp_path, not_null("a"), not_null("b", "info")), {})
    assert [(one.column, one.severity.value) for one in suite.expectations] == [("a", "critical"), ("b", "info")]


SUITE_FAULTS: dict[str, tuple[str, str]] = {
    "not JSON": ("{", "not valid JSON"),
    "a list": ("[]", "not a suite"),
    "no name": ('{"expectations": []}', "not a suite"),
    "no expectations": ('{"name": "s", "expectations": []}', "would check nothing"),
    "NaN": ('{"name": "s", "expectations": [{"type": "t", "kwargs": {"a": NaN}}]}', "`NaN`"),
    "a key twice": ('{"name": "s", "name": "t", "expectations": []}', "`name` stands twice"),
    "an unknown key": ('{"name": "s", "expectation": [], "expectations": [1]}', "unknown key `expectation`"),
}


@pytest.mark.parametrize("fault", SUITE_FAULTS)
def test_a_file_that_is_no_suite_is_refused(fault: str, tmp_path: Path) -> None:
    """The error names the file."""
    text, problem = SUITE_FAULTS[fault]
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_suite(path, {})
    assert problem in caught.value.problem
    assert caught.value.where == str(path)


EXPECTATION_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown type": ({"type": "expect_nonsense", "kwargs": {}, "severity": "critical"}, "expect_nonsense not found"),
    "misspelt argument": (
        {**not_null("sex"), "kwargs": {"column": "sex", "mosty": 1}},
        "extra fields not permitted",
    ),
    "misspelt severity": (not_null("sex", "critcal"), "`severity` must be one of"),
    "misspelt key": ({**not_null("sex"), "severitty": "info"}, "unknown key `severitty`"),
    "no column": ({**not_null("sex"), "kwargs": {}}, "field required"),
    "no type": ({"kwargs": {}, "severity": "info"}, "needs a `type`"),
    "said twice": (not_null("dead", "info"), "repeats expectation 1"),
}


@pytest.mark.parametrize("fault", EXPECTATION_FAULTS)
def test_a_wrong_expectation_is_refused_not_dropped(fault: str, tmp_path: Path) -> None:
    """Great Expectations would log it, drop it, and report success."""
    expectation, problem = EXPECTATION_FAULTS[fault]
    path = suite_of(tmp_path, not_null("dead"), expectation)
    with pytest.raises(SpecError) as caught:
        read_suite(path, {})
    assert problem in caught.value.problem
    assert caught.value.where == f"{path}, expectation 2"


def test_a_suite_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(SpecError, match="cannot read the suite"):
        read_suite(tmp_path / "none.json", {})


def test_a_parameter_that_is_not_given_is_named() -> None:
    """The freshness of the time column needs the period."""
    with pytest.raises(SpecError, match="`period` is not given; given: year"):
        read_suite(EXAMPLE, {"year": 1999})
