"""Which changes of a policy let more through (``loosens``), and which less (``tightens``)."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from gatewright.core.assurance import Assurance
from gatewright.core.document_diff import (
    DOCUMENT,
    DOUBTFUL,
    LOOSENS,
    NEUTRAL,
    TIGHTENS,
    Change,
    Compare,
    Effect,
    changes_of,
    falling,
    flat,
    keyed,
    members,
    optional,
    ranked,
    rising,
)
from gatewright.core.policy import Policy, Response, RollbackTerms, Rule
from gatewright.core.results import Severity

__all__ = ["OWNERS", "diff"]

_SEVERITIES = (Severity.SHADOW, Severity.WARN, Severity.BLOCK)
_WORDS: Mapping[str, Compare] = {"reason": flat(NEUTRAL)}
_LIMITS: Mapping[str, Compare] = {
    "minimum": rising(TIGHTENS, absent=-math.inf),
    "maximum": falling(TIGHTENS, absent=math.inf),
    **_WORDS,
}
# Who signs the next version, of a policy as of the roster.
OWNERS = optional({"owners": members(LOOSENS), "quorum": rising(TIGHTENS)}, TIGHTENS)


def diff(old: Policy, new: Policy) -> tuple[Change, ...]:
    """All changes from ``old`` to ``new``; empty when they are equal. Swapped, each goes the other way."""
    of_both = {"rules": keyed("rule", "id", _rule(old, new), _one_more_rule), "rollback": _rollback(old, new)}
    return changes_of(DOCUMENT, old, new, {**_POLICY, **of_both})


def _rollback(old: Policy, new: Policy) -> Compare:
    """Who may and how surely, whether it is written down or follows from the tiers."""

    def compare(where: str, field: str, before: RollbackTerms | None, after: RollbackTerms | None) -> Iterable[Change]:
        if before is None or after is None:
            yield from flat(NEUTRAL)(where, field, before, after)
        if old.rollback_roles != new.rollback_roles:
            yield from members(LOOSENS)(field, "roles", old.rollback_roles, new.rollback_roles)
        if old.rollback_assurance != new.rollback_assurance:
            yield from _ASSURANCE(field, "assurance", old.rollback_assurance, new.rollback_assurance)

    return compare


def _rule(old: Policy, new: Policy) -> Callable[[Rule, Rule], Mapping[str, Compare]]:
    def compares(before: Rule, after: Rule) -> Mapping[str, Compare]:
        if before.severity is after.severity is Severity.SHADOW:
            # Measured and reported, but it decides nothing.
            return dict.fromkeys(Rule.model_fields, flat(NEUTRAL))
        return {
            **_RULE,
            "minimum_n": _support(_least(old, before), _least(new, after)),
            "minimum_effect": _effect(before, after),
        }

    return compares


def _least(policy: Policy, rule: Rule) -> int:
    """Below this many rows the rule is inconclusive, as `judging` has it."""
    if rule.minimum_n is not None:
        return rule.minimum_n
    return policy.minimum_support if rule.decide_on == "interval" else 0


def _support(before: int, after: int) -> Compare:
    return flat(TIGHTENS if after > before else LOOSENS if after < before else NEUTRAL)


def _effect(before: Rule, after: Rule) -> Compare:
    """What a larger ``minimum_effect`` means depends on the test: it is to be exceeded, or may be overlooked."""
    if (before.test, before.multiplicity) != (after.test, after.multiplicity):
        return flat(DOUBTFUL)
    if after.test == "superiority":
        return rising(TIGHTENS, absent=0)
    # Under an intersection-union test it only words what did not pass.
    return flat(NEUTRAL) if after.multiplicity == "intersection_union" else rising(LOOSENS, absent=0)


def _one_more_rule(rule: Rule) -> Effect:
    return NEUTRAL if rule.severity is Severity.SHADOW else TIGHTENS


def _multiplicity(where: str, field: str, old: str, new: str) -> tuple[Change, ...]:
    """Every slice shown to be fine asks the most; of the two that look for harm neither always asks more."""
    effect = LOOSENS if old == "intersection_union" else TIGHTENS if new == "intersection_union" else DOUBTFUL
    return tuple(flat(effect)(where, field, old, new))


_RULE: Mapping[str, Compare] = {
    **_LIMITS,
    "severity": ranked(_SEVERITIES, TIGHTENS),
    "decide_on": ranked(("value", "interval"), TIGHTENS),
    "margin": rising(LOOSENS),
    "needs_champion": ranked((False, True), LOOSENS),
    "multiplicity": _multiplicity,
}
_ASSURANCE = ranked(get_args(Assurance), TIGHTENS)
_TIER: Mapping[str, Compare] = {
    "risk": ranked(("low", "medium", "high"), TIGHTENS),
    "approvals": rising(TIGHTENS),
    "roles": members(LOOSENS),
    "assurance": _ASSURANCE,
    "unsigned_because": flat(NEUTRAL),
    "window_hours": rising(LOOSENS),
    "notify": members(TIGHTENS),
    "escalate_after_hours": rising(LOOSENS, absent=math.inf),
    "escalate_to": members(TIGHTENS),
}
_MONITORING_RULE: Mapping[str, Compare] = {
    **_LIMITS,
    # A break counts at once, where on an interval it must be confirmed first.
    "decide_on": ranked(("interval", "value"), TIGHTENS),
    "response": ranked(get_args(Response), TIGHTENS),
}
_MONITORING: Mapping[str, Compare] = {
    "minimum_rows": rising(LOOSENS),
    "minimum_labels": rising(LOOSENS),
    "rules": keyed("rule", "id", lambda *_: _MONITORING_RULE, lambda _: TIGHTENS),
}
_POLICY: Mapping[str, Compare] = {
    "version": flat(NEUTRAL),
    "owner": flat(NEUTRAL),
    # Narrower intervals pass more.
    "alpha": rising(LOOSENS),
    "power": rising(TIGHTENS),
    # Groups below it are inconclusive, but are also left out of gaps between groups.
    "minimum_support": flat(DOUBTFUL),
    "review_at_warnings": rising(LOOSENS),
    "first_release": ranked(("review", "block"), TIGHTENS),
    "serving_timeout_seconds": flat(NEUTRAL),
    "holdout": optional({"budget": rising(LOOSENS)}, TIGHTENS),
    # The first tier that fits decides, so one more, one less or another order may go either way.
    "tiers": keyed("tier", "name", lambda *_: _TIER, lambda _: DOUBTFUL, order=DOUBTFUL),
    "changed_by": OWNERS,
    "waivers": optional({"roles": members(LOOSENS), "maximum_days": rising(LOOSENS)}, LOOSENS),
    "break_glass": optional({"roles": members(LOOSENS), "hours": rising(LOOSENS)}, LOOSENS),
    "monitoring": optional(_MONITORING, TIGHTENS),
}
