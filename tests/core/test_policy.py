"""A policy that could never stop anything, or that contradicts itself, is refused."""

import pytest
from pydantic import ValidationError

from gatewright.core.policy import Monitoring, MonitoringRule, Tier
from tests.core.examples import policy, rule

LIVE = {"id": "live", "metric": "psi", "response": "alert", "reason": "drift"}


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
