"""A policy that could never stop anything, or that contradicts itself, is refused."""

import json

import pytest
from pydantic import ValidationError

from gatewright.core.checks.by_task import CHECKS
from gatewright.core.checks.fairness_multiclass import CLASS_FAIRNESS_METRICS
from gatewright.core.checks.slice_rows import SLICE_METRICS
from gatewright.core.directions import HIGHER, LOWER, NEITHER, direction_of
from gatewright.core.errors import SpecError
from gatewright.core.policy import Monitoring, MonitoringRule, Policy, RuleSet, default_rules, parse_rules
from gatewright.core.results import Severity
from gatewright.core.tiers import Tier
from tests.core.examples import policy, rule

LIVE = {"id": "live", "metric": "psi", "response": "alert", "reason": "drift"}
SHORT = """
alpha: 0.05
minimum_support: 30
rules:
  - {id: auc-not-worse, metric: auc, test: non_inferiority, margin: 0.01, severity: block, reason: a margin}
"""


def compared(test, **changes):
    """A rule with a test, and so without limits of its own."""
    return rule(minimum=None, test=test, **changes)


@pytest.mark.parametrize("make", [rule, lambda **changes: MonitoringRule.model_validate({**LIVE, **changes})])
def test_a_rule_without_any_limit_is_refused(make):
    """Everything would pass it: at the gate, and in production."""
    with pytest.raises(ValidationError, match="needs `minimum` or `maximum`"):
        make(minimum=None, maximum=None)
    with pytest.raises(ValidationError, match="nothing could pass"):
        make(minimum=2.0, maximum=1.0)


def test_two_rules_of_one_name_are_refused():
    """Whose result would it be? In the gate's rules and in those of monitoring."""
    with pytest.raises(ValidationError, match="the same id"):
        policy(rule(), rule())
    live = MonitoringRule.model_validate({**LIVE, "maximum": 0.2})
    with pytest.raises(ValidationError, match="the same id"):
        policy(monitoring=Monitoring(minimum_rows=1, minimum_labels=1, rules=(live, live)))


@pytest.mark.parametrize(
    ("slices", "spoken_of"), [("all", {"all"}), ("each", {"women", "men"}), ("women", {"women"}), ("other", set())]
)
def test_a_rule_speaks_of_the_slices_it_names(slices, spoken_of):
    """`each` is every slice but the whole."""
    assert {name for name in ("all", "women", "men") if rule(slices=slices).speaks_of(name)} == spoken_of


def test_a_tier_that_asks_for_approvals_names_who_may_give_them():
    """Otherwise nobody could ever approve."""
    with pytest.raises(ValidationError, match="must name roles"):
        Tier(name="standard", outcomes=("promote",), approvals=1, roles=(), window_hours=1)


def test_the_tiers_cover_both_outcomes_that_ask_people():
    """A review that no tier describes could not be answered."""
    only = Tier(name="standard", outcomes=("promote",), approvals=1, roles=("release-manager",), window_hours=1)
    with pytest.raises(ValidationError, match="cover both"):
        policy(tiers=(only,))


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"test": "superiority", "metric": "auc"}, (0.0, None)),
        ({"test": "superiority", "metric": "log_loss"}, (None, 0.0)),
        ({"test": "superiority", "metric": "auc_change", "minimum_effect": 0.02}, (0.02, None)),
        ({"test": "superiority", "metric": "macro_f1", "minimum_effect": 0.02}, (0.02, None)),
        ({"test": "non_inferiority", "metric": "auc", "margin": 0.01}, (-0.01, None)),
        ({"test": "non_inferiority", "metric": "rmse_change", "margin": 0.5}, (None, 0.5)),
        ({"test": "equivalence", "metric": "selection_rate", "margin": 0.1}, (-0.1, 0.1)),
        ({"test": "non_inferiority", "metric": "profit", "margin": 3, "better": "higher"}, (-3, None)),
    ],
)
def test_a_test_sets_its_limits_on_the_change_in_the_direction_of_the_metric(changes, allowed):
    """Higher is better for an AUC, lower for a loss; equivalence asks for neither."""
    found = compared(**changes)
    assert found.allowed == allowed
    assert found.measured_as == changes["metric"].removesuffix("_change") + "_change"
    assert found.compares


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test": "non_inferiority"}, "`margin` is needed"),
        ({"test": "superiority", "margin": 0.01}, "by no other test"),
        ({"test": "non_inferiority", "margin": 0.01, "minimum": 0}, "sets the limits itself"),
        ({"test": "equivalence", "margin": 0.01, "decide_on": "value"}, "decides on the interval"),
        ({"test": "superiority", "metric": "selection_rate"}, "not known which way"),
        ({"test": "superiority", "metric": "auc", "better": "lower"}, "higher is better"),
        ({"margin": 0.01, "minimum": 0}, "belongs to"),
        ({"multiplicity": "holm", "minimum": 0}, "is for `slices: each`"),
        ({"multiplicity": "holm", "slices": "each", "test": "superiority"}, "looks for harm"),
        ({"multiplicity": "holm", "slices": "each", "minimum": 0, "decide_on": "value"}, "needs p-values"),
        ({"multiplicity": "benjamini_hochberg", "slices": "each", "minimum": 0}, "may `warn`, not `block`"),
        ({"test": "non_inferiority", "margin": 0}, "greater than 0"),
    ],
)
def test_a_contradictory_test_is_refused(changes, said):
    """Each with a sentence that says what to write instead."""
    with pytest.raises(ValidationError, match=said):
        rule(**{"minimum": None, **changes})


