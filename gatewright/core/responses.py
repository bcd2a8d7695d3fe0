"""What production traffic asks for: nothing more than a record, an alert, a retraining, or a rollback."""

from collections.abc import Iterable, Sequence
from typing import Literal

from gatewright.core.checks.by_task import CHECKS
from gatewright.core.checks.monitoring import LABELLED_ROWS, ROWS
from gatewright.core.judging import Limits, check_result, verdict
from gatewright.core.policy import Monitoring, MonitoringRule, Response
from gatewright.core.records import Record
from gatewright.core.results import CheckResult, Interval, Measurement, Severity, Status

__all__ = ["STAGE", "MonitoringDecision", "MonitoringFinding", "Verdict", "respond"]

STAGE = "monitor"

Verdict = Literal["healthy", "inconclusive", "alert", "retrain", "rollback"]
_WEIGHT: dict[Response, int] = {"record": 0, "alert": 1, "retrain": 2, "rollback": 3}
_NEED_LABELS = frozenset(metric for checks in CHECKS.values() for metric in checks.metrics)
_COUNTS = frozenset({ROWS, LABELLED_ROWS})

_Judged = tuple[Status, Response, str]


class MonitoringFinding(Record):
    """One rule on one slice, and the response that it asks for."""

    result: CheckResult
    response: Response

    @property
    def cause(self) -> str:
        """What was found, by rule, metric and slice: as the finding's own sentence begins."""
        place = "" if self.result.slice == "all" else f" on {self.result.slice}"
        return f"{self.result.rule}: {self.result.metric}{place}"


class MonitoringDecision(Record):
    """The strongest response any finding asks for. ``reasons`` are sentences for people, the weightiest first."""

    response: Response
    reasons: tuple[str, ...]
    findings: tuple[MonitoringFinding, ...]

    @property
    def verdict(self) -> Verdict:
        """The response; where none is asked for, whether all was seen to be well or some could not be judged."""
        if self.response != "record":
            return self.response
        passed = all(finding.result.status is Status.PASSED for finding in self.findings)
        return "healthy" if passed else "inconclusive"


def respond(monitoring: Monitoring, measurements: Sequence[Measurement]) -> MonitoringDecision:
    """Judge what ``measure_production`` measured.

    A rule gets its full response only when its break is confirmed: the value is beyond the limit and, where
    it decides on the interval, so is all of the interval. A break that may be chance asks for an alert at
    most, and so does a metric that nobody measured. With too few rows or labels nothing is decided.
    """
    findings = tuple(_findings(monitoring, measurements))
    strongest = max((finding.response for finding in findings), key=_WEIGHT.__getitem__)
    noted = [finding for finding in findings if finding.result.status is not Status.PASSED]
    noted.sort(key=lambda finding: -_WEIGHT[finding.response])
    return MonitoringDecision(
        response=strongest,
        reasons=tuple(f"{finding.response}: {finding.result}" for finding in noted) or ("every rule passed",),
        findings=findings,
    )


def _findings(monitoring: Monitoring, measurements: Sequence[Measurement]) -> Iterable[MonitoringFinding]:
    for rule in monitoring.rules:
        ours = [m for m in measurements if m.metric == rule.metric and rule.speaks_of(m.slice)]
        shortage = _shortage(monitoring, rule, measurements)
        for m in ours or [Measurement(metric=rule.metric, slice=rule.slices, value=None, n=0)]:
            if shortage:
                yield _finding(rule, m, (Status.INCONCLUSIVE, "record", shortage))
            elif not ours:
                yield _finding(rule, m, (Status.ERROR, _at_most_alert(rule), f"`{rule.metric}` was not measured"))
            else:
                yield _finding(rule, m, _verdict(rule, m))


def _shortage(monitoring: Monitoring, rule: MonitoringRule, measurements: Sequence[Measurement]) -> str | None:
    """Why the rule cannot be judged yet; the counts themselves always can."""
    if rule.metric in _COUNTS:
        return None
    rows, labelled = _count(measurements, ROWS), _count(measurements, LABELLED_ROWS)
    if not rows >= monitoring.minimum_rows:
        return f"{rows} predictions are too few to tell; the policy asks for {monitoring.minimum_rows}"
    if rule.metric in _NEED_LABELS and not labelled >= monitoring.minimum_labels:
        return f"{labelled} labels are too few to tell; the policy asks for {monitoring.minimum_labels}"
    return None


def _count(measurements: Sequence[Measurement], metric: str) -> int:
    return next((m.n for m in measurements if m.metric == metric), 0)


def _verdict(rule: MonitoringRule, m: Measurement) -> _Judged:
    limits = Limits(rule.minimum, rule.maximum)
    status, reason = verdict(limits, m.value, m.interval, decide_on=rule.decide_on, note=m.note)
    if status is Status.FAILED and rule.decide_on == "interval":
        status, reason = _confirmed(limits, m.interval, reason)
    if status is Status.FAILED:
        return status, rule.response, reason
    inside = m.value is not None and limits.hold(m.value)
    calm = status is Status.PASSED or (status is Status.INCONCLUSIVE and inside)
    return status, "record" if calm else _at_most_alert(rule), reason


def _confirmed(limits: Limits, interval: Interval | None, reason: str) -> tuple[Status, str]:
    """A break on the value alone, judged again on its interval."""
    if interval is None:
        return Status.ERROR, f"{reason}, without the interval that the rule decides on"
    span = f"[{interval.low:.4g}, {interval.high:.4g}]"
    if _touches(limits, interval.low, interval.high):
        return Status.INCONCLUSIVE, f"{reason}, but its interval {span} does not confirm it"
    return Status.FAILED, f"nothing of {span} is {limits}"


def _touches(limits: Limits, low: float, high: float) -> bool:
    """Whether any part of [low, high] respects the limits."""
    reaches_up = limits.minimum is None or high >= limits.minimum
    reaches_down = limits.maximum is None or low <= limits.maximum
    return reaches_up and reaches_down


def _at_most_alert(rule: MonitoringRule) -> Response:
    return min(rule.response, "alert", key=_WEIGHT.__getitem__)


def _finding(rule: MonitoringRule, m: Measurement, judged: _Judged) -> MonitoringFinding:
    status, response, reason = judged
    result = check_result(rule, STAGE, Severity.WARN, m, (status, reason))
    return MonitoringFinding(result=result, response=response)
