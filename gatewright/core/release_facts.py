"""The facts about a release that a policy computes its tier from. What cannot be told is None, and weighs most."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Protocol

from gatewright.core.policy import CHANGE, Policy
from gatewright.core.results import CheckResult, Measurement, Severity, Status
from gatewright.core.tiers import Facts

__all__ = ["SCORE_SHIFT", "Declared", "facts_of"]

# The metric of stage evaluate; named here, so that judging needs nothing of what measures.
SCORE_SHIFT = "score_shift"
_GAP_CHANGE = f"_difference{CHANGE}"


class Declared(Protocol):
    """What people declared of a model: a ``ModelSpec``, or what was kept of one."""

    @property
    def sensitive_domain(self) -> bool | None: ...
    @property
    def personal_data(self) -> bool | None: ...


def facts_of(
    spec: Declared,
    policy: Policy,
    results: Sequence[CheckResult],
    measurements: Iterable[tuple[str, Measurement]],
    *,
    policy_sha256: str,
    policy_of_champion_sha256: str | None,
    has_champion: bool,
) -> Facts:
    """What is known of a candidate; ``measurements`` are pairs of stage and measurement.

    A warning counts whether or not somebody waives it. Of a first release nothing has moved: that it is the first
    says it.
    """
    measured = list(measurements)
    return Facts(
        sensitive_domain=spec.sensitive_domain,
        personal_data=spec.personal_data,
        first_release=not has_champion,
        policy_changed=_differ(policy_sha256, policy_of_champion_sha256) if has_champion else False,
        score_shift=_score_shift(measured) if has_champion else 0.0,
        fairness_movement=_fairness_movement(policy, measured) if has_champion else 0.0,
        warnings=_warnings(policy, results, has_champion=has_champion),
    )


def _differ(ours: str, theirs: str | None) -> bool | None:
    return None if theirs is None else ours != theirs


def _score_shift(measured: Sequence[tuple[str, Measurement]]) -> float | None:
    return _largest([m.value for stage, m in measured if stage == "evaluate" and m.metric == SCORE_SHIFT])


def _fairness_movement(policy: Policy, measured: Sequence[tuple[str, Measurement]]) -> float | None:
    """The largest growth of a gap; groups too small to measure count only where a rule that decides speaks of them."""
    changes = [m for stage, m in measured if stage == "fairness" and m.metric.endswith(_GAP_CHANGE)]
    largest = _largest([m.value for m in changes if m.value is not None or _decides(policy, m)])
    return None if largest is None else max(0.0, largest)


def _decides(policy: Policy, change: Measurement) -> bool:
    rules = [rule for rule in policy.rules if rule.stage == "fairness" and rule.severity is not Severity.SHADOW]
    metrics = (change.metric, change.metric.removesuffix(CHANGE))
    return any(rule.metric in metrics and rule.speaks_of(change.slice) for rule in rules)


def _largest(values: Sequence[float | None]) -> float | None:
    """None when there is none, or one could not be measured."""
    known = [value for value in values if value is not None and isfinite(value)]
    return max(known) if known and len(known) == len(values) else None


def _warnings(policy: Policy, results: Sequence[CheckResult], *, has_champion: bool) -> int:
    excused = frozenset() if has_champion else {rule.id for rule in policy.rules if rule.compares}
    missed = (r for r in results if r.severity is Severity.WARN and r.status is not Status.PASSED)
    return sum(r.rule not in excused for r in missed)
