"""How far values are from their limits is drawn with what is furthest beyond first, whichever side the limit is on."""

from xml.etree import ElementTree

import pytest

from gatewright.core.results import CheckResult, Interval, Severity, Status
from gatewright.services.reports.limits_chart import limits_chart
from gatewright.services.reports.svg import BAD, alt
from tests.services.reports.pages import HOSTILE


def result(
    rule: str, value: float | None, status: Status = Status.PASSED, *, slice_name: str = "all", **limits: float
) -> CheckResult:
    """With an interval of 0.01 to each side."""
    interval = None if value is None else Interval(low=value - 0.01, high=value + 0.01, confidence=0.9, method="x")
    return CheckResult(
        rule=rule, stage="s", metric=rule, slice=slice_name, value=value, interval=interval,
        minimum=limits.get("minimum"), maximum=limits.get("maximum"), n=9, status=status, severity=Severity.WARN,
        reason="r",
    )  # fmt: skip


def places(svg: str | None) -> list[float]:
    """Where the dots are, from -1 to 1 with the limit at 0, in the order of the lines."""
    assert svg is not None
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}circle")
    return [round((float(dot.attrib["cx"]) - 390) / 100, 2) for dot in found]


def test_beyond_a_maximum_or_a_minimum_lies_on_the_left() -> None:
    """0.5 where 0.25 is allowed is one limit beyond it; 0.9 where 0.5 is asked is 0.4 of it inside."""
    svg = limits_chart(
        [result("auc", 0.9, minimum=0.5), result("psi", 0.5, Status.FAILED, maximum=0.25)],
    )
    assert places(svg) == [round(-0.25 / (1.05 * 0.26), 2), round(0.4 / (1.05 * 0.5), 2)]
    assert alt(str(svg)).index("PSI: 0.500 0.250 over 0.25") < alt(str(svg)).index("AUC: 0.900")
    assert BAD in str(svg)


def test_of_each_rule_the_slice_with_the_least_room_is_drawn() -> None:
    """One line a rule: forty features that are well would hide the one that is not."""
    svg = limits_chart(
        [result("psi", value, slice_name=name, maximum=0.25) for name, value in (("a", 0.1), ("b", 0.2))]
    )
    assert "PSI, b: 0.200 at most 0.25" in alt(str(svg))
    assert "PSI, a" not in str(svg)


@pytest.mark.parametrize("value", [0.15, 0.4])
def test_a_range_has_an_edge_on_both_sides(value: float) -> None:
    """Its middle lies on the right, what is above or below it on the left."""
    assert (places(limits_chart([result("rate", value, minimum=0.1, maximum=0.3)]))[0] > 0) == (value == 0.15)


def test_without_a_value_there_is_no_chart() -> None:
    """And no line: nothing is drawn at zero as if it had been measured."""
    assert limits_chart([result("psi", None, Status.ERROR, maximum=0.25)]) is None
    assert limits_chart([]) is None
    assert len(places(limits_chart([result("psi", None, maximum=1.0), result("auc", 0.8, minimum=0.5)]))) == 1


def test_a_limit_of_zero_and_a_huge_value_are_drawn_within_the_panel() -> None:
    """Nothing allowed and nothing found lies on the limit."""
    assert places(limits_chart([result("found", 0.0, maximum=0.0)])) == [0.0]
    assert places(limits_chart([result("bytes", 1e300, Status.FAILED, maximum=5e7)])) == [-0.95]


def test_a_hostile_slice_stays_text() -> None:
    """The drawing is well-formed XML with no element of theirs."""
    svg = limits_chart([result("psi", 0.2, slice_name=HOSTILE, maximum=0.25)])
    assert "script" not in {element.tag.split("}")[1] for element in ElementTree.fromstring(str(svg)).iter()}
