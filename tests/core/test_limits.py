"""How far a value is from the edges of what a rule allows."""

import math

import pytest

from gatewright.core.limits import Limits
from gatewright.core.results import Interval


@pytest.mark.parametrize(
    ("minimum", "maximum", "value", "margin"),
    [
        (None, 0.25, 0.25, 0.0),
        (None, 0.5, 0.75, -0.25),
        (0.5, None, 0.75, 0.25),
        (0.0, 1.0, 0.75, 0.25),
        (0.0, 1.0, -0.5, -0.5),
        (None, None, 3.0, math.inf),
    ],
)
def test_a_margin_is_the_distance_to_the_nearest_edge(
    minimum: float | None, maximum: float | None, value: float, margin: float
) -> None:
    """Beyond an edge it is negative; computed by hand."""
    assert Limits(minimum, maximum).margin(value) == margin


def test_what_is_not_a_number_has_no_margin() -> None:
    """A NaN must not look as if it lay within."""
    assert math.isnan(Limits(0.0, 1.0).margin(math.nan))


def test_an_interval_is_as_far_as_its_worse_end() -> None:
    """[0.2, 0.6] reaches 0.1 beyond 0.5."""
    interval = Interval(low=0.2, high=0.6, confidence=0.9, method="example")
    assert Limits(None, 0.5).margin_of_all(interval) == pytest.approx(-0.1)
