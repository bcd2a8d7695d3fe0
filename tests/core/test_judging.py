"""A rule passes only on a whole interval; nothing passes silently."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.judging import Limits, judge, judge_rule, judge_rules, verdict
from gatewright.core.policy import default_rules
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


def compared(test, **changes):
    """A rule with a test of the change to the champion."""
    return rule(minimum=None, test=test, **changes)


def change(value, low, high, **changes):
    return measured(value, low, high, metric="auc_change", **changes)


@pytest.mark.parametrize(
    ("terms", "measurement", "status"),
    [
        (compared("superiority"), change(0.02, 0.01, 0.03), Status.PASSED),
        (compared("superiority"), change(0.0, 0.0, 0.0), Status.FAILED),
        (compared("superiority"), change(0.02, -0.01, 0.05), Status.INCONCLUSIVE),
        (compared("superiority", minimum_effect=0.015), change(0.02, 0.01, 0.03), Status.INCONCLUSIVE),
        (compared("superiority", minimum_effect=0.015), change(0.02, 0.016, 0.024), Status.PASSED),
        (compared("non_inferiority", margin=0.01), change(-0.003, -0.007, 0.001), Status.PASSED),
        (compared("non_inferiority", margin=0.01), change(-0.02, -0.023, -0.017), Status.FAILED),
        (compared("non_inferiority", margin=0.01), change(-0.02, -0.05, 0.01), Status.INCONCLUSIVE),
        (compared("equivalence", margin=0.01), change(0.001, -0.004, 0.006), Status.PASSED),
        (compared("equivalence", margin=0.01), change(0.02, 0.016, 0.024), Status.FAILED),
        (compared("equivalence", margin=0.01), change(0.001, -0.02, 0.006), Status.INCONCLUSIVE),
    ],
)
def test_a_test_of_the_change_is_decided_by_its_interval(terms, measurement, status):
    """Better by more than asked, not worse by the margin, neither: each by the whole interval."""
    (result,) = judge_rule(policy(), terms, [measurement], has_champion=True)
    assert result.status is status


def test_a_result_says_what_was_tested_and_what_could_have_been_seen():
    """Change -0.02 [-0.05, 0.01] of 1000 rows: se 0.0182, smallest effect 0.0453, so 20 600 rows for 0.01."""
    terms = compared("non_inferiority", margin=0.01)
    (result,) = judge_rule(policy(), terms, [change(-0.02, -0.05, 0.01)], has_champion=True)
    assert result.test == "non-inferiority: auc_change is above -0.01, one-sided at 0.05"
    assert (result.minimum, result.maximum) == (-0.01, None)
    assert result.p_value == pytest.approx(0.708, abs=1e-3)
    assert result.smallest_effect == pytest.approx(0.04535, abs=1e-5)
    assert result.n_needed == 20567
    assert "about 20567 rows are needed" in result.reason


def test_a_comparison_needs_a_champion_without_saying_so():
    """A test of the change is one with the champion, whatever `needs_champion` says."""
    (result,) = judge_rule(policy(), compared("superiority"), [], has_champion=False)
    assert result.status is Status.INCONCLUSIVE


def test_an_interval_of_too_little_confidence_is_an_error():
    """An 80 % interval cannot show what alpha 0.05 asks for."""
    short = measured(0.8).model_copy(
        update={"interval": Interval(low=0.78, high=0.82, confidence=0.8, method="test")},
    )
    assert status_of(short) is Status.ERROR


def test_fewer_rows_than_the_minimum_support_are_inconclusive():
    """The policy's support holds for every rule on an interval that does not say what is enough for it."""
    assert status_of(measured(0.9, 0.85, 0.95, n=29)) is Status.INCONCLUSIVE
    assert status_of(measured(0.9, 0.85, 0.95, n=29), minimum_n=20) is Status.PASSED


def family(multiplicity, *slices, **changes):
    """Statuses of a rule `at least 0.75` on slices given as (value, half width)."""
    terms = rule(slices="each", multiplicity=multiplicity, severity="warn", **changes)
    found = [
        measured(value, value and value - half, value and value + half, slice=f"s{k}")
        for k, (value, half) in enumerate(slices)
    ]
    return [result.status for result in judge_rule(policy(), terms, found, has_champion=True)]


