"""The decision follows from results and policy, and from nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.decision import decide, verdict_of
from gatewright.core.judging import judge, judge_rule, judge_rules
from gatewright.core.policy import default_rules
from gatewright.core.results import CheckResult, Severity, Status
from tests.core.examples import DIGEST, facts, measured, policy, rule

GOOD = measured(0.9, 0.85, 0.95)
BAD = measured(0.5, 0.45, 0.55)


def decision(terms, measurements, *, has_champion=True):
    results = []
    for one, m in zip(terms.rules, measurements, strict=True):
        results += judge_rule(terms, one, [m] if m else [], has_champion=has_champion)
    return decide(terms, results, policy_sha256=DIGEST, has_champion=has_champion, facts=facts())


def test_promotes_when_every_rule_passed():
    """Nothing against it, and a tier that says who approves."""
    found = decision(policy(), [GOOD])
    assert (found.outcome, found.tier, found.reasons) == ("promote", "standard", ("every rule passed",))


def test_blocks_on_a_failed_block_rule_and_says_which():
    """The reason names rule, metric, status and value; nobody is asked."""
    found = decision(policy(), [BAD])
    assert found.outcome == "block"
    assert found.tier is None
    assert "auc-floor: auc failed: 0.5 is not at least 0.75" in found.reasons[0]


def test_blocks_on_an_inconclusive_block_rule():
    """Too little data is not a pass."""
    assert decision(policy(), [measured(0.8, 0.7, 0.9)]).outcome == "block"


def test_blocks_when_a_rule_has_no_result():
    """A decision must rest on every rule of the policy."""
    found = decide(policy(), [], policy_sha256=DIGEST, has_champion=True, facts=facts())
    assert (found.outcome, found.reasons) == ("block", ("auc-floor: the rule has no result",))


def test_a_warning_is_an_alarm_and_does_not_stop():
    """Promote, with the warning among the reasons."""
    terms = policy(rule(severity=Severity.WARN), rule(id="other"))
    found = decision(terms, [BAD, GOOD])
    assert found.outcome == "promote"
    assert "auc-floor" in found.reasons[0]


def test_enough_warnings_ask_for_a_review():
    """The policy says how many alarms are one too many."""
    terms = policy(rule(severity=Severity.WARN), rule(id="other", severity=Severity.WARN))
    assert decision(terms, [BAD, BAD]).outcome == "review"


def test_a_shadow_rule_never_decides():
    """Measured, reported, and without weight."""
    assert decision(policy(rule(severity=Severity.SHADOW)), [BAD]).outcome == "promote"


def test_a_first_release_gets_what_the_policy_says():
    """Rules on the change are excused, but a person must look."""
    terms = policy(rule(), rule(id="better", metric="auc_change", minimum=0, needs_champion=True))
    assert decision(terms, [GOOD, None], has_champion=False).outcome == "review"
    strict = terms.model_copy(update={"first_release": "block"})
    assert decision(strict, [GOOD, None], has_champion=False).outcome == "block"


def test_a_missing_comparison_blocks_when_a_champion_serves():
    """The excuse holds for first releases only."""
    terms = policy(rule(), rule(id="better", metric="auc_change", minimum=0, needs_champion=True))
    assert decision(terms, [GOOD, None]).outcome == "block"


def test_a_test_of_the_change_is_excused_while_nothing_serves():
    """It compares with the champion without having to say `needs_champion`."""
    terms = policy(rule(), rule(id="better", minimum=None, test="superiority"))
    assert decision(terms, [GOOD, None], has_champion=False).outcome == "review"
    assert decision(terms, [GOOD, None]).outcome == "block"


GIVEN = {"binary", "classification", "scores"}
CALIBRATED = measured(0.02, 0.01, 0.03, metric="expected_calibration_error")


@pytest.mark.parametrize(
    ("found", "given", "verdict"),
    [
        ([GOOD, CALIBRATED], GIVEN, "pass"),
        ([GOOD, CALIBRATED], GIVEN | {"champion", "champion_scores"}, "block"),
        ([GOOD], GIVEN, "pass"),
        ([measured(0.5, 0.45, 0.55), CALIBRATED], GIVEN, "block"),
        ([], GIVEN, "block"),
        ([GOOD, CALIBRATED], {"multiclass"}, "review"),
    ],
)
def test_the_verdict_on_a_file_rests_on_the_rules_that_apply(found, given, verdict):
    """Block rules must be measured and pass, warn rules only warn; where no rule applies nothing has passed."""
    rules = default_rules()
    assert verdict_of(rules, judge_rules(rules, found, given=given))[0] == verdict


def test_a_rule_set_says_from_how_many_warnings_on_people_must_look():
    """Left out, warnings are only shown; both times they are among the reasons."""
    rules = default_rules()
    strict = rules.model_copy(update={"review_at_warnings": 1})
    judged = judge_rules(rules, [GOOD], given=GIVEN)
    assert [verdict_of(terms, judged)[0] for terms in (rules, strict)] == ["pass", "review"]
    assert "calibration" in verdict_of(rules, judged)[1][0]


def test_a_whole_policy_on_a_file_decides_as_it_does_for_a_release():
    """Without a champion its word on first releases counts."""
    terms = policy(rule(), rule(id="better", minimum=None, test="superiority"))
    assert verdict_of(terms, judge_rules(terms, [GOOD], given=set()))[0] == "review"
    assert verdict_of(terms, judge_rules(terms, [GOOD], given={"champion"}))[0] == "block"


@given(st.permutations([GOOD, BAD, CALIBRATED, measured(0.8, 0.7, 0.9, slice="sex")]))
def test_the_order_of_measurements_never_matters(found):
    """Verdict and results are the same set in any order."""
    terms = policy(rule(minimum=0.6), rule(id="slices", slices="each", severity=Severity.WARN))
    judged = judge_rules(terms, found, given={"champion"})
    expected = judge_rules(terms, [GOOD, BAD, CALIBRATED, measured(0.8, 0.7, 0.9, slice="sex")], given={"champion"})
    assert verdict_of(terms, judged)[0] == verdict_of(terms, expected)[0] == "block"
    assert sorted(map(str, judged.results)) == sorted(map(str, expected.results))


ORDER = {"block": 0, "review": 1, "promote": 2}
found_slices = st.lists(st.tuples(st.floats(0.5, 1), st.floats(0.001, 0.2)), min_size=1, max_size=5)
doubts = st.sampled_from([(None, 0.0), (0.76, 0.2), (0.6, 0.3)])


@given(found_slices, doubts, st.sampled_from(["intersection_union", "holm"]), st.sampled_from(["block", "warn"]))
def test_one_more_doubtful_slice_never_gives_a_better_outcome(slices, doubtful, multiplicity, severity):
    """Block stays block and review stays review, whatever the rule makes of many slices."""
    terms = policy(rule(slices="each", multiplicity=multiplicity, minimum_effect=0.05, severity=severity))

    def outcome(found):
        each = [measured(v, v and v - h, v and v + h, slice=f"s{k}") for k, (v, h) in enumerate(found)]
        results = judge(terms, [("evaluate", m) for m in each], has_champion=True)
        return ORDER[decide(terms, results, policy_sha256=DIGEST, has_champion=True, facts=facts()).outcome]

    assert outcome([*slices, doubtful]) <= outcome(slices)


statuses = st.sampled_from(list(Status))


@given(st.lists(statuses, min_size=3, max_size=3), st.integers(0, 2), st.booleans())
def test_a_worse_status_never_gives_a_better_outcome(found, index, has_champion):
    """Turning any result into an error never moves block to review, or review to promote."""
    terms = policy(rule(), rule(id="warn", severity=Severity.WARN), rule(id="other"))

    def outcome(all_statuses):
        results = [
            CheckResult(
                rule=one.id, stage=one.stage, metric=one.metric, slice="all", value=None, interval=None,
                minimum=one.minimum, maximum=None, n=1, status=status, severity=one.severity, reason="test",
            )
            for one, status in zip(terms.rules, all_statuses, strict=True)
        ]  # fmt: skip
        return ORDER[decide(terms, results, policy_sha256=DIGEST, has_champion=has_champion, facts=facts()).outcome]

    worse = [*found[:index], Status.ERROR, *found[index + 1 :]]
    assert outcome(worse) <= outcome(found)
