"""``decide(policy, results) -> Decision``: pure, and the only place where a release's fate is computed."""

from collections.abc import Sequence
from typing import Literal

from gatewright.core.judging import Judgement
from gatewright.core.policy import Policy, Rule, RuleSet
from gatewright.core.records import Record, Sha256
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.core.tiers import Facts
from gatewright.core.waivers import Waiver, waiver_for

__all__ = ["Decision", "Outcome", "Verdict", "decide", "verdict_of"]

Outcome = Literal["promote", "review", "block"]
Verdict = Literal["pass", "review", "block"]


class Decision(Record):
    """What the policy says of a candidate.

    ``reasons`` are sentences for people, the weightiest first; ``tier`` is None when nobody is asked, and
    ``tier_because`` says which of its conditions hold. ``waivers`` are those it rests on, in full.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    results: tuple[CheckResult, ...]
    tier: str | None
    tier_because: tuple[str, ...] = ()
    facts: Facts
    policy_version: int
    policy_sha256: Sha256
    waivers: tuple[Waiver, ...] = ()

    def waiver_for(self, result: CheckResult) -> Waiver | None:
        """Who answers for a result that did not pass, None where nobody does."""
        return waiver_for(result, self.waivers)


def decide(
    policy: Policy,
    results: Sequence[CheckResult],
    *,
    policy_sha256: str,
    has_champion: bool,
    facts: Facts,
    waivers: Sequence[Waiver] = (),
) -> Decision:
    """Block if any block rule did not pass, review if doubts remain, promote otherwise.

    A rule without a result blocks too: a decision must rest on every rule of the policy. Rules on the
    change to the champion are excused only when no champion serves; then ``first_release`` decides. A result that
    one of ``waivers``, which are taken to be valid, covers does not count; but then people must look.
    """
    excused = _excused(policy, policy.rules, has_champion=has_champion)
    used = _used(results, excused, waivers)
    outcome, reasons = _weigh(policy, policy.rules, results, has_champion=has_champion, waivers=used)
    tier = None if outcome == "block" else policy.tier(outcome, facts)
    return Decision(
        outcome=outcome,
        reasons=reasons or ("every rule passed",),
        results=tuple(results),
        tier=tier.name if tier else None,
        tier_because=tier.when.met(facts) if tier and tier.when else (),
        facts=facts,
        policy_version=policy.version,
        policy_sha256=policy_sha256,
        waivers=used,
    )


def verdict_of(rules: RuleSet, judgement: Judgement) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on a file, as `decide` without approvals, and the reasons, the weightiest first.

    A rule that does not apply has no say; when none applies there is nothing that passed: ``review``.
    """
    if len(judgement.not_applicable) == len(rules.rules):
        return "review", ("no rule applies to what was given: nothing was judged",)
    asked = [rule for rule in rules.rules if rule.id not in judgement.not_applicable]
    outcome, reasons = _weigh(rules, asked, judgement.results, has_champion=judgement.has_champion)
    return "pass" if outcome == "promote" else outcome, reasons or ("every rule that applies passed",)


def _weigh(
    rules: RuleSet,
    asked: Sequence[Rule],
    results: Sequence[CheckResult],
    *,
    has_champion: bool,
    waivers: Sequence[Waiver] = (),
) -> tuple[Outcome, tuple[str, ...]]:
    excused = _excused(rules, asked, has_champion=has_champion)
    counted = [r for r in results if r.rule not in excused and waiver_for(r, waivers) is None]
    alarms = [str(r) for r in _not_passed(counted, Severity.WARN)]
    answered = {r.rule for r in results}
    reasons = [str(r) for r in _not_passed(counted, Severity.BLOCK)]
    reasons += [f"{rule.id}: the rule has no result" for rule in asked if rule.id not in answered]
    outcome: Outcome = "block" if reasons else "promote"
    if isinstance(rules, Policy) and not has_champion and outcome != "block":
        outcome = rules.first_release
        reasons.append("no champion serves: nothing to compare the candidate with")
    if outcome == "promote" and rules.review_at_warnings is not None and len(alarms) >= rules.review_at_warnings:
        outcome = "review"
        reasons.append(f"{len(alarms)} warnings; a review is asked for from {rules.review_at_warnings} on")
    if outcome == "promote" and waivers:
        outcome = "review"
    reasons += [waiver.in_full for waiver in waivers]
    return outcome, (*reasons, *alarms)


def _excused(rules: RuleSet, asked: Sequence[Rule], *, has_champion: bool) -> frozenset[str]:
    """Rules on a change, when there is nothing that could have changed."""
    first = isinstance(rules, Policy) and not has_champion
    return frozenset(rule.id for rule in asked if first and rule.compares)


def _used(results: Sequence[CheckResult], excused: frozenset[str], waivers: Sequence[Waiver]) -> tuple[Waiver, ...]:
    found = (waiver_for(r, waivers) for r in results if r.rule not in excused)
    return tuple({waiver.digest: waiver for waiver in found if waiver is not None}.values())


def _not_passed(results: Sequence[CheckResult], severity: Severity) -> tuple[CheckResult, ...]:
    return tuple(r for r in results if r.severity is severity and r.status is not Status.PASSED)
