"""``decide(policy, results) -> Decision``: pure, and the only place where a release's fate is computed."""

from collections.abc import Sequence
from typing import Literal

from gatewright.core.policy import Policy
from gatewright.core.records import Record, Sha256
from gatewright.core.results import CheckResult, Severity, Status

__all__ = ["Decision", "Outcome", "decide"]

Outcome = Literal["promote", "review", "block"]


class Decision(Record):
    """What the policy says of a candidate.

    ``reasons`` are sentences for people, the weightiest first; ``tier`` is None when nobody is asked.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    results: tuple[CheckResult, ...]
    tier: str | None
    policy_version: int
    policy_sha256: Sha256


def decide(policy: Policy, results: Sequence[CheckResult], *, policy_sha256: str, has_champion: bool) -> Decision:
    """Block if any block rule did not pass, review if doubts remain, promote otherwise.

    A rule without a result blocks too: a decision must rest on every rule of the policy. Rules on the
    change to the champion are excused only when no champion serves; then ``first_release`` decides.
    """
    blocking = [r for r in _not_passed(results, Severity.BLOCK) if not _excused(policy, r, has_champion)]
    unanswered = [rule.id for rule in policy.rules if rule.id not in {r.rule for r in results}]
    warnings = _not_passed(results, Severity.WARN)
    reasons = [str(r) for r in blocking] + [f"{rule}: the rule has no result" for rule in unanswered]
    outcome: Outcome = "block" if reasons else "promote"
    if not has_champion and outcome != "block":
        outcome = policy.first_release
        reasons.append("no champion serves: nothing to compare the candidate with")
    alarms = [r for r in warnings if not _excused(policy, r, has_champion)]
    if outcome == "promote" and len(alarms) >= policy.review_at_warnings:
        outcome = "review"
        reasons.append(f"{len(alarms)} warnings; the policy asks for a review from {policy.review_at_warnings} on")
    reasons += [str(r) for r in alarms]
    return Decision(
        outcome=outcome,
        reasons=tuple(reasons) or ("every rule passed",),
        results=tuple(results),
        tier=None if outcome == "block" else policy.tier(outcome).name,
        policy_version=policy.version,
        policy_sha256=policy_sha256,
    )


def _not_passed(results: Sequence[CheckResult], severity: Severity) -> tuple[CheckResult, ...]:
    return tuple(r for r in results if r.severity is severity and r.status is not Status.PASSED)


def _excused(policy: Policy, result: CheckResult, has_champion: bool) -> bool:
    rule = next((rule for rule in policy.rules if rule.id == result.rule), None)
    return rule is not None and rule.needs_champion and not has_champion
