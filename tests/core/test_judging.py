"""A rule passes only on a whole interval; nothing passes silently."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.judging import Limits, judge, judge_rule, verdict
from gatewright.core.results import Interval, Status
from tests.core.examples import measured, policy, rule


def status_of(measurement, **changes):
    (result,) = judge_rule(policy(), rule(**changes), [measurement], has_champion=True)
    return result.status


def test_passes_when_the_whole_interval_respects_the_minimum():
    """0.80 [0.76, 0.84] is certainly at least 0.75."""
    assert status_of(measured(0.80, 0.76, 0.84)) is Status.PASSED


def test_is_inconclusive_when_the_interval_crosses_the_minimum():
    """0.80 [0.74, 0.86] may be below 0.75: too little data to tell."""
    assert status_of(measured(0.80, 0.74, 0.86)) is Status.INCONCLUSIVE


def test_fails_when_the_value_itself_is_below_the_minimum():
    """0.70 is no pass, however wide its interval."""
    assert status_of(measured(0.70, 0.60, 0.90)) is Status.FAILED


def test_a_maximum_is_judged_by_the_upper_bound():
    """A gap of 0.2 [0.1, 0.4] is not shown to be at most 0.35."""
    limits = {"minimum": None, "maximum": 0.35}
    assert status_of(measured(0.2, 0.1, 0.4), **limits) is Status.INCONCLUSIVE
    assert status_of(measured(0.2, 0.1, 0.3), **limits) is Status.PASSED


def test_a_value_that_could_not_be_measured_never_passes():
    """None is inconclusive and carries the measurement's own explanation."""
    (result,) = judge_rule(policy(), rule(), [measured(None, note="one class only")], has_champion=True)
    assert result.status is Status.INCONCLUSIVE
    assert "one class only" in result.reason


def test_a_rule_without_any_measurement_is_an_error():
    """A stage that forgot a metric does not let it pass."""
    (result,) = judge_rule(policy(), rule(), [], has_champion=True)
    assert result.status is Status.ERROR


def test_a_rule_on_an_interval_is_an_error_without_one():
    """A bare number cannot show certainty."""
    assert status_of(measured(0.99)) is Status.ERROR


def test_a_rule_on_the_value_needs_no_interval():
    """Exact counts have no sampling error."""
    assert status_of(measured(0.99), decide_on="value") is Status.PASSED


def test_too_few_rows_are_inconclusive_even_when_the_value_is_fine():
    """Support comes before the value."""
    assert status_of(measured(0.9, 0.8, 1.0, n=5), minimum_n=30) is Status.INCONCLUSIVE


def test_each_slice_gets_its_own_result():
    """`each` speaks of every slice but the whole."""
    slices = [measured(0.9, 0.8, 1.0), measured(0.9, 0.8, 1.0, slice="sex"), measured(0.5, 0.4, 0.6, slice="age")]
    results = judge_rule(policy(), rule(slices="each"), slices, has_champion=True)
    assert {r.slice: r.status for r in results} == {"sex": Status.PASSED, "age": Status.FAILED}


def test_a_comparison_without_a_champion_is_inconclusive():
    """A first release has nothing to compare with, and that is said."""
    (result,) = judge_rule(policy(), rule(needs_champion=True), [], has_champion=False)
    assert result.status is Status.INCONCLUSIVE
    assert "no champion" in result.reason


def test_only_measurements_of_the_rules_stage_count():
    """A metric of the same name from another stage is not evidence."""
    (result,) = judge(policy(), [("drift", measured(0.9, 0.8, 1.0))], has_champion=True)
    assert result.status is Status.ERROR


@pytest.mark.parametrize("decide_on", ["value", "interval"])
def test_nan_never_passes(decide_on):
    """NaN compares false with everything; it must not slip through."""
    status, _ = verdict(Limits(None, 0.5), math.nan, None, decide_on=decide_on)
    assert status is Status.ERROR


unit = st.floats(0, 1)


@given(st.tuples(unit, unit, unit).map(sorted), unit, unit)
def test_worse_evidence_never_turns_a_no_into_a_pass(bounds, limit, shift):
    """Lowering value and interval under a minimum can only lose a pass."""
    low, value, high = bounds
    limits = Limits(limit, None)

    def status(by):
        interval = Interval(low=low - by, high=high - by, confidence=0.9, method="test")
        return verdict(limits, value - by, interval, decide_on="interval")[0]

    if status(shift) is Status.PASSED:
        assert status(0.0) is Status.PASSED


@given(st.tuples(unit, unit, unit).map(sorted), unit)
def test_a_wider_interval_never_turns_a_no_into_a_pass(bounds, limit):
    """Less certainty can only lose a pass."""
    low, value, high = bounds
    narrow = Interval(low=low, high=high, confidence=0.9, method="test")
    wide = Interval(low=low - 0.1, high=high + 0.1, confidence=0.9, method="test")
    limits = Limits(limit, None)
    if verdict(limits, value, wide, decide_on="interval")[0] is Status.PASSED:
        assert verdict(limits, value, narrow, decide_on="interval")[0] is Status.PASSED
