"""What a check hands on: a number with its interval, or no value and the reason."""

import math

import pytest

from gatewright.core.checks.inputs import measured
from gatewright.core.results import Interval

INTERVAL = Interval(low=0.1, high=0.3, confidence=0.9, method="exact")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("part", ["value", "low", "high"])
def test_a_value_or_a_bound_that_is_not_finite_is_no_measurement(part: str, bad: float) -> None:
    """A copied interval is not validated again, and NaN would be printed as JSON."""
    value, interval = (bad, INTERVAL) if part == "value" else (0.2, INTERVAL.model_copy(update={part: bad}))
    found = measured("auc", value, interval, 10, note="seen")
    assert (found.value, found.interval, found.note) == (None, None, "undefined on these rows; seen")


def test_a_value_without_an_interval_is_no_measurement() -> None:
    """How sure it is decides."""
    assert measured("auc", 0.2, None, 10).value is None
    assert measured("auc", 0.2, INTERVAL, 10).value == 0.2
