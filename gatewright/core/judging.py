"""Apply a policy's rules to measurements. Nothing passes silently: no measurement, NaN or no interval never pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatewright.core.policy import Limit, Policy, Rule
from gatewright.core.results import CheckResult, Interval, Measurement, Severity, Status

__all__ = ["Finding", "Limits", "check_result", "judge", "judge_rule", "verdict"]

Finding = tuple[Status, str]


@dataclass(frozen=True)
class Limits:
    """The allowed range; either side may be open."""

    minimum: float | None
    maximum: float | None

    def hold(self, value: float) -> bool:
        """Whether ``value`` lies inside; false for NaN."""
        above = self.minimum is None or value >= self.minimum
        below = self.maximum is None or value <= self.maximum
        return above and below

    def __str__(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:g} to {self.maximum:g}"
        return f"at least {self.minimum:g}" if self.minimum is not None else f"at most {self.maximum:g}"


def judge(
    policy: Policy, measurements: Iterable[tuple[str, Measurement]], *, has_champion: bool
) -> tuple[CheckResult, ...]:
    """Results of all rules, in the policy's order; ``measurements`` are pairs of stage and measurement."""
    measured = list(measurements)
    results: list[CheckResult] = []
    for rule in policy.rules:
        ours = [m for stage, m in measured if stage == rule.stage and m.metric == rule.metric]
        results.extend(judge_rule(rule, ours, has_champion=has_champion))
    return tuple(results)


def judge_rule(rule: Rule, measurements: Sequence[Measurement], *, has_champion: bool) -> tuple[CheckResult, ...]:
    """Results of one rule: one for each measured slice it speaks of, or one that says why there is none."""
    ours = [m for m in measurements if rule.speaks_of(m.slice)]
    if ours:
        return tuple(_result(rule, m, _finding(rule, m)) for m in ours)
    nothing = Measurement(metric=rule.metric, slice=rule.slices, value=None, n=0)
    if rule.needs_champion and not has_champion:
        alone = (Status.INCONCLUSIVE, "no champion serves, so there is nothing to compare with")
        return (_result(rule, nothing, alone),)
    return (_result(rule, nothing, (Status.ERROR, f"`{rule.metric}` was not measured")),)


def _finding(rule: Rule, m: Measurement) -> Finding:
    limits = Limits(rule.minimum, rule.maximum)
    if m.n < rule.minimum_n:
        return Status.INCONCLUSIVE, f"{m.n} rows are too few to tell; the rule asks for {rule.minimum_n}"
    return verdict(limits, m.value, m.interval, decide_on=rule.decide_on, note=m.note)


def verdict(
    limits: Limits, value: float | None, interval: Interval | None, *, decide_on: str, note: str = ""
) -> Finding:
    """The status of a value against limits, and a sentence that says why.

    On an interval, ``passed`` asks that all of it respects the limits, ``failed`` that the value itself
    does not; between the two the data are too few: ``inconclusive``.
    """
    if value is None:
        return Status.INCONCLUSIVE, note or "there was too little data to measure it"
    if value != value:
        return Status.ERROR, "the value is not a number"
    if not limits.hold(value):
        return Status.FAILED, f"{value:.4g} is not {limits}"
    if decide_on == "value":
        return Status.PASSED, f"{value:.4g} is {limits}"
    if interval is None:
        return Status.ERROR, "it was measured without an interval, and the rule decides on one"
    span = f"[{interval.low:.4g}, {interval.high:.4g}]"
    if limits.hold(interval.low) and limits.hold(interval.high):
        return Status.PASSED, f"all of {span} is {limits}"
    return Status.INCONCLUSIVE, f"{value:.4g} is {limits}, but its interval {span} is not"


def check_result(rule: Limit, stage: str, severity: Severity, m: Measurement, finding: Finding) -> CheckResult:
    """A rule, what was measured, and what was found, in one record."""
    status, reason = finding
    return CheckResult(
        rule=rule.id,
        stage=stage,
        metric=rule.metric,
        slice=m.slice,
        value=m.value,
        interval=m.interval,
        minimum=rule.minimum,
        maximum=rule.maximum,
        n=m.n,
        status=status,
        severity=severity,
        reason=reason,
    )


def _result(rule: Rule, m: Measurement, finding: Finding) -> CheckResult:
    return check_result(rule, rule.stage, rule.severity, m, finding)
