"""Judge the measurements of past releases by another policy: which would have been decided otherwise, and why.

What the evidence cannot answer stays open. A metric that nobody measured then, or an interval of another confidence
than the policy asks for, is taken once as passed and once as not; where that makes a difference the answer is that it
cannot be told. Waivers are left out on both sides: they answer for one result of one release, not for a policy.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gatewright.core.decision import Decision, Outcome, decide
from gatewright.core.judging import ROUNDING, judge_rule
from gatewright.core.limits import Limits
from gatewright.core.measured_release import MeasuredRelease, Standing, asked_of
from gatewright.core.policy import Policy, Rule
from gatewright.core.release_facts import facts_of
from gatewright.core.results import CheckResult, Measurement, Severity, Status

__all__ = ["Backtest", "Rejudged", "backtest", "standing_of"]

# A rule's id and a slice.
_Result = tuple[str, str]
# The digest of a policy plays no part in the outcome.
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class Rejudged:
    """One release under the proposed policy. ``before`` or ``after`` is None where it cannot be told.

    ``now_missed`` are results that would not pass and that nobody missed before, ``missed_no_more`` the reverse;
    ``unknown``: rules that the evidence cannot answer, and why. ``tiers``: who would be asked, before and after.
    """

    release: MeasuredRelease
    before: Outcome | None
    after: Outcome | None
    tiers: tuple[str | None, str | None]
    now_missed: tuple[CheckResult, ...]
    missed_no_more: tuple[CheckResult, ...]
    unknown: Mapping[str, str]

    @property
    def cannot_tell(self) -> bool:
        return self.after is None or (self.before is None and self.after != "block")

    @property
    def flips(self) -> bool:
        return not self.cannot_tell and self.before != self.after

    @property
    def asks_others(self) -> bool:
        """Whether the outcome stays and other people would have to approve it."""
        return not self.cannot_tell and not self.flips and self.tiers[0] != self.tiers[1]

    @property
    def newly_blocked(self) -> bool:
        """Whether a release that serves or was let through would be blocked."""
        return self.flips and self.after == "block" and self.release.released


@dataclass(frozen=True)
class Backtest:
    """All releases judged again, the earliest first."""

    policy: Policy
    rejudged: tuple[Rejudged, ...]

    @property
    def flips(self) -> tuple[Rejudged, ...]:
        return tuple(one for one in self.rejudged if one.flips)

    @property
    def newly_blocked(self) -> tuple[Rejudged, ...]:
        return tuple(one for one in self.rejudged if one.newly_blocked)

    @property
    def cannot_tell(self) -> tuple[Rejudged, ...]:
        return tuple(one for one in self.rejudged if one.cannot_tell)

    @property
    def asks_others(self) -> tuple[Rejudged, ...]:
        return tuple(one for one in self.rejudged if one.asks_others)

    @property
    def same(self) -> int:
        """How many would be decided as they were."""
        return sum(not one.flips and not one.cannot_tell for one in self.rejudged)

    @property
    def with_waivers(self) -> int:
        """How many rested on waivers, which are left out here."""
        return sum(one.release.waivers > 0 for one in self.rejudged)

    @property
    def other_support(self) -> int:
        """How many measured their groups under another minimum support, which shapes the gaps between groups."""
        return sum(one.release.minimum_support != self.policy.minimum_support for one in self.rejudged)


def backtest(policy: Policy, releases: Iterable[MeasuredRelease], *, against: Policy | None = None) -> Backtest:
    """Every release under ``policy``, beside what was decided then, or beside ``against`` on the same measurements."""
    return Backtest(policy, tuple(_rejudged(policy, release, against) for release in releases))


def standing_of(decision: Decision, policy: Policy, *, has_champion: bool) -> Standing:
    """What was decided by ``policy``, as it would have been without waivers."""
    if decision.waivers:
        facts = decision.facts
        decision = decide(
            policy, decision.results, policy_sha256=decision.policy_sha256, has_champion=has_champion, facts=facts
        )
    counted = _counted(policy.rules, decision.results, has_champion=has_champion)
    return Standing(outcome=decision.outcome, tier=decision.tier, missed=_missed(counted))


@dataclass(frozen=True)
class _Bounds:
    """The decision when all that is unknown counts as passed, and when none of it does."""

    best: Decision
    worst: Decision
    missed: tuple[CheckResult, ...]
    perhaps_missed: tuple[CheckResult, ...]
    unknown: Mapping[_Result, str]

    @property
    def outcome(self) -> Outcome | None:
        return self.worst.outcome if self.best.outcome == self.worst.outcome else None


def _rejudged(policy: Policy, release: MeasuredRelease, against: Policy | None) -> Rejudged:
    after = _judged(policy, release)
    before, tier, missed = _before(release, against)
    return Rejudged(
        release=release,
        before=before,
        after=after.outcome,
        tiers=(tier, after.worst.tier),
        now_missed=_only(after.missed, missed),
        missed_no_more=_only(missed, after.perhaps_missed),
        unknown={rule: why for (rule, _), why in after.unknown.items()},
    )


def _before(
    release: MeasuredRelease, against: Policy | None
) -> tuple[Outcome | None, str | None, tuple[CheckResult, ...]]:
    if against is None:
        return release.decided.outcome, release.decided.tier, release.decided.missed
    former = _judged(against, release)
    return former.outcome, former.worst.tier, former.missed


def _judged(policy: Policy, release: MeasuredRelease) -> _Bounds:
    results: list[CheckResult] = []
    unknown: dict[_Result, str] = {}
    for rule in policy.rules:
        found = release.measurements.get(rule.stage, ())
        judged = judge_rule(policy, rule, found, has_champion=release.has_champion)
        missed = {r.slice for r in judged if r.status is not Status.PASSED}
        why = _open_questions(policy, rule, found, release)
        unknown |= {(rule.id, name): said for name, said in why.items() if name in missed}
        results.extend(judged)
    best = [_as_passed(r) if (r.rule, r.slice) in unknown else r for r in results]
    return _Bounds(
        best=_decided(policy, release, best),
        worst=_decided(policy, release, results),
        missed=_missed(_counted(policy.rules, best, has_champion=release.has_champion)),
        perhaps_missed=_missed(_counted(policy.rules, results, has_champion=release.has_champion)),
        unknown=unknown,
    )


def _decided(policy: Policy, release: MeasuredRelease, results: Sequence[CheckResult]) -> Decision:
    facts = facts_of(
        release,
        policy,
        results,
        release.pairs(),
        policy_sha256=_NO_DIGEST,
        policy_of_champion_sha256=None,
        has_champion=release.has_champion,
    )
    facts = facts.model_copy(update={"policy_changed": release.policy_changed})
    return decide(policy, results, policy_sha256=_NO_DIGEST, has_champion=release.has_champion, facts=facts)


def _open_questions(
    policy: Policy, rule: Rule, found: Sequence[Measurement], release: MeasuredRelease
) -> dict[str, str]:
    """Slices on which the evidence cannot answer a rule that decides, and why."""
    if rule.severity is Severity.SHADOW or (rule.compares and not release.has_champion):
        return {}
    ours = [m for m in found if m.metric == rule.measured_as and rule.speaks_of(m.slice)]
    if not ours and asked_of(rule) not in release.absent:
        return {rule.slices: f"`{rule.measured_as}` was not measured then"}
    why = f"intervals were computed for another `alpha` than {policy.alpha:g}"
    return {m.slice: why for m in ours if _other_confidence(policy, rule, m)}


def _other_confidence(policy: Policy, rule: Rule, m: Measurement) -> bool:
    """Whether the interval is not the one that the policy would have asked for, and the value alone decides nothing."""
    if rule.decide_on == "value" or m.value is None or m.interval is None:
        return False
    inside = Limits(*rule.allowed, strict=rule.test != "limit").hold(m.value)
    return inside and abs(m.interval.confidence - policy.confidence) > ROUNDING


def _as_passed(result: CheckResult) -> CheckResult:
    return result.model_copy(update={"status": Status.PASSED})


def _counted(rules: Iterable[Rule], results: Iterable[CheckResult], *, has_champion: bool) -> Iterator[CheckResult]:
    excused = {rule.id for rule in rules if rule.compares and not has_champion}
    return (r for r in results if r.rule not in excused)


def _missed(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    return tuple(r for r in results if r.severity is not Severity.SHADOW and r.status is not Status.PASSED)


def _only(ours: Iterable[CheckResult], others: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Those of ``ours`` that ``others`` have not in the same weight; blocking ones first."""
    known = {(r.rule, r.slice, r.severity) for r in others}
    found = [r for r in ours if (r.rule, r.slice, r.severity) not in known]
    return tuple(sorted(found, key=lambda r: r.severity is not Severity.BLOCK))
