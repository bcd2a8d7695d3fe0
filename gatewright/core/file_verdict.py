"""What a check of a file of labels and predictions says: a verdict, its results, and every metric."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewright.core.decision import Verdict
from gatewright.core.results import CheckResult, Interval, Measurement
from gatewright.core.spec import Task

__all__ = ["CHANGE", "FileVerdict", "GroupRates"]

CHANGE = "_change"
GroupRates = Mapping[str, Mapping[str, Mapping[str, float | int | None]]]


@dataclass(frozen=True)
class FileVerdict:
    """``groups``: sensitive column -> group -> rates. ``not_applicable``: rule -> why it has no say here.

    ``curves``: points for plots, as `evaluation_curves` gives them.
    """

    file: str
    rows: int
    task: Task
    confidence: float
    verdict: Verdict
    reasons: tuple[str, ...]
    results: tuple[CheckResult, ...]
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    overall: tuple[Measurement, ...] = ()
    fairness: tuple[Measurement, ...] = ()
    groups: GroupRates = field(default_factory=dict)
    curves: Mapping[str, Any] = field(default_factory=dict)

    def levels(self) -> tuple[Measurement, ...]:
        """Measurements of the model itself, of all rows and of classes."""
        return tuple(m for m in self.overall if not m.metric.endswith(CHANGE))

    def changes(self) -> tuple[Measurement, ...]:
        """Measurements of candidate minus champion."""
        return tuple(m for m in self.overall if m.metric.endswith(CHANGE))

    def as_json(self) -> dict[str, Any]:
        """The interface that others script against; ``docs/check.md`` describes it."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "file": self.file,
            "rows": self.rows,
            "task": self.task,
            "confidence": self.confidence,
            "results": [_result(result) for result in self.results],
            "not_applicable": dict(self.not_applicable),
            "metrics": {
                "overall": _by_metric(m for m in self.levels() if m.slice == "all"),
                "classes": _by_slice(m for m in self.levels() if m.slice != "all"),
                "change": {
                    m.metric.removesuffix(CHANGE): _value(m) | {"p_value": m.p_value}
                    for m in self.changes()
                    if m.slice == "all"
                },
                "groups": {
                    column: {group: dict(rates) for group, rates in of.items()} for column, of in self.groups.items()
                },
                "fairness": _by_slice(self.fairness),
            },
        }


def _by_metric(measurements: Iterable[Measurement]) -> dict[str, Any]:
    return {m.metric: _value(m) for m in measurements}


def _by_slice(measurements: Iterable[Measurement]) -> dict[str, Any]:
    slices: dict[str, Any] = {}
    for m in measurements:
        slices.setdefault(m.slice, {})[m.metric] = _value(m)
    return slices


def _value(m: Measurement) -> dict[str, Any]:
    note = {"note": m.note} if m.note else {}
    return {"value": m.value, "interval": _pair(m.interval), "n": m.n} | note


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _result(result: CheckResult) -> dict[str, Any]:
    limits = [bound for bound in (result.minimum, result.maximum) if bound is not None]
    return {
        "rule": result.rule,
        "metric": result.metric,
        "slice": result.slice,
        "value": result.value,
        "interval": _pair(result.interval),
        "threshold": limits[0] if len(limits) == 1 else limits,
        "minimum": result.minimum,
        "maximum": result.maximum,
        "status": result.status.value,
        "severity": result.severity.value,
        "n": result.n,
        "test": result.test,
        "p_value": result.p_value,
        "adjusted_p_value": result.adjusted_p_value,
        "smallest_effect": result.smallest_effect,
        "n_needed": result.n_needed,
        "reason": result.reason,
    }