def test_holm_calls_harm_only_what_is_shown_over_all_slices():
    """A bound just beyond the limit is harm when looked at alone, and may be chance among ten slices."""
    clearly, barely, fine = (0.6, 0.05), (0.7, 0.049), (0.9, 0.05)
    assert family("holm", barely) == [Status.FAILED]
    assert family("holm", barely, *[fine] * 9)[0] is Status.INCONCLUSIVE
    assert family("holm", clearly, *[fine] * 9)[0] is Status.FAILED
    assert family("intersection_union", barely, *[fine] * 9)[0] is Status.FAILED


def test_no_evidence_of_harm_is_no_pass():
    """A value within the limit passes where harm of `minimum_effect` would have been seen, and only there."""
    close = (0.76, 0.02)
    assert family("intersection_union", close) == [Status.INCONCLUSIVE]
    assert family("holm", close) == [Status.INCONCLUSIVE]
    assert family("holm", close, minimum_effect=0.04) == [Status.PASSED]
    assert family("holm", (0.76, 0.1), minimum_effect=0.04) == [Status.INCONCLUSIVE]
    assert family("holm", *[close] * 100, minimum_effect=0.04)[0] is Status.INCONCLUSIVE


def test_a_slice_that_could_not_be_measured_counts_in_the_family():
    """It cannot pass, and it costs the others what any slice costs."""
    barely = (0.7, 0.049)
    assert family("holm", barely, (None, 0)) == [Status.INCONCLUSIVE, Status.INCONCLUSIVE]


MULTIPLICITIES = ["intersection_union", "holm", "benjamini_hochberg"]
slice_lists = st.lists(st.tuples(st.floats(0.5, 1), st.floats(0.001, 0.2)), min_size=1, max_size=6)


@given(st.sampled_from(MULTIPLICITIES), slice_lists, st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_worse_or_wider_slice_never_turns_a_no_into_a_pass(multiplicity, slices, worse, wider):
    """Whatever happens to one slice for the worse, no slice passes that did not pass before."""
    (value, half), *others = slices
    before = family(multiplicity, *slices, minimum_effect=0.05)
    after = family(multiplicity, (value - worse, half + wider), *others, minimum_effect=0.05)
    assert all(b is Status.PASSED for b, a in zip(before, after, strict=True) if a is Status.PASSED)


@given(st.sampled_from(MULTIPLICITIES), slice_lists, st.sampled_from([(None, 0), (0.76, 0.2), (0.5, 0.2)]))
def test_one_more_doubtful_slice_never_turns_a_no_into_a_pass(multiplicity, slices, doubtful):
    """Looking at more never helps."""
    before = family(multiplicity, *slices, minimum_effect=0.05)
    after = family(multiplicity, *slices, doubtful, minimum_effect=0.05)[:-1]
    assert all(b is Status.PASSED for b, a in zip(before, after, strict=True) if a is Status.PASSED)


@given(st.sampled_from(MULTIPLICITIES), slice_lists)
def test_the_order_of_slices_changes_no_result(multiplicity, slices):
    """Each slice has the result it has in any order."""
    terms = rule(slices="each", multiplicity=multiplicity, severity="warn")
    found = [measured(v, v - h, v + h, slice=f"s{k}") for k, (v, h) in enumerate(slices)]
    results = judge_rule(policy(), terms, found, has_champion=True)
    assert results == judge_rule(policy(), terms, found[::-1], has_champion=True)[::-1]


def test_a_rule_of_the_command_that_lacks_its_input_does_not_apply():
    """It is listed apart with what it needs, and is not among the results."""
    terms = default_rules()
    judged = judge_rules(terms, [measured(0.8, 0.7, 0.9)], given={"binary", "classification", "scores"})
    assert {r.rule: r.status for r in judged.results} == {
        "better-than-chance": Status.PASSED,
        "calibration": Status.ERROR,
    }
    assert judged.not_applicable["auc-not-worse"] == "it needs what was not given: champion_scores"
