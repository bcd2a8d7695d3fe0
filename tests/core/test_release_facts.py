"""What a tier is computed from, and what weighs when it cannot be told."""

import math

import pytest

from gatewright.core.release_facts import facts_of
from gatewright.core.results import CheckResult, Severity, Status
from tests.core.examples import DIGEST, measured, policy, rule
from tests.services.reports.example_view import SPEC

OTHER = "cd" * 32
GAP = "equal_opportunity_difference"
SHIFT = ("evaluate", measured(0.04, 0.03, 0.05, metric="score_shift"))
GAP_RULE = rule(id="gap", stage="fairness", metric=GAP, slices="sex", minimum=None, maximum=0.2)


def moved(value, slice="sex", metric=f"{GAP}_change"):
    low, high = (None, None) if value is None else (value - 0.1, value + 0.1)
    return "fairness", measured(value, low, high, metric=metric, slice=slice)


def result(rule_id, severity=Severity.WARN, status=Status.FAILED):
    return CheckResult(
        rule=rule_id, stage="evaluate", metric="auc", slice="all", value=None, interval=None, minimum=0, maximum=None,
        n=0, status=status, severity=severity, reason="test",
    )  # fmt: skip


def facts(*measurements, results=(), terms=None, champion=True, champion_policy=DIGEST, spec=SPEC):
    return facts_of(
        spec,
        terms or policy(GAP_RULE),
        results,
        measurements,
        policy_sha256=DIGEST,
        policy_of_champion_sha256=champion_policy,
        has_champion=champion,
    )


def test_what_the_spec_leaves_out_cannot_be_told():
    """Neither does silence make a domain harmless."""
    assert (facts().sensitive_domain, facts().personal_data) == (None, None)
    said = facts(spec=SPEC.model_copy(update={"sensitive_domain": True, "personal_data": False}))
    assert (said.sensitive_domain, said.personal_data) == (True, False)


def test_the_shift_of_the_answers_is_the_one_that_was_measured():
    """Only the evaluate stage's counts."""
    assert facts(SHIFT, ("drift", measured(9, metric="score_shift"))).score_shift == 0.04


@pytest.mark.parametrize("found", [[], [("evaluate", measured(None, metric="score_shift"))]])
def test_a_shift_that_was_not_measured_cannot_be_told(found):
    """With a champion there must be one."""
    assert facts(*found).score_shift is None


def test_nothing_has_moved_on_a_first_release():
    """That it is the first is a fact of its own."""
    found = facts(champion=False, champion_policy=None)
    assert found.first_release
    assert (found.score_shift, found.fairness_movement, found.policy_changed) == (0.0, 0.0, False)


def test_fairness_moves_by_the_gap_that_grew_most():
    """Ratios say the same the other way round; a gap that shrank has not moved against anybody."""
    ratio = moved(0.9, metric="equal_opportunity_ratio_change")
    assert facts(moved(0.02), moved(0.05, "age_band"), moved(-0.3, "age_band & sex"), ratio).fairness_movement == 0.05
    assert facts(moved(-0.3)).fairness_movement == 0.0


def test_a_gap_that_a_rule_judges_must_be_measured():
    """Groups too small to measure elsewhere are no reason; where a rule decides they are."""
    assert facts(moved(0.02), moved(None, "age_band")).fairness_movement == 0.02
    assert facts(moved(None), moved(0.02, "age_band")).fairness_movement is None
    watched = policy(GAP_RULE.model_copy(update={"severity": Severity.SHADOW}))
    assert facts(moved(None), moved(0.02, "age_band"), terms=watched).fairness_movement == 0.02


@pytest.mark.parametrize("found", [[], [moved(None, "age_band")]])
def test_without_any_gap_the_movement_cannot_be_told(found):
    """An audit that measured nothing shows no fairness."""
    assert facts(*found).fairness_movement is None


def test_a_gap_that_is_not_finite_cannot_be_told():
    """Copies are not validated, so NaN may arrive."""
    stage, m = moved(0.1)
    assert facts((stage, m.model_copy(update={"value": math.nan}))).fairness_movement is None


@pytest.mark.parametrize(("theirs", "changed"), [(DIGEST, False), (OTHER, True), (None, None)])
def test_the_policy_has_changed_when_the_champion_was_released_under_another(theirs, changed):
    """Unknown is neither yes nor no."""
    assert facts(champion_policy=theirs).policy_changed is changed


def test_warnings_are_warn_rules_that_did_not_pass():
    """Passed ones, block rules and shadow rules are none; what a first release cannot have is excused."""
    found = [
        result("a"),
        result("b", status=Status.INCONCLUSIVE),
        result("c", status=Status.PASSED),
        result("d", Severity.BLOCK),
        result("e", Severity.SHADOW),
        result("better"),
    ]
    terms = policy(rule(), rule(id="better", metric="auc_change", minimum=0, needs_champion=True))
    assert facts(results=found, terms=terms).warnings == 3
    assert facts(results=found, terms=terms, champion=False).warnings == 2