def test_every_metric_of_a_model_has_its_place_in_the_table():
    """Binary, multiclass, regression and fairness metrics are each in one of three sets: nobody forgot one."""
    measured = [name for checks in CHECKS.values() for name in (*checks.metrics, *checks.gaps)]
    measured += SLICE_METRICS
    measured += [*CLASS_FAIRNESS_METRICS, "conformal_coverage", "conformal_set_size", "conformal_width"]
    assert [name for name in measured if direction_of(name) is None and name not in NEITHER] == []
    assert not (HIGHER & LOWER | HIGHER & NEITHER | LOWER & NEITHER)
    assert direction_of("macro_f1_change") == "higher"
    assert direction_of("selective_accuracy_at_0.8_change") == "higher"


def test_a_rule_set_is_a_policy_without_people():
    """The short form is read where no tier is named, the policy where one is."""
    short = parse_rules(SHORT, where="short.yaml")
    assert type(short) is RuleSet
    assert short.power == 0.8
    assert short.rules[0].compares
    written = json.dumps(policy().model_dump(mode="json"), indent=0)
    assert parse_rules(written, where="full.yaml") == policy()


def test_a_misspelt_key_of_a_rule_set_is_named_with_its_line():
    """Strict in the short form too."""
    with pytest.raises(SpecError, match=r"short.yaml:5.*margn.*did you mean `margin`"):
        parse_rules(SHORT.replace("margin:", "margn:"), where="short.yaml")


def test_a_policy_has_no_rule_that_might_not_apply():
    """A stage is named, and `needs` is refused: a policy is fail closed."""
    with pytest.raises(ValidationError, match="`needs` of `auc-floor` is for rule sets"):
        policy(rule(needs=("scores",)))
    nowhere = rule().model_dump(exclude={"stage"})
    with pytest.raises(ValidationError, match="must name its `stage`"):
        policy(nowhere)


def test_a_policy_survives_its_stored_form():
    """What was pinned is what is read back, with every test and budget."""
    terms = policy(compared("non_inferiority", margin=0.01), holdout={"budget": 10})
    assert Policy.from_bytes(terms.to_bytes(), where="test") == terms


def test_the_default_rules_block_and_warn_with_reasons():
    """They are shipped with the package, and every rule of them says what it needs."""
    rules = default_rules()
    assert {rule.id: rule.severity for rule in rules.rules}["better-than-chance"] is Severity.BLOCK
    assert all(rule.needs and rule.reason for rule in rules.rules)
    assert rules.rules[0].missing({"binary"}) == ("scores",)


def test_who_may_roll_back_follows_from_the_tiers_unless_it_is_written():
    """Both halves are needed then; a signature is never asked for by accident."""
    assert (policy().rollback_roles, policy().rollback_assurance) == (("release-manager",), "declared")
    written = policy(rollback={"roles": ["on-call"], "assurance": "signed"})
    assert (written.rollback_roles, written.rollback_assurance) == (("on-call",), "signed")
    for half in ({"roles": ["on-call"]}, {"assurance": "signed"}, {"roles": [], "assurance": "signed"}):
        with pytest.raises(ValidationError):
            policy(rollback=half)


def test_a_policy_that_says_nothing_of_rollbacks_keeps_the_digest_it_was_signed_with():
    """Policies in force were signed before there was this part."""
    assert b"rollback" not in policy().to_bytes()
    assert (
        b'"rollback":{"assurance":"signed","roles":["on-call"]}'
        in policy(rollback={"roles": ["on-call"], "assurance": "signed"}).to_bytes()
    )
