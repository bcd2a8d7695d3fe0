"""Apply rules to measurements. Nothing passes silently: no measurement, NaN or no interval never pass.

What a rule on ``slices: each`` means depends on its ``multiplicity``:

- ``intersection_union``: a release passes only if every slice is shown to respect the limit. Each is tested at
  alpha; the union of the hypotheses "slice k is broken" is refused at level alpha without any correction
  (Berger 1982, Technometrics 24, 295-300).
- ``holm`` and ``benjamini_hochberg`` look for harm. ``failed`` says that harm was shown, and adjusted p-values
  keep that word honest over all slices. Only a value within the limit can pass, and only where the interval
  respects the limit too, or where a harm of ``minimum_effect`` would have been seen. Everything else is
  ``inconclusive``: no evidence of harm is not evidence of no harm.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from gatewright.core.limits import Limits
from gatewright.core.multiplicity import benjamini_hochberg, holm, p_of_breach, p_of_respect
from gatewright.core.policy import Limit, Policy, Rule, RuleSet
from gatewright.core.power import n_needed, smallest_effect, standard_error
from gatewright.core.results import CheckResult, Interval, Measurement, Severity, Status

__all__ = ["Finding", "Judgement", "Limits", "check_result", "judge", "judge_rule", "judge_rules", "verdict"]

Finding = tuple[Status, str]
# Confidences are computed as 1 - 2 alpha in several places; less than this is rounding.
ROUNDING = 1e-9
_NAMES = {
    "limit": "limit",
    "superiority": "superiority",
    "non_inferiority": "non-inferiority",
    "equivalence": "equivalence (two one-sided tests)",
}
_ADJUSTMENTS = {"holm": holm, "benjamini_hochberg": benjamini_hochberg}
_ADJUSTED_BY = {"holm": "Holm", "benjamini_hochberg": "Benjamini-Hochberg"}


@dataclass(frozen=True)
class Judgement:
    """Results of the rules that apply; ``not_applicable``: id of each other rule -> why it does not."""

    results: tuple[CheckResult, ...]
    not_applicable: dict[str, str]
    has_champion: bool


def judge(
    policy: Policy, measurements: Iterable[tuple[str, Measurement]], *, has_champion: bool
) -> tuple[CheckResult, ...]:
    """Results of all rules, in the policy's order; ``measurements`` are pairs of stage and measurement."""
    measured = list(measurements)
    results: list[CheckResult] = []
    for rule in policy.rules:
        ours = [m for stage, m in measured if stage == rule.stage]
        results.extend(judge_rule(policy, rule, ours, has_champion=has_champion))
    return tuple(results)


def judge_rules(rules: RuleSet, measurements: Iterable[Measurement], *, given: Collection[str]) -> Judgement:
    """Results of the rules whose needs were ``given``, whatever stage they name, in the rules' order."""
    measured, has_champion = list(measurements), "champion" in given
    results: list[CheckResult] = []
    left_out: dict[str, str] = {}
    for rule in rules.rules:
        missing = rule.missing(given)
        if missing:
            left_out[rule.id] = f"it needs what was not given: {', '.join(missing)}"
        else:
            results += judge_rule(rules, rule, measured, has_champion=has_champion)
    return Judgement(tuple(results), left_out, has_champion)


def judge_rule(
    rules: RuleSet, rule: Rule, measurements: Iterable[Measurement], *, has_champion: bool
) -> tuple[CheckResult, ...]:
    """Results of one rule: one for each measured slice it speaks of, or one that says why there is none.

    ``rules`` gives alpha, power and minimum support. Results come in the order of ``measurements``, which
    changes nothing else.
    """
    ours = [m for m in measurements if m.metric == rule.measured_as and rule.speaks_of(m.slice)]
    if not ours:
        return (_absent(rule, has_champion=has_champion),)
    if rule.multiplicity == "intersection_union":
        return tuple(_Judged(rules, rule, m).result() for m in ours)
    return _judge_family(rules, rule, ours)


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
    if limits.hold_all(interval):
        return Status.PASSED, f"all of {_span(interval)} is {limits}"
    return Status.INCONCLUSIVE, f"{value:.4g} is {limits}, but its interval {_span(interval)} is not"


