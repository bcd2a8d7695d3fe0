"""Read the tables inside ``StageEvidence.details``. What is missing or of another shape gives nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from gatewright.core.release_view import ReleaseView

__all__ = [
    "CalibrationBin",
    "FailedCheck",
    "GroupRow",
    "Rate",
    "calibration",
    "calibration_bins",
    "failed_expectations",
    "failures_by_severity",
    "group_means",
    "groups",
]

# The weightiest first.
SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class Rate:
    """A share of rows with its confidence interval; ``supported`` when there are rows enough to judge it."""

    value: float
    low: float
    high: float
    supported: bool = True


@dataclass(frozen=True)
class GroupRow:
    """One group of one sensitive feature: ``n`` rows, ``positives`` of them with the label, rates by name."""

    slice: str
    group: str
    n: int
    positives: int
    rates: Mapping[str, Rate]


@dataclass(frozen=True)
class CalibrationBin:
    """Rows whose scores lie close together: their mean score against the share of positives observed."""

    mean_score: float
    observed: Rate
    n: int


@dataclass(frozen=True)
class FailedCheck:
    """One expectation on the data that did not hold: on ``column``, by ``rows`` rows, or what it raised."""

    severity: str
    column: str
    words: str
    rows: int | None
    raised: str


def groups(view: ReleaseView) -> list[GroupRow]:
    """The group table of the fairness stage."""
    rows = _dicts(_detail(view, "fairness", "groups"))
    return [row for row in (_group(raw, view.policy.minimum_support) for raw in rows) if row is not None]


def group_means(view: ReleaseView) -> list[dict[str, JsonValue]]:
    """The groups of the fairness stage of a model of numbers or of several classes."""
    return _dicts(_detail(view, "fairness", "group_means"))


def failures_by_severity(view: ReleaseView, dataset: str) -> dict[str, int]:
    """How many expectations on ``training`` or ``evaluation`` failed; empty where it was not written down."""
    validated = _detail(view, "validate", dataset)
    failed = validated.get("failed") if isinstance(validated, dict) else None
    if not isinstance(failed, dict):
        return {}
    return {name: int(count) for name in SEVERITIES if (count := _number(failed.get(name))) is not None}


def failed_expectations(view: ReleaseView, dataset: str) -> list[FailedCheck]:
    """The expectations on ``training`` or ``evaluation`` that did not hold, the weightiest first; never their rows."""
    validated = _detail(view, "validate", dataset)
    raw = validated.get("failures") if isinstance(validated, dict) else None
    return sorted((_failed(one) for one in _dicts(raw)), key=lambda f: (_rank(f.severity), f.column, f.words))


def calibration(view: ReleaseView, model: str = "candidate") -> list[CalibrationBin]:
    """Calibration bins of the candidate or the champion, from the evaluate stage, from low scores to high."""
    curves = _detail(view, "evaluate", "curves")
    return calibration_bins(curves, model) if isinstance(curves, dict) else []


def calibration_bins(curves: Mapping[str, JsonValue], model: str = "candidate") -> list[CalibrationBin]:
    """The calibration bins of one model in ``curves``, from low scores to high."""
    measured = curves.get(model)
    raw = measured.get("calibration") if isinstance(measured, dict) else None
    bins = [b for b in (_bin(row) for row in _dicts(raw)) if b is not None]
    return sorted(bins, key=lambda b: b.mean_score)


def _group(raw: Mapping[str, JsonValue], minimum_support: int) -> GroupRow | None:
    n, positives = _number(raw.get("n")), _number(raw.get("positives"))
    if n is None or positives is None:
        return None
    denominators = {"selection_rate": n, "true_positive_rate": positives, "false_positive_rate": n - positives}
    found = {name: _rate(raw, name, support >= minimum_support) for name, support in denominators.items()}
    return GroupRow(
        slice=str(raw.get("slice", "")),
        group=str(raw.get("group", "")),
        n=int(n),
        positives=int(positives),
        rates={name: rate for name, rate in found.items() if rate is not None},
    )


def _failed(raw: Mapping[str, JsonValue]) -> FailedCheck:
    rows = _number(raw.get("unexpected_count"))
    return FailedCheck(
        severity=str(raw.get("severity", "")),
        column=str(raw.get("column") or ""),
        words=str(raw.get("expectation", "")).removeprefix("expect_").replace("_", " "),
        rows=None if rows is None else int(rows),
        raised=str(raw.get("exception") or ""),
    )


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _bin(raw: Mapping[str, JsonValue]) -> CalibrationBin | None:
    score, n = _number(raw.get("mean_score")), _number(raw.get("n"))
    value, low, high = (_number(raw.get(key)) for key in ("observed_rate", "low", "high"))
    if score is None or value is None or low is None or high is None or not n:
        return None
    return CalibrationBin(score, Rate(value, low, high), int(n))


def _detail(view: ReleaseView, stage: str, key: str) -> JsonValue:
    evidence = view.stages.get(stage)
    return None if evidence is None else evidence.details.get(key)


def _dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _rate(raw: Mapping[str, JsonValue], name: str, supported: bool) -> Rate | None:
    value, low, high = (_number(raw.get(key)) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None or low is None or high is None:
        return None
    return Rate(value, low, high, supported)


def _number(value: JsonValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return float(value)
