"""Numbers and names are written alike on every page."""

from datetime import timedelta

import pytest

from gatewright.core.results import CheckResult, Interval, Severity, Status
from gatewright.services.reports.wording import label, lasting, limit, number, short, shortfall, signed, span
from tests.services.reports.example_view import example_view


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.8584, "0.858"),
        (0.00042, "0.00042"),
        (0.0000943, "0.000094"),
        (1.2e-9, "1.2e-09"),
        (-0.0121, "-0.012"),
        (12.34, "12.3"),
        (26217.0, "26,217"),
        (float("nan"), "not a number"),
    ],
)
def test_a_number_is_written_with_the_digits_that_matter(value: float | None, written: str) -> None:
    """Shares get three decimals, counts none, and what was not measured is a dash."""
    assert number(value) == written


@pytest.mark.parametrize(("value", "written"), [(0.03, "+0.030"), (-0.03, "-0.030"), (0.0, "0"), (None, "–")])
def test_a_change_is_written_with_its_sign(value: float | None, written: str) -> None:
    """A gain is told from a level by its plus."""
    assert signed(value) == written


def test_an_interval_is_written_in_brackets_and_its_lack_as_a_dash() -> None:
    """Exact counts have no interval."""
    assert span(Interval(low=0.1, high=0.25, confidence=0.9, method="example")) == "[0.100, 0.250]"
    assert span(None) == "–"


def test_a_metric_is_written_in_words() -> None:
    """Acronyms keep their capitals."""
    assert label("auc_change") == "AUC change"
    assert label("equal_opportunity_difference") == "equal opportunity difference"
    assert label("worst_changes_found") == "slices that got worse"


def test_a_digest_is_recognised_by_its_first_twelve_digits() -> None:
    """Full digests stand in their own table."""
    assert short("ab" * 32) == "abababababab"
    assert short(None) == "–"


@pytest.mark.parametrize(
    ("minimum", "maximum", "written"),
    [(0.75, None, "at least 0.75"), (None, 50_000_000, "at most 50,000,000"), (0.1, 0.3, "0.1 to 0.3")],
)
def test_a_limit_is_written_without_exponents(minimum: float | None, maximum: float | None, written: str) -> None:
    """Fifty million bytes are not 5e+07 to a reader."""
    decision = example_view().decision
    assert decision is not None
    result = decision.results[0].model_copy(update={"minimum": minimum, "maximum": maximum})
    assert limit(result) == written


def result(
    value: float | None, interval: tuple[float, float] | None, minimum: float | None, maximum: float | None
) -> CheckResult:
    ends = interval and Interval(low=interval[0], high=interval[1], confidence=0.9, method="example")
    return CheckResult(
        rule="rule",
        stage="evaluate",
        metric="auc",
        slice="all",
        value=value,
        interval=ends,
        minimum=minimum,
        maximum=maximum,
        n=100,
        status=Status.FAILED,
        severity=Severity.BLOCK,
        reason="",
    )


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (result(0.41, (0.36, 0.46), None, 0.25), "0.160 over the limit of 0.25"),
        (result(0.7, (0.6, 0.8), 0.75, None), "0.050 below the limit of 0.75"),
        (result(0.042, (0.022, 0.062), None, 0.05), "may be 0.012 over the limit of 0.05"),
        (result(0.8, (0.7, 0.9), 0.75, None), "may be 0.050 below the limit of 0.75"),
        (result(0.3, (0.05, 0.4), 0.1, 0.5), "may be 0.050 below the limit of 0.1"),
        (result(3, None, None, 0), "none is allowed"),
        (result(60_000_000, None, None, 50_000_000), "10,000,000 over the limit of 50,000,000"),
        (result(0.1, (0.0, 0.2), None, 0.25), ""),
        (result(None, None, None, 0.25), ""),
    ],
)
def test_a_shortfall_is_the_distance_to_the_limit_in_the_metrics_unit(given: CheckResult, written: str) -> None:
    """Of the value, or of the end of the interval that reaches beyond; computed by hand."""
    assert shortfall(given) == written


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"seconds": 0.4}, "0 s"),
        ({"seconds": 59}, "59 s"),
        ({"seconds": 3599}, "59 min"),
        ({"hours": 2, "minutes": 5}, "2 h 5 min"),
        ({"days": 1}, "1 day"),
        ({"days": 40, "hours": 3, "minutes": 9}, "40 days 3 h"),
        ({"seconds": -3}, "0 s"),
    ],
)
def test_a_time_is_written_in_its_largest_unit_and_the_next(given: dict[str, float], written: str) -> None:
    """Clocks that differ a little give no negative time."""
    assert lasting(timedelta(**given)) == written