def check_result(rule: Limit, stage: str, severity: Severity, m: Measurement, finding: Finding) -> CheckResult:
    """A rule, what was measured, and what was found, in one record."""
    status, reason = finding
    return CheckResult(
        rule=rule.id,
        stage=stage,
        metric=m.metric,
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


@dataclass(frozen=True)
class _Judged:
    """One measurement under one rule."""

    rules: RuleSet
    rule: Rule
    m: Measurement

    @property
    def limits(self) -> Limits:
        return Limits(*self.rule.allowed, strict=self.rule.test != "limit")

    def result(self) -> CheckResult:
        finding = self.obstacle() or self.finding()
        return self.as_result(finding, test=self.described(), p_value=self.p(p_of_respect))

    def obstacle(self) -> Finding | None:
        """Why nothing can be decided, whatever the value."""
        least = self.support
        if self.m.n < least:
            return Status.INCONCLUSIVE, f"{self.m.n} rows are too few to tell; the rule asks for {least}"
        interval = self.m.interval
        if self.on_interval and interval and interval.confidence < self.rules.confidence - ROUNDING:
            wanted = f"{self.rules.confidence:.4g}"
            return Status.ERROR, f"its interval has confidence {interval.confidence:.4g}, the rules ask for {wanted}"
        return None

    def finding(self) -> Finding:
        limits, m = self.limits, self.m
        status, reason = verdict(limits, m.value, m.interval, decide_on=self.rule.decide_on, note=m.note)
        shown = m.interval is not None and limits.exclude(m.interval)
        if status in (Status.FAILED, Status.INCONCLUSIVE) and not shown and self.n_needed is not None:
            return Status.INCONCLUSIVE, f"{reason}; {self.too_few()}"
        return status, reason

    @property
    def on_interval(self) -> bool:
        return self.rule.decide_on == "interval"

    @property
    def support(self) -> int:
        if self.rule.minimum_n is not None:
            return self.rule.minimum_n
        return self.rules.minimum_support if self.on_interval else 0

    @property
    def wanted(self) -> float | None:
        """The effect that the rule says must not be overlooked."""
        return self.rule.minimum_effect or self.rule.margin

    @property
    def smallest_effect(self) -> float | None:
        return self.smallest_effect_at(self.rules.alpha)

    def smallest_effect_at(self, alpha: float) -> float | None:
        m = self.m
        if m.value is None or m.interval is None or not self.on_interval:
            return None
        both = self.limits.minimum is not None and self.limits.maximum is not None
        error = standard_error(m.value, m.interval)
        return smallest_effect(error, alpha=alpha, power=self.rules.power, two_sided=both)

    @property
    def n_needed(self) -> int | None:
        """Rows that would show the wanted effect; None where these do, or where no effect is named."""
        smallest = self.smallest_effect
        if smallest is None or self.wanted is None or smallest <= self.wanted:
            return None
        return n_needed(self.m.n, smallest, self.wanted)

    def too_few(self) -> str:
        return (
            f"these {self.m.n} rows would show an effect of {self.smallest_effect:.2g}, the rule asks for"
            f" {self.wanted:g}: about {self.n_needed} rows are needed"
        )

    def p(self, of: Callable[[float, Interval, Limits], float]) -> float | None:
        if self.m.value is None or self.m.interval is None or not self.on_interval:
            return None
        return of(self.m.value, self.m.interval, self.limits)

    def described(self, slices: int = 1) -> str:
        """The test in words."""
        rule = self.rule
        if not self.on_interval:
            return f"{_NAMES[rule.test]}: the value is {self.limits}"
        words = f"{_NAMES[rule.test]}: {rule.measured_as} is {self.limits}, one-sided at {self.rules.alpha:g}"
        if rule.slices != "each":
            return words
        if rule.multiplicity == "intersection_union":
            return f"{words}, on every slice (intersection-union)"
        return f"{words}; harm on any of {slices} slices, adjusted after {_ADJUSTED_BY[rule.multiplicity]}"

    def as_result(self, finding: Finding, **evidence: object) -> CheckResult:
        minimum, maximum = self.rule.allowed
        numbers = {"smallest_effect": self.smallest_effect, "n_needed": self.n_needed}
        result = check_result(self.rule, self.rule.stage, self.rule.severity, self.m, finding)
        return result.model_copy(update={"minimum": minimum, "maximum": maximum, **numbers, **evidence})


def _judge_family(rules: RuleSet, rule: Rule, measurements: Sequence[Measurement]) -> tuple[CheckResult, ...]:
    """All slices of a rule that looks for harm. Slices that cannot be judged count in the family as innocent."""
    family = [_Judged(rules, rule, m) for m in measurements]
    obstacles = [one.obstacle() or _unmeasured(one.m) for one in family]
    breaches = [None if stop else one.p(p_of_breach) for one, stop in zip(family, obstacles, strict=True)]
    adjusted = _ADJUSTMENTS[rule.multiplicity]([1.0 if p is None else p for p in breaches])
    return tuple(
        one.as_result(
            stop or _harm(one, p, slices=len(family)),
            test=one.described(len(family)),
            p_value=breach,
            adjusted_p_value=None if stop else p,
        )
        for one, stop, breach, p in zip(family, obstacles, breaches, adjusted, strict=True)
    )


def _unmeasured(m: Measurement) -> Finding | None:
    if m.value is None:
        return Status.INCONCLUSIVE, m.note or "there was too little data to measure it"
    if m.interval is None:
        return Status.ERROR, "it was measured without an interval, and the rule decides on one"
    return None


def _harm(one: _Judged, adjusted: float, *, slices: int) -> Finding:
    limits, m = one.limits, one.m
    assert m.value is not None
    assert m.interval is not None
    p = f"{_ADJUSTED_BY[one.rule.multiplicity]}-adjusted p = {adjusted:.2g}"
    if not limits.hold(m.value):
        if adjusted <= one.rules.alpha:
            return Status.FAILED, f"{m.value:.4g} is not {limits} ({p} over {slices} slices)"
        return Status.INCONCLUSIVE, f"{m.value:.4g} is not {limits}, which may be chance ({p} over {slices} slices)"
    if limits.hold_all(m.interval):
        return Status.PASSED, f"all of {_span(m.interval)} is {limits}"
    seen, wanted = one.smallest_effect_at(one.rules.alpha / slices), one.rule.minimum_effect
    if wanted is not None and seen is not None and seen <= wanted:
        return Status.PASSED, f"{m.value:.4g} is {limits}, and a harm of {wanted:g} would have been seen"
    return Status.INCONCLUSIVE, f"{m.value:.4g} is {limits}, but only a harm of {seen:.2g} would have been seen"


def _absent(rule: Rule, *, has_champion: bool) -> CheckResult:
    nothing = Measurement(metric=rule.measured_as, slice=rule.slices, value=None, n=0)
    finding = Status.ERROR, f"`{rule.measured_as}` was not measured"
    if rule.compares and not has_champion:
        finding = Status.INCONCLUSIVE, "no champion serves, so there is nothing to compare with"
    minimum, maximum = rule.allowed
    result = check_result(rule, rule.stage, rule.severity, nothing, finding)
    return result.model_copy(update={"minimum": minimum, "maximum": maximum})


def _span(interval: Interval) -> str:
    return f"[{interval.low:.4g}, {interval.high:.4g}]"
