"""``--set KEY=VALUE``: short ways to name one limit of a policy, and one clear error for all others."""

import pytest

from gatewright.core.errors import SpecError
from gatewright.core.policy import Policy
from gatewright.core.results import Severity
from gatewright.core.what_if import with_changes
from tests.core.examples import policy, rule

POLICY = policy(
    rule(),
    rule(id="better.than-champion", test="superiority", minimum=None),
    rule(id="fpr-ceiling", metric="false_positive_rate", minimum=None, maximum=0.1),
    rule(id="gap-age", metric="equal_opportunity_difference", slices="age", minimum=None, maximum=0.3),
    rule(id="gap-sex", metric="equal_opportunity_difference", slices="sex", minimum=None, maximum=0.2),
    rule(id="share", metric="selection_rate", minimum=0.1, maximum=0.4),
)


def by_id(found: Policy, name: str):
    return next(one for one in found.rules if one.id == name)


@pytest.mark.parametrize(
    ("change", "name", "field", "value"),
    [
        ("auc-floor=0.8", "auc-floor", "minimum", 0.8),
        ("auc-floor.minimum=0.8", "auc-floor", "minimum", 0.8),
        ("min_auc=0.8", "auc-floor", "minimum", 0.8),
        ("minimum_auc=0.8", "auc-floor", "minimum", 0.8),
        ("min_auc-floor=0.8", "auc-floor", "minimum", 0.8),
        ("max_fpr=0.08", "fpr-ceiling", "maximum", 0.08),
        ("max_false_positive_rate=0.08", "fpr-ceiling", "maximum", 0.08),
        ("gap-sex=0.1", "gap-sex", "maximum", 0.1),
        ("max_gap-sex=0.1", "gap-sex", "maximum", 0.1),
        ("share.minimum=0.2", "share", "minimum", 0.2),
        ("better.than-champion.minimum_effect=0.01", "better.than-champion", "minimum_effect", 0.01),
        ("auc-floor.severity=warn", "auc-floor", "severity", Severity.WARN),
        (" auc-floor.minimum = 0.8 ", "auc-floor", "minimum", 0.8),
    ],
)
def test_one_limit_is_changed_and_nothing_else(change: str, name: str, field: str, value: object) -> None:
    """By the rule and its field, by the rule alone, or by a metric that one rule limits."""
    found = with_changes(POLICY, [change])
    assert getattr(by_id(found, name), field) == value
    back = [by_id(POLICY, name) if one.id == name else one for one in found.rules]
    assert tuple(back) == POLICY.rules
    assert found.model_copy(update={"rules": POLICY.rules}) == POLICY


def test_changes_are_made_one_after_the_other() -> None:
    """Also of the policy's own fields."""
    found = with_changes(POLICY, ["alpha=0.1", "auc-floor=0.8", "auc-floor.maximum=0.99"])
    assert (found.alpha, found.rules[0].minimum, found.rules[0].maximum) == (0.1, 0.8, 0.99)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("max_equal_opportunity_difference=0.1", "gap-age.maximum, gap-sex.maximum"),
        ("share=0.2", "share.minimum, share.maximum"),
        ("better.than-champion=0.1", "better.than-champion.minimum_effect"),
        ("auc-flor=0.8", "auc-floor"),
        ("auc-flor.minimum=0.8", "auc-floor"),
        ("auc-floor.minimun=0.8", "minimum, minimum_effect"),
        ("auc-floor.id=x", "minimum"),
        ("max_ece=0.1", "max_"),
        ("min_acu=0.1", "min_auc"),
        ("auc-floor", "auc-floor.minimum=0.8"),
        ("auc-floor=", "KEY=VALUE"),
        ("=0.8", "auc-floor"),
        ("auc-floor=high", "another value"),
        ("auc-floor=NaN", "another value"),
        ("auc-floor=Infinity", "another value"),
        ("auc-floor=true", "another value"),
        ("auc-floor=null", "another value"),
        ("share.minimum=0.9", "another value"),
        ("alpha=0.9", "another value"),
        ("model=other", "auc-floor"),
        ("rules=[]", "auc-floor"),
        ("version=9", "auc-floor"),
    ],
)
def test_any_other_key_or_value_is_one_error_that_names_what_there_is(change: str, said: str) -> None:
    """Never a guess between two rules, never a policy that could not be written."""
    with pytest.raises(SpecError) as refused:
        with_changes(POLICY, [change])
    assert said in f"{refused.value.problem} {refused.value.remedy}"
    assert refused.value.where.startswith("--set ")
